//! What a refused request is told: the same deny as a redirect, a page, JSON, or a header for htmx.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use url::Url;

use super::enforce::Asked;
use crate::model::host::Origin;
use crate::model::id::DecisionId;
use crate::model::record::Reason;
use crate::web::exchange::Exchange;
use crate::web::fault::seal;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, PersonName, Tone};
use crate::web::pages::DeniedPage;
use crate::web::wants::Wants;

/// Where a sign-in starts, on every app host.
const LOGIN_PATH: &str = "/_gate/login";

/// Everything but what is plain in a query value.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A deny that is on record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deny<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) id: DecisionId,
    pub(super) reason: Reason,
    /// Cedargate's own origin.
    pub(super) public: &'a Origin,
}

impl Deny<'_> {
    /// The answer, by who asks and what they can use.
    pub(super) fn answer(self, headers: &HeaderMap) -> Response {
        let mut response = if self.asked.caller.principal.is_known() {
            self.forbidden()
        } else {
            self.unauthenticated(headers)
        };
        self.allow_scripts_of_friends(headers, response.headers_mut());
        response
    }

    fn unauthenticated(self, headers: &HeaderMap) -> Response {
        let exchange = self.asked.exchange;
        match exchange.wants {
            Wants::Page => redirect(&login_url(&exchange.origin, Some(&exchange.target()))),
            Wants::Data => self
                .sign_in_first(&login_url(&exchange.origin, page_of(exchange, headers).as_deref())),
            Wants::Htmx => {
                let url = login_url(&exchange.origin, page_of(exchange, headers).as_deref());
                let mut response = self.sign_in_first(&url);
                if let Ok(url) = HeaderValue::from_str(&url) {
                    response.headers_mut().insert("hx-redirect", url);
                }
                response
            }
        }
    }

    fn sign_in_first(self, login_url: &str) -> Response {
        let body = json!({ "error": "unauthenticated", "login_url": login_url, "decision_id": self.id.to_string() });
        let mut response = (StatusCode::UNAUTHORIZED, Json(body)).into_response();
        let headers = response.headers_mut();
        seal(headers);
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"cedargate\""),
        );
        response
    }

    fn forbidden(self) -> Response {
        match self.asked.exchange.wants {
            Wants::Page => self.denied_page().unwrap_or_else(|| self.denied_data()),
            Wants::Data | Wants::Htmx => self.denied_data(),
        }
    }

    fn denied_data(self) -> Response {
        let body = json!({ "error": "forbidden", "reason": self.reason.as_str(), "decision_id": self.id.to_string() });
        let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
        seal(response.headers_mut());
        response
    }

    /// None when the operating system gives no randomness for a nonce.
    fn denied_page(self) -> Option<Response> {
        let Asked { exchange, caller, app, found, .. } = self.asked;
        let title = found.map(|found| found.route.title.clone()).filter(|title| !title.is_empty());
        let what = title.unwrap_or_else(|| app.name.clone());
        let mut frame = Frame::new("Access denied").ok()?;
        frame.person = PersonName::of(&caller.principal);
        let (why, advice, tone) = words(self.reason);
        let page = DeniedPage {
            frame,
            what,
            why: why.to_owned(),
            advice: advice.map(str::to_owned),
            tone,
            action: None,
            switch: Some(
                Link::path(&["_gate", "login"])
                    .with_query("account", "other")
                    .with_query("return", &exchange.target()),
            ),
            home: Link::parse(&self.public.url("/")).ok(),
            address: format!("{}{}", exchange.origin.authority(), exchange.facts.path),
            decision: self.id,
            at: Moment::new(exchange.at),
            contact: None,
        };
        Some(page::still(StatusCode::FORBIDDEN, &page))
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
fn words(reason: Reason) -> (&'static str, Option<&'static str>, Tone) {
    match reason {
        Reason::NoGrant | Reason::NotSignedIn | Reason::Granted => {
            ("None of your groups or roles opens this page as things stand.", None, Tone::Plain)
        }
        Reason::Forbidden => ("A rule closes this page to you.", None, Tone::Plain),
        Reason::NoRoute => (
            "This address is not among the pages of the app that the gate knows.",
            Some("Check the address for a typing mistake, or start from the app's home page."),
            Tone::Plain,
        ),
        Reason::PolicyError => (
            "Something failed on our side while this was decided. You were refused to be safe.",
            Some("Try again in a moment."),
            Tone::Careful,
        ),
    }
}

/// The sign-in address of an app host, coming back to `target` (path and query).
pub(super) fn login_url(origin: &Origin, target: Option<&str>) -> String {
    match target {
        Some(target) => {
            origin.url(&format!("{LOGIN_PATH}?return={}", utf8_percent_encode(target, QUERY_VALUE)))
        }
        None => origin.url(LOGIN_PATH),
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

/// 303 to an address that we made (RFC 9110 section 15.4.4): a POST becomes a GET on the way.
fn redirect(url: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    seal(headers);
    headers.insert(
        header::LOCATION,
        HeaderValue::from_str(url).unwrap_or(HeaderValue::from_static("/")),
    );
    response
}
