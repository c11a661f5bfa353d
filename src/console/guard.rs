//! What stands before every endpoint: who asks, whether a form is ours, whether they may, and the record of it.
//!
//! Each request has exactly one record: the refusal of a forged form, or the decision. Whatever changes something is decided
//! on with the age of the sign-in, here and for all of it at once; whoever comes too late for it signs in again first. A form counts as forged unless the
//! browser says that it comes from this origin, it is sent as forms are, and it carries the token of this session.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Form, FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::authz::console::{ConsoleAction, ConsoleRules, Manner};
use crate::authz::entities::Unusable;
use crate::console::Console;
use crate::model::app::App;
use crate::model::group::PeopleNames;
use crate::model::id::{DecisionId, RouteId};
use crate::model::indexed::IndexedBook;
use crate::model::principal::Principal;
use crate::model::record::{Door, Refusal, Verdict};
use crate::model::route::Route;
use crate::model::session::StepUp;
use crate::publishing::Review;
use crate::session::SessionError;
use crate::store::{Author, StoreError};
use crate::web::caller::Caller;
use crate::web::csrf::check_origin;
use crate::web::doorkeeper::{Judged, Visit};
use crate::web::exchange::Exchange;
use crate::web::fault::Quote;
use crate::web::hx::Hx;
use crate::web::link::Link;
use crate::web::page::{Frame, PersonName};
use crate::web::refuser::Refused;
use crate::web::sign_in::{Proof, at_gate, prove_first, proving};

use super::again::kept::KeptForm;
use super::people;
use super::sections::{self, Section};
use super::showing::Shown;
use super::urls;
use super::{answers, answers::Said};

/// The most that a form may hold: 64 KiB.
const FORM_MAX: usize = 64 * 1024;
/// How browsers send forms.
const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// A request that was let in, its decision on record.
#[derive(Debug)]
pub(super) struct Admitted {
    /// The request.
    pub(super) exchange: Exchange,
    /// Who sent it.
    pub(super) caller: Caller,
    /// The decision.
    pub(super) judged: Judged,
    /// What htmx said of it.
    pub(super) hx: Hx,
    /// The places of the console that this person may see.
    open: Vec<Section>,
    /// Whom people can ask.
    contact: Option<String>,
    uri: Uri,
    /// What the browser of a stream that broke off has seen last.
    resumed: Option<DecisionId>,
    params: BTreeMap<String, String>,
    body: Bytes,
}

