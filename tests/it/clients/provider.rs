//! The gate against a certified OpenID provider: what it says must be right to somebody who never heard of Entra.

use std::time::Duration;

use cedargate::model::time::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::certificates::ClientCertificate;
use super::provider_server::{CLIENT, Provider, SECRET, asks_who, registered, sign_in};
use crate::harness::{Answer, Browser, OwnGate, Request, Seat, exchange, navigation};

const MINUTE: Duration = Duration::from_mins(1);

/// The provider and a gate that trusts it, on a clock that stands still until a test moves it.
struct World {
    provider: Provider,
    gate: OwnGate,
    clock: Clock,
}

impl World {
    async fn start(test: &str) -> Option<Self> {
        Self::start_with(test, SECRET).await
    }

    /// As [`Self::start`], with a gate that proves itself by `secret`.
    async fn start_with(test: &str, secret: &str) -> Option<Self> {
        let seat = Seat::take().await;
        let provider = Provider::start(test, &registered(seat.port))?;
        Some(Self::behind(seat, provider, &[("ENTRA__CLIENT_SECRET", secret.to_owned())]).await)
    }

    /// A gate in front of this provider, which proves itself as these settings say.
    async fn behind(seat: Seat, provider: Provider, credential: &[(&str, String)]) -> Self {
        let clock = Clock::fixed(Clock::System.now());
        let mut settings = vec![
            // Often, since the provider's own clock does not move with ours.
            ("SESSION__RECHECK", "1m".to_owned()),
            ("ENTRA__CLIENT_ID", CLIENT.to_owned()),
            ("ENTRA__AUTHORITY", provider.origin.clone()),
            ("ENTRA__CA_FILE", provider.authority_file()),
        ];
        settings.extend_from_slice(credential);
        let gate = seat.open(clock.clone(), &settings).await.unwrap();
        Self { provider, gate, clock }
    }

    fn browser(&self) -> Browser {
        self.gate.browser().trusting(self.provider.trust())
    }

    /// What the gate asks of the provider for somebody who opens `/mine`.
    async fn request(&self, browser: &mut Browser) -> Url {
        let mut answer = browser.step(&self.gate.app("/mine")).await;
        while !answer.location().as_str().starts_with(&self.provider.origin) {
            answer = browser.step(answer.location().as_str()).await;
        }
        answer.location()
    }

    /// Sends uma to the provider with this request and follows to where that ends.
    async fn ask(&self, browser: &mut Browser, request: &Url) -> Answer {
        let page = browser.open(request.as_str()).await;
        if page.url.path().contains("/interaction/") {
            sign_in(browser, "uma", page).await
        } else {
            page
        }
    }

    /// A browser in which uma is signed in.
    async fn uma(&self) -> Browser {
        let mut browser = self.browser();
        let request = self.request(&mut browser).await;
        let page = self.ask(&mut browser, &request).await;
        assert_eq!((page.status, page.url.path()), (200, "/mine"), "{}", page.text());
        browser
    }

    async fn fetch(&self, browser: &mut Browser) -> u16 {
        browser.fetch("GET", &self.gate.app("/mine")).await.status
    }

    /// Fails unless the newest failed sign-in has this cause; gives its record.
    async fn failed(&self, cause: &str) -> Value {
        let mut records = self.gate.records().await.into_iter();
        let event = records.find(|record| record["event"] == "sign_in_failed");
        let event = event.expect("a sign-in failed");
        assert_eq!(event["cause"], cause, "{event}");
        event
    }
}

