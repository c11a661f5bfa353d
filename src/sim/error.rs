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
    /// The key has no PKCS #8 form.
    #[error("could not encode the RSA key")]
    KeyForm(#[source] rsa::pkcs8::Error),
    /// The key has no certificate.
    #[error("could not certify the RSA key")]
    Certificate(#[source] rcgen::Error),
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
    /// A registration was taken away while a token for it was made.
    #[error("the registration is gone")]
    Gone,
    /// No registration has this client id.
    #[error("there is no registration with the client id `{0}`")]
    NoSuchClient(String),
    /// No group has this object id.
    #[error("there is no group with the object id `{0}`")]
    NoSuchGroup(String),
    /// Nobody has this name.
    #[error("there is nobody called `{0}` in the simulated tenant")]
    NoSuchPerson(String),
}
