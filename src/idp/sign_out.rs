//! What signing out at Entra takes.

use secrecy::SecretString;

/// Whom Entra signs out without asking which account is meant.
#[derive(Debug, Clone)]
pub enum SignOutHint {
    /// The `login_hint` of the [`Identity`](crate::model::session::Identity): short, and it says nothing of the person.
    Login(String),
    /// The ID token of the sign-in, which need not be valid any more (RP-Initiated Logout 1.0 section 2).
    IdToken(SecretString),
    /// Entra asks.
    Nobody,
}

/// Longer ID tokens make an address that Entra or a proxy refuses.
pub(super) const LONGEST_HINT: usize = 4096;