/// The request with one parameter changed; `None` takes it away.
fn altered(request: &Url, name: &str, value: Option<&str>) -> Url {
    let kept: Vec<(String, String)> =
        request.query_pairs().into_owned().filter(|(given, _)| given != name).collect();
    let mut altered = request.clone();
    altered.query_pairs_mut().clear().extend_pairs(kept);
    if let Some(value) = value {
        altered.query_pairs_mut().append_pair(name, value);
    }
    altered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_at_a_provider_that_is_not_entra() {
    let Some(mut world) = World::start("a sign-in at a provider").await else { return };
    let mut uma = world.browser();
    let page = uma.open(&world.gate.app("/mine?year=2026")).await;
    let page = sign_in(&mut uma, "uma", page).await;
    let wanted = world.gate.app("/mine?year=2026");
    assert_eq!((page.status, page.url.as_str()), (200, wanted.as_str()), "{}", page.text());
    let seen = page.json();
    assert_eq!(seen["x-gate-name"][0], "Uma%20Umarov");
    assert_eq!(seen["x-gate-user"][0], "uma@contoso.example");
    let success = world.provider.event("grant.success");
    assert_eq!(
        (&success["grant"], &success["by"]),
        (&"authorization_code".into(), &"client_secret_post".into())
    );
    world.gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_takes_the_assertion_of_a_certificate_for_proof() {
    let (seat, folder) = (Seat::take().await, TempDir::new().unwrap());
    let certificate = ClientCertificate::get();
    let mut client = registered(seat.port);
    client["token_endpoint_auth_method"] = "private_key_jwt".into();
    client["token_endpoint_auth_signing_alg"] = "PS256".into();
    client["jwks"] = json!({ "keys": [certificate.jwk()] });
    let test = "a certificate at a provider";
    let Some(provider) = Provider::start(test, &client) else { return };
    let mut world = World::behind(seat, provider, &certificate.write(folder.path())).await;
    let mut uma = world.uma().await;
    assert_eq!(world.provider.event("grant.success")["by"], "private_key_jwt");
    // The provider takes no assertion twice, so a re-check must come with one of its own.
    world.clock.advance(MINUTE);
    assert_eq!(world.fetch(&mut uma).await, 200);
    let renewed = world.provider.event("grant.success");
    assert_eq!(
        (&renewed["grant"], &renewed["by"]),
        (&"refresh_token".into(), &"private_key_jwt".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_holds_the_code_to_the_challenge_that_the_gate_sent() {
    let Some(mut world) = World::start("PKCE at a provider").await else { return };
    let mut uma = world.browser();
    let request = world.request(&mut uma).await;
    let without =
        altered(&altered(&request, "code_challenge", None), "code_challenge_method", None);
    let page = world.ask(&mut uma, &without).await;
    assert_eq!((page.status, page.url.path()), (503, "/_gate/callback"), "{}", page.text());
    let event = world.failed("refused").await;
    assert!(event["detail"].as_str().unwrap().contains("invalid_request"), "{event}");

    let mut uma = world.browser();
    let request = world.request(&mut uma).await;
    let another = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let page = world.ask(&mut uma, &altered(&request, "code_challenge", Some(another))).await;
    assert_eq!((page.status, page.url.path()), (400, "/_gate/callback"), "{}", page.text());
    world.failed("code_refused").await;
    let error = world.provider.event("grant.error");
    assert_eq!(error["error"], "invalid_grant", "{error}");
    assert_eq!(world.fetch(&mut uma).await, 401);
    assert_eq!(world.gate.app.hits(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_the_nonce_of_another_request_signs_nobody_in() {
    let Some(world) = World::start("a nonce at a provider").await else { return };
    for nonce in [Some("of-another-request"), None] {
        let mut uma = world.browser();
        let request = world.request(&mut uma).await;
        let page = world.ask(&mut uma, &altered(&request, "nonce", nonce)).await;
        assert_eq!((page.status, page.url.path()), (403, "/_gate/callback"), "{}", page.text());
        let event = world.failed("bad_token").await;
        assert!(event["detail"].as_str().unwrap().contains("nonce"), "{event}");
        assert_eq!(world.fetch(&mut uma).await, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refresh_token_is_used_once_and_one_that_was_stolen_ends_the_session() {
    let Some(mut world) = World::start("rotation at a provider").await else { return };
    let mut uma = world.uma().await;
    let mut newest = world.provider.event("refresh_token.saved")["token"].clone();
    for check in 1..=3 {
        world.clock.advance(MINUTE);
        assert_eq!(world.fetch(&mut uma).await, 200, "after check {check}");
        assert_eq!(world.provider.event("refresh_token.consumed")["token"], newest, "{check}");
        let next = world.provider.event("refresh_token.saved")["token"].clone();
        assert_eq!(world.provider.event("grant.success")["grant"], "refresh_token");
        assert_ne!(next, newest);
        newest = next;
    }

    // Somebody else uses the newest; that the gate comes second shows the provider that it was stolen.
    let stolen = redeem(&world.provider, newest.as_str().unwrap()).await;
    assert_eq!(stolen.status, 200, "{}", stolen.text());
    world.clock.advance(MINUTE);
    assert_eq!(world.fetch(&mut uma).await, 401);
    assert!(
        world.provider.event("grant.error")["detail"].as_str().unwrap().contains("already used")
    );
    let theirs = stolen.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(redeem(&world.provider, &theirs).await.json()["error"], "invalid_grant");
}

/// Redeems a refresh token past the gate.
async fn redeem(provider: &Provider, token: &str) -> Answer {
    let url = provider.address("/token");
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", CLIENT),
            ("client_secret", SECRET),
        ])
        .finish();
    let request = Request::new("POST", &url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    exchange(Request { trust: Some(provider.trust()), ..request }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_at_the_provider_asks_for_a_sign_in_again() {
    let Some(mut world) = World::start("a sign-out at a provider").await else { return };
    let mut uma = world.uma().await;
    let url = world.gate.app("/_gate/logout");
    let page = uma.step(&url).await;
    let token = hidden(&page, "_csrf");
    let page = uma.send(navigation("POST", &url).form(&[("_csrf", &token)])).await;
    assert_eq!(world.fetch(&mut uma).await, 401);

    // Signed out here alone, she gets in again without a word.
    let mut again = uma.clone();
    let request = world.request(&mut again).await;
    assert_eq!(world.ask(&mut again, &request).await.status, 200);

    let question = uma.open(&link(&page, "Sign out at Microsoft")).await;
    assert!(question.url.as_str().starts_with(&world.provider.origin), "{}", question.url);
    let confirm = [("xsrf", hidden(&question, "xsrf")), ("logout", "yes".to_owned())];
    let confirm = confirm.each_ref().map(|(name, value)| (*name, value.as_str()));
    let url = world.provider.address("/session/end/confirm");
    let ended = uma.send(navigation("POST", &url).form(&confirm)).await;
    assert_eq!(ended.status, 303, "{}", ended.text());
    world.provider.event("end_session.success");
    let request = world.request(&mut uma).await;
    let page = uma.open(request.as_str()).await;
    assert!(asks_who(&page), "{}", page.text());
}

/// Where the link with this text leads.
fn link(page: &Answer, text: &str) -> String {
    let page = page.text();
    let before = page.split(&format!(">{text}</a>")).next().unwrap();
    let target = before.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    target.replace("&amp;", "&").replace("&#38;", "&")
}

/// The value of a hidden field.
fn hidden(page: &Answer, name: &str) -> String {
    let text = page.text();
    let field = text.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("a form with that");
    field.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_provider_does_not_know_is_the_operators_fault() {
    let test = "a wrong secret at a provider";
    let Some(world) = World::start_with(test, "not the secret").await else { return };
    let mut uma = world.browser();
    let request = world.request(&mut uma).await;
    let page = world.ask(&mut uma, &request).await;
    assert_eq!((page.status, page.url.path()), (503, "/_gate/callback"), "{}", page.text());
    page.assert_page();
    assert!(page.text().contains("not set up correctly"), "{}", page.text());
    let event = world.failed("client_refused").await;
    assert!(event["detail"].as_str().unwrap().contains("invalid_client"), "{event}");
    assert!(!event.to_string().contains("not the secret"), "{event}");
    assert_eq!(world.fetch(&mut uma).await, 401);
}
