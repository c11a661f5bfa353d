//! Who sent a request, as their cookie tells, or the access token that they brought.
//!
//! The cookie is looked at first; with a session, an `Authorization` header says nothing. An unknown, ended or doubled session cookie counts as none and is cleared. It is never adopted.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};

use super::cookie::{Carried, Cookie};
use super::csrf::CsrfToken;
use crate::idp::BearerCaller;
use crate::model::host::Origin;
use crate::model::principal::PrincipalSnapshot;
use crate::model::record::MfaState;
use crate::model::session::Session;
use crate::model::time::Timestamp;
use crate::session::{SessionError, Sessions, Token};

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person, or nobody known.
    pub principal: Arc<PrincipalSnapshot>,
    /// Their session, when there is one.
    pub session: Option<Arc<Session>>,
    /// What their access token said, when they came with one instead.
    pub bearer: Option<Arc<BearerCaller>>,
    /// What their session cookie held.
    token: Option<Token>,
    /// The cookie to take away, when one came that counts for nothing.
    pub stale: Option<HeaderValue>,
}

impl Caller {
    /// Nobody known.
    pub fn anonymous() -> Self {
        Self {
            principal: PrincipalSnapshot::anonymous(),
            session: None,
            bearer: None,
            token: None,
            stale: None,
        }
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
            Carried::One(text) => Token::parse(&text),
        };
        let stale = || Self { stale: Some(Cookie::Session.clear(origin)), ..Self::anonymous() };
        let Some(token) = token else { return Ok(stale()) };
        let session = sessions.load(&token, origin.host()).await?;
        Ok(session.map_or_else(stale, |session| Self {
            principal: Arc::clone(&session.principal),
            session: Some(session),
            bearer: None,
            token: Some(token),
            stale: None,
        }))
    }

    /// The token of their forms; none without a session.
    pub fn csrf(&self) -> Option<CsrfToken> {
        self.token.as_ref().map(|token| CsrfToken::of(token.expose()))
    }

    /// The same caller, known by an access token. A cookie that counts for nothing is still taken away.
    #[must_use]
    pub fn with_bearer(self, bearer: Arc<BearerCaller>) -> Self {
        Self { principal: Arc::clone(&bearer.principal), bearer: Some(bearer), ..self }
    }

    /// Whether the session, or the access token, met the MFA context of the settings.
    pub fn mfa(&self) -> MfaState {
        let of_token = || self.bearer.as_ref().map_or(MfaState::NotMet, |bearer| bearer.mfa);
        self.session.as_ref().map_or_else(of_token, |session| session.mfa)
    }

    /// Authentication contexts that the session, or the access token, vouches for.
    pub fn auth_contexts(&self) -> BTreeSet<String> {
        let of_token = self.bearer.as_ref().map(|bearer| &bearer.auth_contexts);
        let met = self.session.as_ref().map(|session| &session.auth_contexts).or(of_token);
        met.cloned().unwrap_or_default()
    }

    /// When the person signed in; of a token's person only where the token tells.
    pub fn signed_in_at(&self) -> Option<Timestamp> {
        let of_token = || self.bearer.as_ref().and_then(|bearer| bearer.authenticated_at);
        self.session.as_ref().map_or_else(of_token, |session| Some(session.proved_at))
    }

    /// Adds the header that takes a stale cookie away.
    pub fn tidy(&self, headers: &mut HeaderMap) {
        if let Some(clear) = &self.stale {
            headers.append(header::SET_COOKIE, clear.clone());
        }
    }
}
