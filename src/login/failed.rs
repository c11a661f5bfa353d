//! Sign-ins that failed: on record first, then a page with a way on.

use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use super::Login;
use super::answers;
use super::asked::with_step_up;
use super::failure::Failure;
use super::goal::Goal;
use super::return_path::ReturnPath;
use super::trouble::Trouble;
use super::words::Again;
use crate::model::host::Origin;
use crate::model::record::{Entry, Event};
use crate::model::session::StepUp;
use crate::telemetry::Outcome;
use crate::web::contact::Contact;
use crate::web::exchange::Exchange;
use crate::web::fault::Fault;
use crate::web::flood::Source;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, Tone};
use crate::web::pages::SignInFailedPage;
use crate::web::sign_in::{at_app, at_gate};

/// Entra keeps people whom nobody assigned on its own page and tells us nothing, so they come back by themselves.
pub(super) const HELD_AT_MICROSOFT: &str = "Did Microsoft stop you with AADSTS50105? Then your account is fine, but nobody has given it access to this site: ask your help desk to assign you.";

/// Where a person can go from a failed sign-in.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    again: Option<Link>,
    switch: Option<Link>,
}

impl Way {
    /// Nowhere: another try would only fail again.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// The front page of the host.
    pub(super) fn home() -> Self {
        Self { again: Some(Link::path(&[""])), switch: None }
    }

    fn to(begin: &Link) -> Self {
        let switch = begin.clone().with_query("account", "other");
        Self { again: Some(begin.clone()), switch: Some(switch) }
    }
}

impl Login {
    /// The same sign-in once more, or with another account.
    pub(super) fn way(&self, goal: &Goal) -> Way {
        match goal {
            Goal::Page(path, asked) => Way::to(&with_step_up(at_gate(Some(path.as_str())), asked)),
            Goal::Handover(handover) => {
                let snapshot = self.live.current();
                let app = snapshot.app(&handover.host);
                let origin = app.and_then(|app| app.origin_of(&handover.host));
                origin
                    .zip(ReturnPath::read(&handover.return_path))
                    .and_then(|(origin, back)| login_at(origin, (&back, &handover.step_up)))
                    .map_or_else(Way::home, |login| Way::to(&login))
            }
        }
    }

    /// Puts a failed sign-in on record and shows its page; 429 when it is one of a flood.
    pub(super) async fn failed(
        &self,
        exchange: &Exchange,
        failure: &Failure,
        way: &Way,
    ) -> Result<Response, Trouble> {
        let event = Event::SignInFailed {
            cause: failure.cause.to_owned(),
            detail: failure.detail.clone(),
            client: exchange.facts.client,
        };
        let calm = failure.is_calm();
        self.metrics.signed_in(if calm { Outcome::Cancelled } else { Outcome::Failed });
        self.refused(exchange, (failure, event), way).await
    }

    /// Puts what happened on record and shows its page; 429 when it is one of a flood.
    pub(super) async fn refused(
        &self,
        exchange: &Exchange,
        (failure, event): (&Failure, Event),
        way: &Way,
    ) -> Result<Response, Trouble> {
        let source = Source::Address(exchange.facts.client);
        if let Some(turned_away) = self.refuser.turn_away(source.clone(), exchange) {
            return Ok(turned_away);
        }
        self.refuser.charge(source, exchange.at);
        let receipt = self.audit.noted(Entry::Event(Box::new(event))).await?;
        Ok(self.failed_page(exchange, failure, (way, receipt.id().to_string())))
    }

    /// The page of a failed sign-in.
    pub(super) fn failed_page(
        &self,
        exchange: &Exchange,
        failure: &Failure,
        (way, reference): (&Way, String),
    ) -> Response {
        let Ok(frame) = Frame::new(failure.words.title) else {
            return answers::fault(exchange, &Fault::unready());
        };
        let words = failure.words;
        let again =
            way.again.clone().filter(|_| words.again == Again::Same || way.switch.is_none());
        let subject = format!("Sign-in: {}, reference {reference}", words.title);
        let page = SignInFailedPage {
            frame,
            eyebrow: if failure.is_calm() { "Cancelled" } else { "Sign-in did not finish" },
            tone: if failure.is_calm() { Tone::Plain } else { Tone::Bad },
            sentence: words.sentence.to_owned(),
            advice: Some(words.advice.to_owned()),
            mender: (!failure.is_calm()).then(|| words.mender.in_words()),
            again,
            switch: way.switch.clone(),
            reference,
            at: Moment::new(exchange.at),
            contact: self.contact.as_deref().map(|contact| Contact::new(contact, &subject)),
            code: failure.code.clone(),
            correlation: failure.correlation.clone(),
            hint: failure.is_calm().then_some(HELD_AT_MICROSOFT),
        };
        let mut response = page::quoting(failure.status, &page.frame, &page);
        if failure.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
        }
        response
    }
}

fn login_at(origin: &Origin, (back, asked): (&ReturnPath, &StepUp)) -> Option<Link> {
    let link = with_step_up(at_app(Some(back.as_str())), asked);
    Link::parse(&origin.url(link.as_str())).ok()
}
