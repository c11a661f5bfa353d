//! Answers for requests that end badly: a page for people, JSON for programs, each with an id to quote.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::contact::Contact;
use super::headers;
use super::link::Link;
use super::moment::Moment;
use super::page::{self, Frame, PersonName};
use super::pages::{Action, ErrorPage, Reference};
use super::wants::Wants;
use crate::authz::path::{LONGEST_PATH, PathRefusal};
use crate::model::id::{DecisionId, RequestId};
use crate::model::record::Refusal;
use crate::model::time::Timestamp;

/// What went wrong, said for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The HTTP status.
    pub status: StatusCode,
    /// A fixed word for programs: `unknown_host`.
    pub code: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What happened, in one sentence.
    pub sentence: String,
    /// What to do about it.
    pub advice: &'static str,
}

/// What a page that says what went wrong leads on to. Who is known to nobody is told of no way.
#[derive(Debug, Clone, Default)]
pub struct Onward {
    /// Who is signed in.
    pub person: Option<PersonName>,
    /// The main way on.
    pub action: Option<Action>,
    /// The portal.
    pub home: Option<Link>,
    /// Whom to ask.
    pub contact: Option<Contact>,
}

/// What the reader quotes when asking for help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quote {
    /// A record in the log.
    Decision(DecisionId),
    /// The exchange, where there is no record to name.
    Request(RequestId),
}

impl Quote {
    fn reference(&self) -> Reference {
        match self {
            Self::Decision(id) => Reference { label: "Decision", id: id.to_string() },
            Self::Request(id) => Reference { label: "Request", id: id.to_string() },
        }
    }

    /// The word before it in a sentence.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Decision(_) => "decision",
            Self::Request(_) => "request",
        }
    }

    /// The member of JSON answers.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Decision(_) => "decision_id",
            Self::Request(_) => "request_id",
        }
    }

    /// The id as text.
    pub fn id(&self) -> String {
        self.reference().id
    }
}

impl Fault {
    /// 503: the log can't take the record, so nothing is let through.
    pub fn unrecorded() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "not_recorded",
            title: "Nothing can be opened right now",
            sentence: "Every request must be on record before it is answered, and the record could not be kept.".into(),
            advice: "Try again in a moment. If this stays, tell the people who run this service.",
        }
    }

    /// 503: sessions can't be read, so nobody can be recognised.
    pub fn unready() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "not_ready",
            title: "Nobody can be recognised right now",
            sentence: "The sessions could not be read, so the gate can't tell who you are.".into(),
            advice: "Try again in a moment. If this stays, tell the people who run this service.",
        }
    }

    /// 502: the app's own server can't be reached or broke off.
    pub fn upstream_down() -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            code: "upstream_failed",
            title: "The app does not answer",
            sentence: "Your request was allowed, but the app behind the gate could not be reached."
                .into(),
            advice: "Try again in a moment. If this stays, tell the people who run the app.",
        }
    }

    /// 504: the app's own server took too long.
    pub fn upstream_slow() -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            code: "upstream_timeout",
            title: "The app takes too long",
            sentence:
                "Your request was allowed, but the app behind the gate did not answer in time."
                    .into(),
            advice: "Try again in a moment. If this stays, tell the people who run the app.",
        }
    }

    /// 502: the app can't be told who asks, so the request is not passed on.
    pub fn not_introduced() -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            code: "not_introduced",
            title: "The app can't be told who you are",
            sentence: "Your request was allowed, but what the app must know of you does not fit into a request.".into(),
            advice: "Tell the people who run this service, and give them the decision id.",
        }
    }

    /// 404: there is no such page of ours.
    pub fn no_page() -> Self {
        Self::of(&Refusal::NotFound)
    }

    /// The answer to a request that was refused before anything could be decided.
    pub fn of(refusal: &Refusal) -> Self {
        let (status, code, title, sentence, advice) = words(refusal);
        Self { status, code, title, sentence, advice }
    }

    /// The answer in the form that the client can use.
    pub fn answer(&self, wants: Wants, quote: &Quote, at: Timestamp) -> Response {
        self.answer_with(wants, (quote, at), Onward::default())
    }

    /// The same with a way on.
    pub fn answer_with(
        &self,
        wants: Wants,
        (quote, at): (&Quote, Timestamp),
        onward: Onward,
    ) -> Response {
        let mut response = match wants {
            Wants::Page => self.page((quote, at), onward),
            Wants::Data | Wants::Htmx => self.data(quote),
        };
        self.say_more(response.headers_mut());
        response
    }

    fn page(&self, (quote, at): (&Quote, Timestamp), onward: Onward) -> Response {
        let Ok(mut frame) = Frame::new(self.title) else { return self.data(quote) };
        frame.person = onward.person;
        let page = ErrorPage {
            frame,
            status: self.status.as_u16(),
            sentence: quoted(&self.sentence),
            advice: Some(quoted(self.advice)),
            action: onward.action,
            home: onward.home,
            reference: quote.reference(),
            code: Some(self.code),
            at: Moment::new(at),
            contact: onward.contact,
        };
        page::quoting(self.status, &page.frame, &page)
    }

    fn data(&self, quote: &Quote) -> Response {
        let body = json!({ "error": self.code, "message": self.sentence, quote.key(): quote.id() });
        let mut response = (self.status, Json(body)).into_response();
        seal(response.headers_mut());
        response
    }

    /// Headers that a status calls for (RFC 9110 sections 10.2.3 and 15.5.6, RFC 6750 section 3).
    fn say_more(&self, headers: &mut HeaderMap) {
        if self.status == StatusCode::TOO_MANY_REQUESTS || self.code == "token_unsettled" {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let methods = HeaderValue::from_static("GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE");
            headers.insert(header::ALLOW, methods);
        }
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
    }

    /// What a client with a token has to know (RFC 6750 section 3.1). Our codes for it are the RFC's; our sentences are
    /// ASCII without quotes, as `error_description` wants.
    fn challenge(&self) -> Option<HeaderValue> {
        ["invalid_request", "invalid_token", "insufficient_scope"]
            .contains(&self.code)
            .then_some(())?;
        let (error, description) = (self.code, &self.sentence);
        let challenge = format!(
            "Bearer realm=\"cedargate\", error=\"{error}\", error_description=\"{description}\""
        );
        let plain = HeaderValue::from_static("Bearer realm=\"cedargate\"");
        Some(HeaderValue::from_str(&challenge).unwrap_or(plain))
    }
}

