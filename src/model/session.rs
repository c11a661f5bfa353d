//! Sessions: who is signed in, where, and until when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::host::Host;
use super::id::{AuthContext, SessionId};
use super::principal::{Principal, User};
use super::record::MfaState;
use super::time::Timestamp;

/// A signed-in browser, as a request meets it: the parent session's facts, seen from one host.
///
/// The parent lives on Cedargate's own host; each app host has a child with a cookie of its own. A child has no limits
/// of its own: it shares the parent's identity, limits, re-checks and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The parent's name in lists and records.
    pub id: SessionId,
    /// The host whose cookie opened it.
    pub host: Host,
    /// Who is signed in, always a [`Principal::User`].
    pub principal: Arc<Principal>,
    /// When the person signed in.
    pub signed_in_at: Timestamp,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
    /// Authentication contexts met so far.
    pub auth_contexts: BTreeSet<String>,
    /// Whether the MFA context of the settings is among them.
    pub mfa: MfaState,
}

/// What Entra said of a person at the end of a sign-in, checked and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub user: User,
    /// `acrs`: authentication contexts that the ID token vouches for.
    pub auth_contexts: BTreeSet<String>,
    /// `auth_time`: when the person last proved who they are, if the token says so.
    pub authenticated_at: Option<Timestamp>,
    /// `sid`: Entra's own session, for front-channel sign-out.
    pub entra_session: Option<String>,
    /// `login_hint`: opaque, makes sign-out at Entra skip the account picker.
    pub login_hint: Option<String>,
}

/// What somebody has to prove at Entra, beyond who they are, before something opens. Empty asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepUp {
    /// An authentication context that the new token must vouch for (`acrs`).
    pub context: Option<AuthContext>,
    /// How long ago the person may have proved who they are (`max_age`, OpenID Connect Core 1.0 section 3.1.2.1).
    pub max_age: Option<Duration>,
}

impl StepUp {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.context.is_none() && self.max_age.is_none()
    }
}
