//! Signing out: a page that asks, a form that does it, and the page afterwards.
//!
//! A GET changes nothing, so that no image or link signs anybody out. The form posts to its own host, because
//! `form-action` lets it go nowhere else; Entra's own sign-out is a link on the page that follows.
//!
//! An app's host knows its own child session only. Without one it says nothing of others, and leads to the gate's own host,
//! which sees them all. The session ends before anybody else is asked anything.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::timeout;

use super::Login;
use super::answers::{fault, redirect, with_cookies};
use super::failed::HELD_AT_MICROSOFT;
use super::trouble::Trouble;
use crate::idp::SignOutHint;
use crate::model::record::{Actor, Refusal, SessionEnd};
use crate::model::session::Session;
use crate::session::SessionError;
use crate::web::caller::Caller;
use crate::web::cookie::Cookie;
use crate::web::exchange::Exchange;
use crate::web::fault::Fault;
use crate::web::form;
use crate::web::link::Link;
use crate::web::page::{self, Frame, PersonName};
use crate::web::pages::{SignOutPage, SignedOut, SignedOutPage};
use crate::web::refuser::Refused;

/// Where Entra signs people out is mostly known. When it has to be asked for, the person waits this long at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /_gate/logout`: asks.
pub(super) async fn ask(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
) -> Response {
    match Caller::of(&login.sessions, &exchange.origin, &headers).await {
        Ok(caller) if caller.session.is_some() => question(&exchange, &caller),
        Ok(caller) if exchange.app.is_some() => {
            tidy(&caller, redirect(&login.public.url("/_gate/logout")))
        }
        Ok(caller) => tidy(&caller, after(&exchange, SignedOut::Everywhere)),
        Err(error) => Trouble::from(error).answer(&exchange),
    }
}

/// `POST /_gate/logout`: ends the session with everything that hangs on it.
pub(super) async fn sign_out(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let caller = match Caller::of(&login.sessions, &exchange.origin, &headers).await {
        Ok(caller) => caller,
        // Whose it is can't be told; this browser at least forgets it.
        Err(error) => return forgotten(&exchange, Trouble::from(error).answer(&exchange)),
    };
    let Some(session) = &caller.session else {
        return tidy(&caller, after(&exchange, login.reach(&exchange)));
    };
    if let Err(check) = form::check((&exchange, &caller), &headers, body).await {
        let refusal = Refusal::ForgedForm { check };
        return login.refuser.refuse(Refused::from(&*exchange), refusal).await;
    }
    login.end(&exchange, session).await
}

/// `GET /_gate/signed-out`: where Entra sends the browser after its own sign-out.
///
/// What comes along in the address (`state` or anything else) is not looked at, for anybody can make one. The page says
/// what is true here: whoever is still signed in, or again, is asked instead.
pub(super) async fn signed_out(
    state: State<Arc<Login>>,
    exchange: Extension<Arc<Exchange>>,
    headers: HeaderMap,
) -> Response {
    ask(state, exchange, headers).await
}

impl Login {
    /// The form can't lead to the gate's own host itself: `form-action` holds for redirects too.
    fn reach(&self, exchange: &Exchange) -> SignedOut {
        match (&exchange.app, Link::parse(&self.public.url("/_gate/logout"))) {
            (Some(_), Ok(gate)) => SignedOut::HereOnly(gate),
            (Some(_), Err(_)) | (None, _) => SignedOut::Everywhere,
        }
    }

    /// The cookie goes whatever happens, so that this browser at least is signed out. What Entra is told is read while
    /// there is a session; Entra is asked once there is none.
    async fn end(&self, exchange: &Exchange, session: &Session) -> Response {
        let hint = self.hint(session).await.unwrap_or(SignOutHint::Nobody);
        let actor = session.principal.subject().cloned().map_or(Actor::Gate, Actor::Subject);
        let response = match self.sessions.end(&session.id, SessionEnd::SignedOut, actor).await {
            Ok(_) => after(exchange, SignedOut::Ended(self.provider(&hint).await)),
            Err(error) => Trouble::from(error).answer(exchange),
        };
        forgotten(exchange, response)
    }

    /// Entra's own sign-out; none when Entra can't be asked for its address.
    async fn provider(&self, hint: &SignOutHint) -> Option<Link> {
        match timeout(PATIENCE, self.idp.sign_out_url(hint)).await {
            Ok(Ok(url)) => Link::parse(&url).ok(),
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "The address for signing out at Entra can't be had.");
                None
            }
            Err(_) => {
                tracing::warn!("The address for signing out at Entra did not come in time.");
                None
            }
        }
    }

    /// The `login_hint`, else the ID token: that one is long and full of names, and so a last resort.
    async fn hint(&self, session: &Session) -> Result<SignOutHint, SessionError> {
        let stored = self.sessions.find(&session.id).await?;
        if let Some(hint) = stored.and_then(|stored| stored.login_hint) {
            return Ok(SignOutHint::Login(hint));
        }
        let token = self.sessions.id_token(&session.id).await?;
        Ok(token.map_or(SignOutHint::Nobody, SignOutHint::IdToken))
    }
}

fn question(exchange: &Exchange, caller: &Caller) -> Response {
    let Ok(mut frame) = Frame::new("Sign out") else { return fault(exchange, &Fault::unready()) };
    frame.person = PersonName::of(&caller.principal);
    frame.csrf = caller.csrf().map(|token| token.as_str().to_owned().into());
    let (action, back) = (Link::path(&["_gate", "logout"]), Link::path(&[""]));
    page::still(StatusCode::OK, &SignOutPage { frame, action, back })
}

fn after(exchange: &Exchange, reach: SignedOut) -> Response {
    let Ok(frame) = Frame::new("Signed out") else { return fault(exchange, &Fault::unready()) };
    let again = Link::path(&[""]);
    page::still(StatusCode::OK, &SignedOutPage { frame, reach, again, hint: HELD_AT_MICROSOFT })
}

/// Nothing of the session stays in this browser.
fn forgotten(exchange: &Exchange, mut response: Response) -> Response {
    let clear = HeaderName::from_static("clear-site-data");
    let what = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert(clear, what);
    with_cookies(response, [Cookie::Session.clear(&exchange.origin)])
}

fn tidy(caller: &Caller, mut response: Response) -> Response {
    caller.tidy(response.headers_mut());
    response
}
