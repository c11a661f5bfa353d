//! Answers of the console that are no page of its own: refused, not there, not readable, not now.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::model::id::DecisionId;
use crate::model::record::Reason;
use crate::web::caller::Caller;
use crate::web::contact::Contact;
use crate::web::exchange::Exchange;
use crate::web::fault::{Fault, Onward, Quote, seal};
use crate::web::hx::HxOut;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, Notice, PersonName, Tone};
use crate::web::pages::{Action, DeniedPage, NoticeFragment, Reference};
use crate::web::wants::Wants;

use super::urls;

/// An answer, or one that comes instead.
pub(super) type Answer = Result<Response, Box<Response>>;

/// What an answer needs: the request, who sent it, whom they can ask, and its decision to quote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) caller: &'a Caller,
    pub(super) contact: Option<&'a str>,
    pub(super) id: DecisionId,
}

impl Said<'_> {
    /// 404: nothing is kept at this address.
    pub(super) fn no_page(self) -> Response {
        self.fault(&Fault::no_page())
    }

    /// 409: what a form was to change is gone, with the page that could show the form again. `how` is the beginning of a
    /// sentence.
    pub(super) fn gone(self, how: &str) -> Response {
        self.fault(&Fault {
            status: StatusCode::CONFLICT,
            code: "removed_meanwhile",
            title: "It was removed meanwhile",
            sentence: format!("{how}, so nothing was saved."),
            advice: "What you typed is still there when you go back. Ask whoever removed it, or undo the removal in the draft, then send the form again.",
        })
    }

    /// 400: a query or form that no page of ours sends.
    pub(super) fn unreadable(self) -> Response {
        self.fault(&Fault {
            status: StatusCode::BAD_REQUEST,
            code: "bad_form",
            title: "The form can't be read",
            sentence: "It holds fields that this page does not have, lacks some, or has one twice. Nothing was changed."
                .to_owned(),
            advice: "Open the page again and send the form from there.",
        })
    }

    /// 413: a form that is longer than any of ours.
    pub(super) fn too_large(self) -> Response {
        self.fault(&Fault {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: "form_too_large",
            title: "The form is too long",
            sentence:
                "It is longer than any form of this console, and was not read. Nothing was changed."
                    .to_owned(),
            advice: "Shorten what you typed, then send it again.",
        })
    }

    /// 410: somebody was about to end a session that had ended; back leads to the list that they came from.
    pub(super) fn session_ended(self, name: &str, back: Link) -> Response {
        let fault = Fault {
            status: StatusCode::GONE,
            code: "session_ended",
            title: "That session has ended already",
            sentence: format!("The session of {name} has ended."),
            advice: "Nothing is left to do.",
        };
        let label = "Back to the sessions".to_owned();
        self.fault_with(&fault, Action { link: back, label })
    }

    /// 503: rules or log can't be read or written.
    pub(super) fn unavailable(self) -> Response {
        self.fault(&Fault {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "not_ready",
            title: "The console can't work right now",
            sentence: "The rules or the log could not be read or written. Nothing was changed."
                .to_owned(),
            advice: "Try again in a moment. If this stays, tell the people who run this service.",
        })
    }

    /// In the form that the client can use; htmx gets a notice, so that what was typed stays where it is.
    fn fault(self, fault: &Fault) -> Response {
        let label = "Back to the console".to_owned();
        self.fault_with(fault, Action { link: urls::home(), label })
    }

    fn fault_with(self, fault: &Fault, action: Action) -> Response {
        let Self { exchange, id, .. } = self;
        match exchange.wants {
            Wants::Htmx => {
                self.notice(fault.status, format!("{} {}", fault.sentence, fault.advice))
            }
            Wants::Page | Wants::Data => {
                let onward = Onward {
                    person: PersonName::of(&self.caller.principal),
                    action: Some(action),
                    home: None,
                    contact: self.help(),
                };
                fault.answer_with(exchange.wants, (&Quote::Decision(id), exchange.at), onward)
            }
        }
    }

    fn help(self) -> Option<Contact> {
        self.contact.map(|contact| Contact::new(contact, "Cedargate"))
    }

    /// 403 for somebody signed in.
    pub(super) fn forbidden(self, reason: Reason) -> Response {
        match self.exchange.wants {
            Wants::Page => self.denied_page(reason).unwrap_or_else(|| self.denied_data(reason)),
            Wants::Data => self.denied_data(reason),
            Wants::Htmx => self.notice(StatusCode::FORBIDDEN, why(reason).to_owned()),
        }
    }

    fn denied_data(self, reason: Reason) -> Response {
        let body = json!({ "error": "forbidden", "reason": reason.as_str(), "decision_id": self.id.to_string() });
        let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
        seal(response.headers_mut());
        response
    }

    /// None when the operating system gives no randomness for a nonce.
    fn denied_page(self, reason: Reason) -> Option<Response> {
        let Self { exchange, caller, id, .. } = self;
        let mut frame = Frame::new("Access denied").ok()?;
        frame.person = PersonName::of(&caller.principal);
        let page = DeniedPage {
            frame,
            what: "this part of the console".to_owned(),
            limit: "",
            why: why(reason).to_owned(),
            advice: Some(
                "Console roles are given in the settings of this gate, by the people who run it."
                    .to_owned(),
            ),
            missing: None,
            tone: Tone::Plain,
            action: None,
            switch: None,
            home: Some(Link::path(&[])),
            address: format!("{}{}", exchange.origin.authority(), exchange.facts.path),
            decision: id,
            at: Moment::new(exchange.at),
            contact: self.help(),
        };
        Some(page::quoting(StatusCode::FORBIDDEN, &page.frame, &page))
    }

    /// A notice beside what htmx was about to replace.
    fn notice(self, status: StatusCode, text: String) -> Response {
        let Ok(frame) = Frame::new("Notice") else { return status.into_response() };
        let reference = Some(Reference { label: "Decision", id: self.id.to_string() });
        let fragment = NoticeFragment { notice: Notice { tone: Tone::Bad, text }, reference };
        let hx = HxOut::new().retarget("#notices").reswap("beforeend");
        (hx, page::console(status, &frame, &fragment)).into_response()
    }
}

fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::PolicyError => {
            "Something failed on our side while this was decided. You were refused to be safe."
        }
        Reason::Granted
        | Reason::NoGrant
        | Reason::NotSignedIn
        | Reason::Forbidden
        | Reason::NoRoute => "None of your console roles allows this.",
    }
}

/// 303 to a page of ours (RFC 9110 section 15.4.4): a form that is sent becomes a page that is read.
pub(super) fn see_other(link: &Link) -> Response {
    let place = HeaderValue::from_str(link.as_str()).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response();
    seal(response.headers_mut());
    response
}

/// 500: the request did not come through the front door, which is a fault of ours.
pub(super) fn unplaced() -> Response {
    tracing::error!("A request reached the console without having been read at the front door.");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
