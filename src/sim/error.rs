//! What can go wrong inside the simulator itself, apart from the errors that it plays.

/// Why the simulator cannot start or answer.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// No RSA key.
    #[error("could not make an RSA key")]
    Key(#[source] rsa::Error),
    /// The key has no DER form.
    #[error("could not encode the RSA key")]
    KeyEncoding(#[source] rsa::pkcs1::Error),
    /// Signing failed.
    #[error("could not sign a token")]
    Signature(#[source] jsonwebtoken::errors::Error),
    /// The operating system gives no randomness.
    #[error("the operating system gave no random bytes")]
    Random,
    /// A setting is not usable.
    #[error("`{value}` is not usable as {wanted}")]
    Setting {
        /// What was given.
        value: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// Nobody has this name.
    #[error("there is nobody called `{0}` in the simulated tenant")]
    NoSuchPerson(String),
}
