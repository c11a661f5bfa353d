//! Faults that tests order: wrong answers of the token endpoint and ID tokens that must be refused.

/// What the token endpoint does with its next request, whatever it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFault {
    /// Status 503 with a `Retry-After`.
    Unavailable,
    /// Status 400 `invalid_grant` with this AADSTS number.
    InvalidGrant(u32),
    /// Status 400 `interaction_required` with a `claims` challenge.
    Challenge {
        /// The value of `claims`, JSON as text.
        claims: String,
    },
    /// Status 502 with a body of HTML, as a gateway in between would answer.
    NotJson,
    /// Status 200, the right body, but no ID token in it.
    NoIdToken,
}

/// How the next ID token is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tamper {
    /// This claim is replaced before signing.
    Claim(String, serde_json::Value),
    /// This claim is missing.
    Without(String),
    /// This header member is replaced before signing (`kid`, `jku`, `crit`, …).
    Header(String, serde_json::Value),
    /// `alg: none` and no signature.
    AlgNone,
    /// HS256, keyed with the published modulus.
    HmacWithPublicKey,
    /// HS256, keyed with the client's secret.
    HmacWithClientSecret,
    /// Signed by a key that nobody published, under the `kid` of the right one.
    OtherKey,
    /// One byte of the payload changed after signing.
    Payload,
    /// The signature cut off.
    NoSignature,
}
