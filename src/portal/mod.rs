//! What end users see: their access and their sessions.
//!
//! The portal opens nothing by itself. It shows a person what concerns them and nothing else, ends sessions that are their own,
//! and that it did so is on record like any other answer: as a decision of this door, with the action `portal`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::form_urlencoded;

use crate::authz::console::{ConsoleRules, PORTAL, everyone_known};
use crate::groups::Groups;
use crate::model::id::DecisionId;
use crate::model::record::{Door, Refusal, Verdict};
use crate::session::SessionError;
use crate::web::caller::Caller;
use crate::web::contact::Contact;
use crate::web::doorkeeper::{Doorkeeper, Visit};
use crate::web::exchange::Exchange;
use crate::web::fault::{Fault, Onward, Quote, seal};
use crate::web::form;
use crate::web::headers::NonceError;
use crate::web::link::Link;
use crate::web::page::{self, Frame, PersonName};
use crate::web::refuser::Refused;

use self::sessions::Which;

mod access;
pub mod home;
mod notices;
pub mod sessions;
mod words;

#[cfg(test)]
mod tests;

/// Characters of a field of a query that are looked at.
const LONGEST_FIELD: usize = 100;

/// The portal and all it was given.
#[derive(Debug)]
pub struct Portal {
    /// Who asks, and the record of it.
    pub doorkeeper: Doorkeeper,
    /// Who may use the console.
    pub rules: Arc<ConsoleRules>,
    /// What groups are called.
    pub groups: Groups,
    /// Whom to ask for access.
    pub contact: Option<String>,
}

/// What somebody wants of the portal.
enum Wish {
    Home,
    Sessions,
    AskBefore(Which),
    End(String),
    EndOthers,
    ReadGroups,
}

impl Wish {
    /// Where somebody who has to sign in first comes back to.
    fn page(&self) -> &'static str {
        match self {
            Self::Home | Self::ReadGroups => "/",
            Self::Sessions | Self::AskBefore(_) | Self::End(_) | Self::EndOthers => "/sessions",
        }
    }
}

/// A request to the portal.
#[derive(Clone, Copy)]
struct Asked<'a> {
    exchange: &'a Exchange,
    caller: &'a Caller,
    contact: Option<&'a str>,
    id: DecisionId,
}

impl Portal {
    /// The portal's endpoints. Each request must carry its `Arc<Exchange>` as an extension.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/sessions", get(own_sessions))
            .route("/sessions/others/end", get(ask_for_others).post(end_others))
            .route("/sessions/{id}/end", get(ask_for_one).post(end_one))
            .route("/groups/read", post(read_groups))
            .with_state(Arc::new(self))
    }

    async fn answer(
        &self,
        (exchange, headers): (&Exchange, &HeaderMap),
        wish: Wish,
        form: Option<Body>,
    ) -> Response {
        let caller = match self.doorkeeper.caller(exchange, headers).await {
            Ok(caller) => caller,
            Err(refused) => return *refused,
        };
        let mut response = match self.admit((exchange, headers), (&caller, &wish), form).await {
            Ok(id) => {
                let contact = self.contact.as_deref();
                self.fulfil(Asked { exchange, caller: &caller, contact, id }, wish).await
            }
            Err(refused) => *refused,
        };
        caller.tidy(response.headers_mut());
        response
    }

    /// Lets a request in, its decision on record, or gives the answer that keeps it out.
    async fn admit(
        &self,
        (exchange, headers): (&Exchange, &HeaderMap),
        (caller, wish): (&Caller, &Wish),
        form: Option<Body>,
    ) -> Result<DecisionId, Box<Response>> {
        if let Some(body) = form.filter(|_| caller.session.is_some())
            && let Err(check) = form::check((exchange, caller), headers, body).await
        {
            let (refused, refusal) = (Refused::from(exchange), Refusal::ForgedForm { check });
            return Err(Box::new(self.doorkeeper.refuser.refuse(refused, refusal).await));
        }
        let visit = Visit { exchange, caller, door: Door::Own, action: PORTAL, console: None };
        let judged = self.doorkeeper.judge(visit, everyone_known).await?;
        match judged.verdict {
            Verdict::Allow => Ok(judged.id),
            Verdict::Deny => {
                let answer = self.doorkeeper.sign_in_first(exchange, wish.page(), judged.id);
                Err(Box::new(answer))
            }
        }
    }

    async fn fulfil(&self, asked: Asked<'_>, wish: Wish) -> Response {
        let done = match wish {
            Wish::Home => self.home(asked).await,
            Wish::Sessions => self.sessions(asked).await,
            Wish::AskBefore(which) => self.ask_before(asked, &which).await,
            Wish::End(id) => self.end(asked, &id).await,
            Wish::EndOthers => sessions::end_others(self, asked.caller)
                .await
                .map(|()| done(&wish, "others"))
                .map_err(Unshown::from),
            Wish::ReadGroups => self.read_groups(asked).await,
        };
        done.unwrap_or_else(|error| {
            tracing::error!(request.id = %asked.exchange.facts.request, error = %error, "The portal could not answer.");
            asked.fault(&Fault::unready())
        })
    }

    async fn home(&self, asked: Asked<'_>) -> Result<Response, Unshown> {
        let page = access::page(self, (asked.exchange, asked.caller)).await?;
        Ok(page::still(StatusCode::OK, &page))
    }

    async fn sessions(&self, asked: Asked<'_>) -> Result<Response, Unshown> {
        let frame = frame("My sessions", (asked.exchange, asked.caller))?;
        let page = sessions::page(self, asked.caller, frame).await?;
        Ok(match page {
            Some(page) => page::still(StatusCode::OK, &page),
            None => asked.fault(&Fault::no_page()),
        })
    }

    async fn ask_before(&self, asked: Asked<'_>, which: &Which) -> Result<Response, Unshown> {
        let frame = frame("End sessions", (asked.exchange, asked.caller))?;
        let page = sessions::ending(self, asked.caller, (frame, which)).await?;
        Ok(match page {
            Some(page) => page::still(StatusCode::OK, &page),
            None => asked.fault(&Fault::no_page()),
        })
    }

    async fn end(&self, asked: Asked<'_>, id: &str) -> Result<Response, Unshown> {
        let ended = sessions::end(self, asked.caller, id).await?;
        let wish = Wish::Sessions;
        Ok(if ended { done(&wish, "ended") } else { asked.fault(&Fault::no_page()) })
    }

    async fn read_groups(&self, asked: Asked<'_>) -> Result<Response, Unshown> {
        let Some(session) = &asked.caller.session else {
            return Ok(asked.fault(&Fault::no_page()));
        };
        let reading = self.doorkeeper.sessions.read_again(&session.id).await?;
        Ok(done(&Wish::Home, notices::word(reading)))
    }
}