impl Admitted {
    /// What an answer to it needs.
    pub(super) fn said(&self) -> Said<'_> {
        let (caller, contact) = (&self.caller, self.contact.as_deref());
        Said { exchange: &self.exchange, caller, contact, id: self.judged.id }
    }

    /// A part of the address; empty when the pattern has none of this name.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The record that the browser of a stream which broke off has seen last.
    pub(super) fn resumed_behind(&self) -> Option<DecisionId> {
        self.resumed
    }

    /// The query, when it holds what `T` names and nothing else.
    ///
    /// # Errors
    /// With the answer, 400.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Box<Response>> {
        let read = Query::try_from_uri(&self.uri);
        read.map(|Query(query)| query).map_err(|_| Box::new(self.said().unreadable()))
    }

    /// The form, when it holds what `T` names and nothing else.
    ///
    /// # Errors
    /// With the answer, 400.
    pub(super) async fn form<T: DeserializeOwned>(&self) -> Result<T, Box<Response>> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = Method::POST;
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM_TYPE));
        let read = Form::from_request(request, &()).await;
        read.map(|Form(form)| form).map_err(|_| Box::new(self.said().unreadable()))
    }

    /// 503, and a line of our own log: rules or records can't be read or written.
    pub(super) fn unavailable(&self, error: &StoreError) -> Response {
        tracing::error!(request.id = %self.exchange.facts.request, error = %error, "The console could not read or write.");
        self.said().unavailable()
    }

    /// 503, and a line of our own log: sessions can't be read or ended.
    pub(super) fn sessions_unavailable(&self, error: &SessionError) -> Response {
        tracing::error!(request.id = %self.exchange.facts.request, error = %error, "Sessions could not be read or ended.");
        self.said().unavailable()
    }

    /// Does work off the threads that answer requests: some questions take the engine seconds.
    ///
    /// # Errors
    /// With the answer, 503, when the question can't be put, or the work breaks off.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Unusable> + Send + 'static,
    ) -> Result<T, Box<Response>> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|error| Box::new(self.cannot_ask(&error))),
            Err(error) => Err(Box::new(self.cannot_ask(&error))),
        }
    }

    /// 503, and a line of our own log: the rules can't answer.
    pub(super) fn cannot_ask(&self, error: &dyn std::fmt::Display) -> Response {
        tracing::error!(request.id = %self.exchange.facts.request, error = %error, "The rules could not be asked.");
        self.said().unavailable()
    }

    /// 404: the address names nothing that is there.
    pub(super) fn no_page(&self) -> Response {
        self.said().no_page()
    }

    /// Whether this person may do something else besides what was asked, for what a page offers.
    pub(super) fn may(&self, console: &Console, action: ConsoleAction) -> bool {
        console.rules.decide(&self.caller.principal, action).verdict == Verdict::Allow
    }

    /// The app that the address names.
    ///
    /// # Errors
    /// With the answer, 404, when there is none.
    pub(super) fn app<'a>(&self, shown: &'a Shown) -> Result<&'a App, Box<Response>> {
        let mut apps = shown.book.apps.iter();
        apps.find(|app| app.id.as_str() == self.param("app"))
            .ok_or_else(|| Box::new(self.no_page()))
    }

    /// The route that the address names; the whole id is looked up, so a route of one app is never found under another.
    ///
    /// # Errors
    /// With the answer, 404, when there is none.
    pub(super) fn route<'a>(&self, shown: &'a Shown) -> Result<&'a Route, Box<Response>> {
        let id: Option<RouteId> =
            format!("{}/{}", self.param("app"), self.param("name")).parse().ok();
        id.and_then(|id| shown.route(&id)).ok_or_else(|| Box::new(self.no_page()))
    }

    /// The rules in force, as pages show them.
    ///
    /// # Errors
    /// With the answer, 503, when they can't be read.
    pub(super) async fn shown(&self, console: &Console) -> Result<Shown, Box<Response>> {
        let loaded = Shown::load(&console.store, &console.groups).await;
        let mut shown = loaded.map_err(|error| Box::new(self.unavailable(&error)))?;
        let people = if self.may(console, ConsoleAction::ReadPeople) {
            people::names(console, &shown).await
        } else {
            Ok(PeopleNames::Short)
        };
        let people = people.map_err(|error| Box::new(self.unavailable(&error)))?;
        shown.names = shown.names.with_people(people);
        shown.discard = self.may(console, ConsoleAction::EditDraft).then(urls::discard);
        Ok(shown)
    }

    /// What a rule book would change.
    ///
    /// # Errors
    /// With the answer, 503, when the database fails.
    pub(super) async fn review(
        &self,
        console: &Console,
        book: Arc<IndexedBook>,
    ) -> Result<Review, Box<Response>> {
        let review = console.publishing.review_of(book, self.author(console)?).await;
        review.map_err(|error| {
            tracing::error!(request.id = %self.exchange.facts.request, error = %error, "A rule book could not be reviewed.");
            Box::new(self.said().unavailable())
        })
    }

    /// This person as the author of a change.
    ///
    /// # Errors
    /// With the answer, 404, for whoever is nobody known; the guard lets none of them in.
    pub(super) fn author(&self, console: &Console) -> Result<Author, Box<Response>> {
        let by = self.caller.principal.subject().ok_or_else(|| Box::new(self.no_page()))?;
        Ok(Author { by: by.to_string(), at: console.clock.now() })
    }

    /// The frame of a console page for this person.
    ///
    /// # Errors
    /// With the answer, 503, when the operating system gives no randomness.
    pub(super) fn frame(&self, title: &str, here: Section) -> Result<Frame, Box<Response>> {
        let mut frame = Frame::new(title).map_err(|error| {
            tracing::error!(error = %error, "A page could not be made.");
            Box::new(self.said().unavailable())
        })?;
        frame.person = PersonName::of(&self.caller.principal);
        frame.csrf = self.caller.csrf().map(|token| SecretString::from(token.as_str()));
        frame.nav = sections::nav(here, &self.open);
        Ok(frame)
    }
}

