//! Where people go from a page that leads nowhere itself, and whom they ask.

use axum::response::Response;
use http::StatusCode;

use super::contact::Contact;
use super::exchange::Exchange;
use super::fault::{Fault, Onward, Quote};
use super::link::Link;
use super::pages::Action;
use super::wants::Wants;
use crate::model::host::Origin;
use crate::model::time::Timestamp;

/// What Cedargate itself can lead on to.
#[derive(Debug, Clone)]
pub struct House {
    /// Cedargate's own origin.
    pub public: Origin,
    /// Whom to ask where nobody nearer is known.
    pub contact: Option<String>,
}

/// Where a request stands that is answered with a fault: what may be offered depends on whose host it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// A host that is not ours, or none that can be read: no way leads on from there, for nobody knows whose it is.
    Unknown,
    /// Cedargate's own host.
    Own,
    /// The host of an app.
    App,
}

impl Ground {
    /// That of an exchange, which has been placed.
    pub fn of(exchange: &Exchange) -> Self {
        if exchange.app.is_some() { Self::App } else { Self::Own }
    }
}

impl House {
    /// Answers an exchange with a fault, and leads on from it.
    pub fn answer(&self, fault: &Fault, exchange: &Exchange, quote: &Quote) -> Response {
        self.answer_at(fault, (Ground::of(exchange), exchange.wants), (quote, exchange.at))
    }

    /// The same for a request that may have been placed nowhere.
    pub fn answer_at(
        &self,
        fault: &Fault,
        (ground, wants): (Ground, Wants),
        (quote, at): (&Quote, Timestamp),
    ) -> Response {
        let contact = self.contact(fault, quote);
        fault.answer_with(wants, (quote, at), Onward { contact, ..self.onward(ground) })
    }

    fn onward(&self, ground: Ground) -> Onward {
        let start = || Action { link: Link::path(&[]), label: "Go to the start page".to_owned() };
        let (action, home) = match ground {
            Ground::Unknown => (None, None),
            Ground::Own => (None, Some(Link::path(&[]))),
            Ground::App => (Some(start()), self.portal()),
        };
        Onward { person: None, action, home, contact: None }
    }

    /// The page on Cedargate's own host that lists what somebody may open.
    pub fn portal(&self) -> Option<Link> {
        Link::parse(&self.public.url("/")).ok()
    }

    /// Whom to ask, and about what: nobody was refused by what failed, or by what is not there.
    fn contact(&self, fault: &Fault, quote: &Quote) -> Option<Contact> {
        let is_refusal = fault.status.is_client_error() && fault.status != StatusCode::NOT_FOUND;
        let what = if is_refusal { "Refused" } else { fault.title };
        let subject = format!("{what}, {} {}", quote.word(), quote.id());
        self.contact.as_deref().map(|contact| Contact::new(contact, &subject))
    }
}

#[cfg(test)]
#[path = "tests/house.rs"]
mod tests;