impl Asked<'_> {
    fn fault(self, fault: &Fault) -> Response {
        let quote = Quote::Decision(self.id);
        let onward = Onward {
            person: PersonName::of(&self.caller.principal),
            action: None,
            home: Some(Link::path(&[])),
            contact: self.contact.map(|contact| Contact::new(contact, "Access")),
        };
        fault.answer_with(self.exchange.wants, (&quote, self.exchange.at), onward)
    }
}

/// Why an answer can't be given.
#[derive(Debug, thiserror::Error)]
enum Unshown {
    /// Sessions can't be read or ended.
    #[error("sessions could not be read or changed: {0}")]
    Session(#[from] SessionError),
    /// What somebody may open can't be found out.
    #[error("the rules could not be asked: {0}")]
    Rules(#[from] tokio::task::JoinError),
    /// There is no randomness.
    #[error(transparent)]
    Nonce(#[from] NonceError),
}

/// The frame of a page for this person, with what was done just before.
fn frame(title: &str, (exchange, caller): (&Exchange, &Caller)) -> Result<Frame, NonceError> {
    let mut frame = Frame::new(title)?;
    frame.person = PersonName::of(&caller.principal);
    frame.csrf = caller.csrf().map(|token| token.as_str().to_owned().into());
    frame.notice = notices::of(&field(exchange, "done"));
    Ok(frame)
}

/// 303 to the page of a wish, which says what was done (RFC 9110 section 15.4.4).
fn done(wish: &Wish, word: &'static str) -> Response {
    let place = HeaderValue::from_str(&format!("{}?done={word}", wish.page()));
    let place = place.unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response();
    seal(response.headers_mut());
    response
}

/// A field of the query, as far as a person can have typed it; empty when there is none.
fn field(exchange: &Exchange, wanted: &str) -> String {
    let query = exchange.query.as_deref().unwrap_or("");
    let mut fields = form_urlencoded::parse(query.as_bytes());
    let text = fields.find(|(name, _)| name == wanted).map(|(_, text)| text).unwrap_or_default();
    text.trim().chars().take(LONGEST_FIELD).collect()
}

type Parts = (State<Arc<Portal>>, Extension<Arc<Exchange>>, HeaderMap);

async fn home(parts: Parts) -> Response {
    look(parts, Wish::Home).await
}

async fn own_sessions(parts: Parts) -> Response {
    look(parts, Wish::Sessions).await
}

async fn ask_for_others(parts: Parts) -> Response {
    look(parts, Wish::AskBefore(Which::Others)).await
}

async fn ask_for_one(parts: Parts, Path(id): Path<String>) -> Response {
    look(parts, Wish::AskBefore(Which::One(id))).await
}

async fn end_others(parts: Parts, body: Body) -> Response {
    change(parts, Wish::EndOthers, body).await
}

async fn end_one(parts: Parts, Path(id): Path<String>, body: Body) -> Response {
    change(parts, Wish::End(id), body).await
}

async fn read_groups(parts: Parts, body: Body) -> Response {
    change(parts, Wish::ReadGroups, body).await
}

async fn look((State(portal), Extension(exchange), headers): Parts, wish: Wish) -> Response {
    portal.answer((&exchange, &headers), wish, None).await
}

async fn change(
    (State(portal), Extension(exchange), headers): Parts,
    wish: Wish,
    body: Body,
) -> Response {
    portal.answer((&exchange, &headers), wish, Some(body)).await
}