/// Lets a request in, or gives the answer that keeps it out.
pub(super) async fn admit(
    console: &Console,
    action: ConsoleAction,
    request: Request,
) -> Result<Admitted, Box<Response>> {
    let (mut parts, body) = request.into_parts();
    let exchange = exchange_of(&parts)?;
    let caller = console.doorkeeper.caller(&exchange, &parts.headers).await?;
    let form = Sent::read(&parts.method, body).await;
    check_form(console, (&exchange, &caller), (&parts.headers, &form)).await?;
    let facts = console.rules.facts(&caller.principal);
    let visit = Visit {
        exchange: &exchange,
        caller: &caller,
        door: Door::Console,
        action: action.as_str(),
        console: Some(&facts),
    };
    let manner = Manner::of(&exchange.facts.method, (exchange.at, caller.signed_in_at()));
    let decide = |principal: &Principal, manner| {
        console.rules.decide_on((principal, &facts), (action, manner))
    };
    let judged = console.doorkeeper.judge(visit, |principal| decide(principal, manner)).await?;
    if judged.verdict == Verdict::Deny {
        let then = decide(&caller.principal, manner.proved_now());
        return Err(Box::new(match then.verdict {
            Verdict::Allow => prove_anew(console, (visit, judged), form),
            Verdict::Deny => turn_back(console, visit, judged),
        }));
    }
    let body = match form {
        Sent::Nothing => Bytes::new(),
        Sent::Form(body) => body,
        Sent::TooLarge => {
            let (caller, contact) = (&caller, console.contact());
            let said = Said { exchange: &exchange, caller, contact, id: judged.id };
            return Err(Box::new(said.too_large()));
        }
    };
    let hx = Hx::from_headers(&parts.headers);
    let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let resumed = last.and_then(|id| id.parse().ok());
    let params = params(&mut parts).await;
    let open = open(&console.rules, &caller);
    let contact = console.contact().map(str::to_owned);
    let uri = parts.uri;
    Ok(Admitted { exchange, caller, judged, hx, open, contact, uri, resumed, params, body })
}

/// The places of the console that a person may see; links to the others would only lead to a refusal.
fn open(rules: &ConsoleRules, caller: &Caller) -> Vec<Section> {
    let may = |action| rules.decide(&caller.principal, action).verdict == Verdict::Allow;
    Section::ALL.into_iter().filter(|section| may(section.action())).collect()
}

/// Refuses a method that no endpoint at this address has.
pub(super) async fn refuse_method(console: &Console, exchange: Option<Arc<Exchange>>) -> Response {
    match exchange {
        Some(exchange) => {
            let refused = Refused::from(&for_console(&exchange));
            console.doorkeeper.refuser.refuse(refused, Refusal::MethodNotAllowed).await
        }
        None => answers::unplaced(),
    }
}

/// What came in a request's body.
enum Sent {
    /// Nothing that is read: the method changes nothing.
    Nothing,
    Form(Bytes),
    TooLarge,
}

impl Sent {
    async fn read(method: &Method, body: Body) -> Self {
        if is_safe(method) {
            return Self::Nothing;
        }
        to_bytes(body, FORM_MAX).await.map_or(Self::TooLarge, Self::Form)
    }
}

