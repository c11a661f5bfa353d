//! Sessions: who is signed in, where, and until when.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::host::Host;
use super::id::{AuthContext, SessionId};
use super::principal::{PrincipalSnapshot, User};
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
    /// Who is signed in, always a person.
    pub principal: Arc<PrincipalSnapshot>,
    /// When the person signed in.
    pub signed_in_at: Timestamp,
    /// When they last proved who they are: at the sign-in or at a later step-up.
    pub proved_at: Timestamp,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
    /// Authentication contexts that were met, and not so long ago that they no longer count.
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
///
/// As text, in records and in kept rows: `c1`, `max_age=300`, or both with a space between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepUp {
    /// An authentication context that the new token must vouch for (`acrs`).
    pub context: Option<AuthContext>,
    /// How long ago the person may have proved who they are (`max_age`, OpenID Connect Core 1.0 section 3.1.2.1).
    pub max_age: Option<Duration>,
}

/// A text that is no [`StepUp`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is neither an authentication context (c1 to c99) nor `max_age=` with at most a day in seconds"
)]
pub struct InvalidStepUp;

/// Nobody asks for a proof that may be older than a day: no session lives on one for long.
const OLDEST_PROOF: Duration = Duration::from_hours(24);

impl StepUp {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.context.is_none() && self.max_age.is_none()
    }

    /// Adds one part of the text form; the same kind twice is refused, for one of the two would be lost.
    fn with(mut self, part: &str) -> Result<Self, InvalidStepUp> {
        let free = if let Some(seconds) = part.strip_prefix("max_age=") {
            self.max_age.replace(max_age(seconds).ok_or(InvalidStepUp)?).is_none()
        } else {
            self.context.replace(part.parse().map_err(|_| InvalidStepUp)?).is_none()
        };
        free.then_some(self).ok_or(InvalidStepUp)
    }
}

/// Decimal digits alone, without a sign.
fn max_age(text: &str) -> Option<Duration> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let span = Duration::from_secs(text.parse().ok().filter(|_| plain)?);
    (span <= OLDEST_PROOF).then_some(span)
}

impl fmt::Display for StepUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = self.context.as_ref().map(ToString::to_string);
        let max_age = self.max_age.map(|age| format!("max_age={}", age.as_secs()));
        f.write_str(&context.into_iter().chain(max_age).collect::<Vec<_>>().join(" "))
    }
}

impl FromStr for StepUp {
    type Err = InvalidStepUp;

    fn from_str(text: &str) -> Result<Self, InvalidStepUp> {
        text.split(' ').try_fold(Self::default(), Self::with)
    }
}
