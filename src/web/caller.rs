//! Who sent a request, as their cookie tells.
//!
//! An unknown, ended or doubled session cookie counts as none and is cleared. It is never adopted.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};

use super::cookie::{Carried, Cookie};
use super::csrf::CsrfToken;
use crate::model::host::Origin;
use crate::model::principal::Principal;
use crate::model::record::MfaState;
use crate::model::session::Session;
use crate::session::{SessionError, Sessions, Token};

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person, or [`Principal::Anonymous`].
    pub principal: Arc<Principal>,
    /// Their session, when there is one.
    pub session: Option<Arc<Session>>,
    /// The token of their forms.
    pub csrf: Option<CsrfToken>,
    /// The cookie to take away, when one came that counts for nothing.
    pub stale: Option<HeaderValue>,
}

impl Caller {
    /// Nobody known.
    pub fn anonymous() -> Self {
        Self { principal: Arc::new(Principal::Anonymous), session: None, csrf: None, stale: None }
    }

    /// The person of a session as it is now, for whoever decides on something of theirs that is still under way.
    pub fn of_session(session: Arc<Session>) -> Self {
        let principal = Arc::clone(&session.principal);
        Self { principal, session: Some(session), ..Self::anonymous() }
    }

    /// Reads the session cookie of `origin` and looks it up.
    ///
    /// # Errors
    /// When sessions can't be read; nobody can be told from nobody then.
    pub async fn of(
        sessions: &Sessions,
        origin: &Origin,
        headers: &HeaderMap,
    ) -> Result<Self, SessionError> {
        let token = match Cookie::Session.read(origin, headers) {
            Carried::Nothing => return Ok(Self::anonymous()),
            Carried::Several => None,
            Carried::One(text) => Token::parse(&text).map(|token| (text, token)),
        };
        let stale = || Self { stale: Some(Cookie::Session.clear(origin)), ..Self::anonymous() };
        let Some((text, token)) = token else { return Ok(stale()) };
        let session = sessions.load(&token, origin.host()).await?;
        Ok(session.map_or_else(stale, |session| Self {
            principal: Arc::clone(&session.principal),
            session: Some(session),
            csrf: Some(CsrfToken::of(&text)),
            stale: None,
        }))
    }

    /// Whether the session met the MFA context of the settings.
    pub fn mfa(&self) -> MfaState {
        self.session.as_ref().map_or(MfaState::NotMet, |session| session.mfa)
    }

    /// Adds the header that takes a stale cookie away.
    pub fn tidy(&self, headers: &mut HeaderMap) {
        if let Some(clear) = &self.stale {
            headers.append(header::SET_COOKIE, clear.clone());
        }
    }
}