fn is_safe(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

fn exchange_of(parts: &Parts) -> Result<Exchange, Box<Response>> {
    let exchange = parts.extensions.get::<Arc<Exchange>>();
    exchange.map(|exchange| for_console(exchange)).ok_or_else(|| Box::new(answers::unplaced()))
}

/// The same exchange, recorded as one of the console.
fn for_console(exchange: &Exchange) -> Exchange {
    let mut exchange = exchange.clone();
    exchange.facts.door = Door::Console;
    exchange
}

async fn params(parts: &mut Parts) -> BTreeMap<String, String> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(raw) => raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        Err(_) => BTreeMap::new(),
    }
}

/// Refuses a form of somebody signed in that our own page did not send. Nobody else has forms here: they are denied.
async fn check_form(
    console: &Console,
    (exchange, caller): (&Exchange, &Caller),
    (headers, form): (&HeaderMap, &Sent),
) -> Result<(), Box<Response>> {
    let body = match form {
        Sent::Nothing => return Ok(()),
        Sent::Form(body) => Some(body),
        Sent::TooLarge => None,
    };
    let Some(token) = caller.csrf() else { return Ok(()) };
    let checked = check_origin(&console.doorkeeper.public, headers)
        .and_then(|()| check_type(headers))
        .and_then(|()| match body {
            Some(body) => token.check(presented(headers, body).as_deref()),
            // What was not read changes nothing; it is decided on and answered 413.
            None => Ok(()),
        });
    match checked {
        Ok(()) => Ok(()),
        Err(check) => {
            let refused = Refused::from(exchange);
            let refusal = Refusal::ForgedForm { check };
            Err(Box::new(console.doorkeeper.refuser.refuse(refused, refusal).await))
        }
    }
}

/// Other types than that of forms can be sent to any site without asking it first.
fn check_type(headers: &HeaderMap) -> Result<(), &'static str> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|line| line.to_str().ok());
    let kind = given.unwrap_or("").split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case(FORM_TYPE).then_some(()).ok_or("not sent as a form")
}

/// The token that a request carries: in its header, else in its form.
fn presented(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if let Some(line) = headers.get("x-csrf-token") {
        return line.to_str().ok().map(str::to_owned);
    }
    let mut fields = form_urlencoded::parse(body);
    fields.find(|(name, _)| name == "_csrf").map(|(_, value)| value.into_owned())
}

/// How old the proof may be that somebody comes back with: young enough to leave them time for what they came for.
const NEW_PROOF: Duration = Duration::from_mins(30);

/// The answer to somebody whose sign-in is too old for a change: to Entra, and back to what they sent, which is kept for
/// them and never sent by itself.
fn prove_anew(console: &Console, (visit, judged): (Visit<'_>, Judged), form: Sent) -> Response {
    let Visit { exchange, caller, .. } = visit;
    if let (Sent::Form(body), Some(session)) = (form, &caller.session)
        && let Ok(place) = Link::parse(&exchange.target())
    {
        let (id, session, at) = (judged.id, session.id.clone(), exchange.at);
        console.kept.keep(KeptForm { id, session, place, body, at });
    }
    let asked = StepUp { context: None, max_age: Some(NEW_PROOF) };
    let step_up = asked.to_string();
    let back = urls::again(&judged.id);
    let url = proving(at_gate(Some(back.as_str())), &step_up);
    let url = console.doorkeeper.public.url(url.as_str());
    let proof = Proof { url: &url, step_up: &step_up, asked: &asked };
    prove_first(exchange.wants, proof, &Quote::Decision(judged.id))
}

/// The answer to a deny: sign in first, or no.
fn turn_back(console: &Console, visit: Visit<'_>, judged: Judged) -> Response {
    let Visit { exchange, caller, .. } = visit;
    if caller.principal.is_known() {
        let contact = console.contact();
        return Said { exchange, caller, contact, id: judged.id }.forbidden(judged.reason);
    }
    let asks = exchange.facts.method == "GET" || exchange.facts.method == "HEAD";
    // A form can't be sent again after signing in.
    let back = if asks { exchange.target() } else { urls::home().to_string() };
    let mut response = console.doorkeeper.sign_in_first(exchange, &back, judged.id);
    caller.tidy(response.headers_mut());
    response
}