/// For people: what stands between backticks, as programs read it, between quotation marks.
fn quoted(text: &str) -> String {
    let mut marks = ['“', '”'].into_iter().cycle();
    let mark = |c: char| if c == '`' { marks.next().unwrap_or(c) } else { c };
    text.chars().map(mark).collect()
}

/// Status, word, heading, sentence and advice.
type Words = (StatusCode, &'static str, &'static str, String, &'static str);

#[expect(clippy::too_many_lines, reason = "one table of words, a row for each refusal")]
fn words(refusal: &Refusal) -> Words {
    match refusal {
        Refusal::UnknownHost => (
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "Nothing is served under this name",
            "No app behind this gate has this host name.".to_owned(),
            "Check the address for a typing mistake.",
        ),
        Refusal::AmbiguousHost => (
            StatusCode::BAD_REQUEST,
            "ambiguous_host",
            "The host can't be read",
            "The request names no host, more than one, or one with characters that no host name has."
                .to_owned(),
            "Ask for the page again through its ordinary address.",
        ),
        Refusal::AmbiguousPath { rule } => (
            StatusCode::BAD_REQUEST,
            "ambiguous_path",
            "The address can't be read in one way only",
            match PathRefusal::by_rule(rule) {
                Some(refusal) => format!("Programs may read it differently: {refusal}."),
                None => "Programs may read it differently.".to_owned(),
            },
            "Follow a link of the app instead of typing the address.",
        ),
        Refusal::TooLong => (
            StatusCode::URI_TOO_LONG,
            "target_too_long",
            "The address is too long",
            format!("Its path is longer than the {LONGEST_PATH} bytes that pass this gate."),
            "Shorten it, or follow a link of the app instead of typing the address.",
        ),
        Refusal::BadHeaders { problem } => (
            StatusCode::BAD_REQUEST,
            "bad_headers",
            "The request contradicts itself",
            format!("Its headers were refused: {problem}."),
            "If a program sent it, mend the program; a browser never sends this.",
        ),
        Refusal::UnreadableToken { problem } => (
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "The request can't be told whose it is",
            format!("It was refused because {problem}."),
            "Send one header: `Authorization: Bearer`, a space, and the access token.",
        ),
        Refusal::BadToken { problem } => (
            StatusCode::UNAUTHORIZED,
            "invalid_token",
            "The token is not accepted",
            format!("The request was refused because its token {problem}."),
            "Get a new access token for this gate from Entra. In a browser, sign in instead.",
        ),
        Refusal::InsufficientScope { problem } => (
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "The token opens nothing here",
            format!("The request was refused because its token {problem}."),
            "Let an administrator of the tenant give its client what it lacks, then get a new token.",
        ),
        Refusal::UnsettledToken { problem } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "token_unsettled",
            "The token can't be checked right now",
            format!("Nothing was opened because the token {problem}."),
            "Try again in a moment. If this stays, tell the people who run this service.",
        ),
        Refusal::NotFound => (
            StatusCode::NOT_FOUND,
            "not_found",
            "There is no such page",
            "Nothing is kept at this address.".to_owned(),
            "Check the address for a typing mistake.",
        ),
        Refusal::MethodNotAllowed => (
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This method is not forwarded",
            "Only GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE pass this gate.".to_owned(),
            "Use one of these methods.",
        ),
        Refusal::TooMany => (
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Too many refused requests",
            "Many requests from you were refused within a short time.".to_owned(),
            "Wait a few seconds, then try again.",
        ),
        Refusal::ForgedForm { check } => (
            StatusCode::FORBIDDEN,
            "forged_form",
            "This form was not sent by our page",
            format!("The form was refused, and nothing was changed: {check}."),
            "Open the page again and send the form from there.",
        ),
    }
}

/// Headers that go with every answer of ours that is not a page.
pub fn seal(headers: &mut HeaderMap) {
    headers::harden(headers);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
