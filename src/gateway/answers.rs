//! What a refused request is told: the same deny as a redirect, a page, JSON, or a header for htmx.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use url::Url;

use super::enforce::Asked;
use super::step_up::Offer;
use crate::model::host::Origin;
use crate::model::id::DecisionId;
use crate::model::record::Reason;
use crate::model::route::{Disclosure, Route};
use crate::web::exchange::Exchange;
use crate::web::fault::{Quote, seal};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, PersonName, Tone};
use crate::web::pages::{Action, DeniedPage};
use crate::web::sign_in::{self, Proof};
use crate::web::wants::Wants;

/// A deny that is on record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deny<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) id: DecisionId,
    pub(super) reason: Reason,
    /// What the caller could prove to be let in after all.
    pub(super) offer: Option<&'a Offer>,
    /// Cedargate's own origin.
    pub(super) public: &'a Origin,
}

impl Deny<'_> {
    /// The answer, by who asks and what they can use.
    pub(super) fn answer(self, headers: &HeaderMap) -> Response {
        let mut response = if self.asked.caller.principal.is_known() {
            self.forbidden(headers)
        } else {
            self.unauthenticated(headers)
        };
        self.allow_scripts_of_friends(headers, response.headers_mut());
        response
    }

    fn unauthenticated(self, headers: &HeaderMap) -> Response {
        let exchange = self.asked.exchange;
        let back = match exchange.wants {
            Wants::Page => Some(exchange.target()),
            Wants::Data | Wants::Htmx => page_of(exchange, headers),
        };
        let url = exchange.origin.url(sign_in::at_app(back.as_deref()).as_str());
        sign_in::first(exchange.wants, &url, &Quote::Decision(self.id))
    }

    fn forbidden(self, headers: &HeaderMap) -> Response {
        let exchange = self.asked.exchange;
        match (exchange.wants, self.offer) {
            (Wants::Page, _) => self.denied_page(headers).unwrap_or_else(|| self.denied_data()),
            (Wants::Data | Wants::Htmx, Some(offer)) => self.prove_first(offer, headers),
            (Wants::Data | Wants::Htmx, None) => self.denied_data(),
        }
    }

    /// Somebody whose page asked proves more on a page of its own, and comes back to the one that asked.
    fn prove_first(self, offer: &Offer, headers: &HeaderMap) -> Response {
        let exchange = self.asked.exchange;
        let start = sign_in::at_app(page_of(exchange, headers).as_deref());
        let url = exchange.origin.url(sign_in::proving(start, offer.word()).as_str());
        let proof = Proof { url: &url, step_up: offer.word(), context: offer.context() };
        sign_in::prove_first(exchange.wants, proof, &Quote::Decision(self.id))
    }

    fn denied_data(self) -> Response {
        let body = json!({ "error": "forbidden", "reason": self.told().as_str(), "decision_id": self.id.to_string() });
        let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
        seal(response.headers_mut());
        response
    }

    /// Whether nobody may tell this route from one that does not exist. To somebody who only lacks a proof it is offered.
    fn is_silent(self) -> bool {
        let silent = |route: &Route| route.disclosure == Disclosure::Silent;
        self.offer.is_none() && self.asked.found.is_some_and(|found| silent(&found.route))
    }

    /// The reason that they are told; the record has the true one.
    fn told(self) -> Reason {
        if self.is_silent() { Reason::NoRoute } else { self.reason }
    }

    /// None when the operating system gives no randomness for a nonce.
    fn denied_page(self, headers: &HeaderMap) -> Option<Response> {
        let Asked { exchange, caller, app, found, .. } = self.asked;
        let found = found.filter(|_| !self.is_silent());
        let title = found.map(|found| found.route.title.clone()).filter(|title| !title.is_empty());
        let what = title.unwrap_or_else(|| app.name.clone());
        let mut frame = Frame::new("Access denied").ok()?;
        frame.person = PersonName::of(&caller.principal);
        let words = self.offer.map_or_else(|| words(self.told()), |_| self.words_of_offer());
        let page = DeniedPage {
            frame,
            what,
            why: words.why.to_owned(),
            advice: words.advice.map(str::to_owned),
            tone: words.tone,
            action: self.offer.map(|offer| self.action(offer, headers)),
            switch: Some(
                Link::path(&["_gate", "login"])
                    .with_query("account", "other")
                    .with_query("return", &exchange.target()),
            ),
            home: Link::parse(&self.public.url("/")).ok(),
            address: format!("{}{}", exchange.origin.authority(), exchange.facts.path),
            decision: self.id,
            at: Moment::new(exchange.at),
            contact: found.map(|found| found.route.owner.clone()).filter(|owner| !owner.is_empty()),
        };
        Some(page::still(StatusCode::FORBIDDEN, &page))
    }

    fn action(self, offer: &Offer, headers: &HeaderMap) -> Action {
        let back = self.way_back(headers);
        let link = sign_in::proving(sign_in::at_app(back.as_deref()), offer.word());
        let label = match offer {
            Offer::Mfa(_) => "Confirm with a second factor".to_owned(),
        };
        Action { link, label }
    }

    /// A page that was asked for is opened again. What was sent is not: sending twice could do it twice, and nobody is
    /// asked whether they mean it. So the way back is then the page that it was sent from.
    fn way_back(self, headers: &HeaderMap) -> Option<String> {
        let exchange = self.asked.exchange;
        if self.asked.method.is_read() {
            Some(exchange.target())
        } else {
            page_of(exchange, headers)
        }
    }

    fn words_of_offer(self) -> Words {
        let advice = if self.asked.method.is_read() {
            "Confirm it at Microsoft; you come back to this page."
        } else {
            "What you sent was not kept. Confirm it at Microsoft; you come back to the page before, and send it again."
        };
        Words {
            why: "This needs a second factor, such as a code or a prompt on your phone, and you have not given one lately.",
            advice: Some(advice),
            tone: Tone::Careful,
        }
    }

    /// CORS (Fetch standard): scripts of the origins that the app's settings name may read our 401 and 403.
    fn allow_scripts_of_friends(self, request: &HeaderMap, response: &mut HeaderMap) {
        let app = self.asked.app;
        let friends = app.cors_origins.iter().chain(&app.origins).map(ToString::to_string);
        let sender = request.get(header::ORIGIN);
        let Some(sender) = sender.filter(|sender| {
            friends.into_iter().any(|friend| sender.as_bytes() == friend.as_bytes())
        }) else {
            return;
        };
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, sender.clone());
        response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        response.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
        response.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// Why, what to do, and how that is meant.
struct Words {
    why: &'static str,
    advice: Option<&'static str>,
    tone: Tone,
}

fn words(reason: Reason) -> Words {
    match reason {
        Reason::NoGrant | Reason::NotSignedIn | Reason::Granted => Words {
            why: "None of your groups or roles opens this page as things stand.",
            advice: None,
            tone: Tone::Plain,
        },
        Reason::Forbidden => {
            Words { why: "A rule closes this page to you.", advice: None, tone: Tone::Plain }
        }
        Reason::NoRoute => Words {
            why: "This address is not among the pages of the app that the gate knows.",
            advice: Some(
                "Check the address for a typing mistake, or start from the app's home page.",
            ),
            tone: Tone::Plain,
        },
        Reason::PolicyError => Words {
            why: "Something failed on our side while this was decided. You were refused to be safe.",
            advice: Some("Try again in a moment."),
            tone: Tone::Careful,
        },
    }
}

/// The page whose script asked, from `Referer`, when it is one of this origin.
fn page_of(exchange: &Exchange, headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let url = Url::parse(referer).ok()?;
    let same = url.origin().ascii_serialization() == exchange.origin.to_string();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    same.then(|| format!("{}{query}", url.path()))
}
