//! What a refused request is told: the same deny as a redirect, a page, JSON, or a header for htmx.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use url::Url;

use super::enforce::Asked;
use super::obstacle::Obstacle;
use super::step_up::{Kind, Offer};
use super::words::{Retry, Words};
use crate::model::id::DecisionId;
use crate::model::record::Reason;
use crate::model::route::{Disclosure, Route};
use crate::web::contact::Contact;
use crate::web::exchange::Exchange;
use crate::web::fault::{Quote, seal};
use crate::web::house::House;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, PersonName};
use crate::web::pages::{Action, DeniedPage};
use crate::web::sign_in::{self, Proof};
use crate::web::wants::Wants;

/// A deny that is on record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deny<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) id: DecisionId,
    pub(super) reason: Reason,
    /// What they lack, where the route says that they are told.
    pub(super) missing: Option<&'a str>,
    /// What stands in their way, where something can be done about it.
    pub(super) obstacle: Option<&'a Obstacle>,
    /// What the caller could prove to be let in after all.
    pub(super) offer: Option<&'a Offer>,
    /// Where people go from here.
    pub(super) house: &'a House,
}

impl<'a> Deny<'a> {
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
        let proof = Proof { url: &url, step_up: offer.word(), asked: offer.asked() };
        sign_in::prove_first(exchange.wants, proof, &Quote::Decision(self.id))
    }

    fn denied_data(self) -> Response {
        let mut body = json!({ "error": "forbidden", "reason": self.told().as_str(), "decision_id": self.id.to_string() });
        if let Some(told) = body.as_object_mut() {
            let missing = self.missing.map(|missing| ("missing".to_owned(), missing.into()));
            let obstacle = self.told_obstacle().map(Obstacle::as_str);
            let obstacle = obstacle.map(|word| ("obstacle".to_owned(), word.into()));
            told.extend(missing.into_iter().chain(obstacle));
        }
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

    /// What stands in their way, unless they shall not know that there is anything here.
    fn told_obstacle(self) -> Option<&'a Obstacle> {
        self.obstacle.filter(|_| !self.is_silent())
    }

    /// The route, unless they shall not know that there is one.
    fn told_route(self) -> Option<&'a Route> {
        self.asked.found.filter(|_| !self.is_silent()).map(|found| &*found.route)
    }

    /// None when the operating system gives no randomness for a nonce.
    fn denied_page(self, headers: &HeaderMap) -> Option<Response> {
        let Asked { exchange, caller, app, .. } = self.asked;
        let words = self.words();
        let mut frame = Frame::new("Access denied").ok()?;
        frame.person = PersonName::of(&caller.principal);
        let page = DeniedPage {
            frame,
            what: self.told_route().map_or(&app.name, |route| name_of(route, &app.name)).clone(),
            limit: words.limit,
            why: words.why.clone(),
            advice: words.advice.clone(),
            missing: self.missing.filter(|_| self.offer.is_none()).map(str::to_owned),
            tone: words.tone,
            action: self.action(&words, headers),
            switch: Some(
                Link::path(&["_gate", "login"])
                    .with_query("account", "other")
                    .with_path("return", &self.target()),
            ),
            home: self.house.portal(),
            address: format!("{}{}", exchange.origin.authority(), self.path()),
            decision: self.id,
            at: Moment::new(exchange.at),
            contact: self.contact(),
        };
        Some(page::quoting(StatusCode::FORBIDDEN, &page.frame, &page))
    }

    fn words(self) -> Words {
        let disclosure = self.told_route().map_or(Disclosure::Silent, |route| route.disclosure);
        match (self.offer, self.told_obstacle()) {
            (Some(offer), _) => Words::of_offer(offer, self.asked.method),
            (None, Some(obstacle)) => Words::of_obstacle(obstacle, disclosure),
            (None, None) => Words::of_reason(self.told()),
        }
    }

    fn contact(self) -> Option<Contact> {
        let owner = self.told_route().map(|route| route.owner.as_str());
        let owner = owner.filter(|owner| !owner.is_empty());
        let contact = owner.or(self.house.contact.as_deref())?;
        Some(Contact::new(contact, &format!("Access, decision {}", self.id)))
    }

    /// The path as it was asked for. That an app reads it in lower case says that there is a route.
    fn path(self) -> &'a str {
        let facts = &self.asked.exchange.facts;
        facts.unfolded.as_deref().unwrap_or(&facts.path)
    }

    fn target(self) -> String {
        match &self.asked.exchange.query {
            Some(query) => format!("{}?{query}", self.path()),
            None => self.path().to_owned(),
        }
    }

    fn action(self, words: &Words, headers: &HeaderMap) -> Option<Action> {
        match (self.offer, words.retry) {
            (Some(offer), _) => Some(self.proving(offer, headers)),
            (None, Retry::Offered) if self.asked.method.is_read() => {
                let link = Link::parse(&self.target()).ok()?;
                Some(Action { link, label: "Try again".to_owned() })
            }
            (None, Retry::Offered | Retry::Useless) => None,
        }
    }

    fn proving(self, offer: &Offer, headers: &HeaderMap) -> Action {
        let back = self.way_back(headers);
        let link = sign_in::proving(sign_in::at_app(back.as_deref()), offer.word());
        let label = match offer.kind() {
            Kind::Mfa => "Confirm with a second factor",
            Kind::Context => "Confirm at Microsoft",
            Kind::Fresh => "Sign in once more",
        };
        Action { link, label: label.to_owned() }
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

/// What people call a route: its title, or the app that it belongs to.
fn name_of<'a>(route: &'a Route, app: &'a String) -> &'a String {
    if route.title.is_empty() { app } else { &route.title }
}

/// The page whose script asked, from `Referer`, when it is one of this origin.
fn page_of(exchange: &Exchange, headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let url = Url::parse(referer).ok()?;
    let same = url.origin().ascii_serialization() == exchange.origin.to_string();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    same.then(|| format!("{}{query}", url.path()))
}
