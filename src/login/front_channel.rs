//! `GET /_gate/frontchannel-logout` on Cedargate's own host: Entra says that somebody signed out there
//! (OpenID Connect Front-Channel Logout 1.0).
//!
//! Entra's sign-out page loads this address in a hidden frame. Browsers send no cookies of ours into it, since it is a
//! third party there; so the session is not found by a cookie but by `sid`, which the ID token named, and it ends on the
//! server with all its app hosts. Entra sends no `iss`; one that comes must be right.
//!
//! Anybody who knows a `sid` can call this, and can do nothing with it but sign that person out. A `sid` that is not known
//! is answered like one that is, so that none can be probed for, and costs its sender a token of the flood control.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::Login;
use super::answers::{fault, only_get};
use super::query::{Query, Twice};
use super::trouble::Trouble;
use crate::idp::IdpError;
use crate::model::id::ObjectId;
use crate::session::SessionError;
use crate::web::exchange::Exchange;
use crate::web::fault::{Fault, seal};
use crate::web::flood::Source;
use crate::web::headers::allow_framing_by;

/// Why a call can't be obeyed.
enum Refusal {
    /// It is not one that Entra makes.
    Malformed(&'static str),
    /// Whether the issuer is ours can't be told now.
    Issuer(IdpError),
    /// The sessions can't be ended or the end not recorded.
    Sessions(SessionError),
}

/// Ends every session that began in the session of Entra that `sid` names.
pub(super) async fn end(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
) -> Response {
    if let Some(refused) = only_get(&exchange) {
        return refused;
    }
    let ended = login.end_named(&Query::parse(exchange.query.as_deref())).await;
    if !matches!(ended, Ok(1..))
        && let Some(turned_away) = login.held_back(&exchange)
    {
        return turned_away;
    }
    match ended {
        Ok(_) => login.heard(),
        Err(Refusal::Malformed(problem)) => fault(&exchange, &malformed(problem)),
        Err(Refusal::Issuer(error)) => {
            tracing::warn!(request.id = %exchange.facts.request, error = %error, "A sign-out at Entra could not be checked.");
            fault(&exchange, &Fault::unready())
        }
        Err(Refusal::Sessions(error)) => Trouble::from(error).answer(&exchange),
    }
}

impl Login {
    /// Only what ends nothing can be a guess: Entra says it once, and a neighbour's flood must not drown it.
    fn held_back(&self, exchange: &Exchange) -> Option<Response> {
        let source = Source::Address(exchange.facts.client);
        let turned_away = self.refuser.turn_away(source.clone(), exchange);
        if turned_away.is_none() {
            self.refuser.charge(source, exchange.at);
        }
        turned_away
    }

    /// How many sessions ended.
    async fn end_named(&self, query: &Query<'_>) -> Result<usize, Refusal> {
        let twice = |Twice| Refusal::Malformed("a parameter came twice");
        let (sid, issuer) = (query.one("sid").map_err(twice)?, query.one("iss").map_err(twice)?);
        let sid: ObjectId = sid
            .and_then(|sid| sid.parse().ok())
            .ok_or(Refusal::Malformed("`sid` must be there, and be a GUID"))?;
        if let Some(issuer) = issuer
            && !self.idp.is_issuer(issuer).await.map_err(Refusal::Issuer)?
        {
            return Err(Refusal::Malformed("`iss` names another issuer"));
        }
        self.sessions.end_all_of_entra(&sid).await.map_err(Refusal::Sessions)
    }

    /// 200 whether there was such a session or not.
    fn heard(&self) -> Response {
        let mut response = Response::new(Body::from("Signed out.\n"));
        let headers = response.headers_mut();
        seal(headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        allow_framing_by(headers, self.idp.authority());
        response
    }
}

fn malformed(problem: &'static str) -> Fault {
    Fault {
        status: StatusCode::BAD_REQUEST,
        code: "bad_sign_out",
        title: "This sign-out can't be read",
        sentence: format!("The address was refused: {problem}."),
        advice: "Sign out from the page of an app instead.",
    }
}
