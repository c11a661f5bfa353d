//! Faults that tests and the page of knobs order: wrong answers, and tokens that must be refused.

/// What the authorize endpoint does with its next request, whatever it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizeFault {
    /// This AADSTS number, on a page or at the redirect URI as Entra does.
    AsEntra(u32),
    /// This AADSTS number at the redirect URI, also where Entra keeps the person on its page.
    SentBack(u32),
}

/// What the token endpoint does with its next request, whatever it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFault {
    /// Status 503 with a `Retry-After`.
    Unavailable,
    /// This AADSTS number, with the error, status and members that Entra sends with it.
    Aadsts(u32),
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

/// How the next token is wrong.
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
    /// Signed, under its own `kid`, by the published key that is for personal accounts only.
    PersonalAccountKey,
    /// One byte of the payload changed after signing.
    Payload,
    /// The signature cut off.
    NoSignature,
}
