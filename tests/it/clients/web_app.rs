//! A Flask app that signs people in by itself, as Microsoft's samples teach it, against the simulator.

use std::time::Duration;

use cedargate::model::time::Clock;
use serde_json::Value;
use url::Url;

use super::python::WebApp;
use super::tenant::{self, Tenant};
use crate::harness::{Answer, Browser, Chromium};

const SECRET: &str = "a secret of the web app";

/// The app, its tenant and a browser.
struct World {
    tenant: Tenant,
    app: WebApp,
    browser: Browser,
}

impl World {
    async fn start(test: &str) -> Option<Self> {
        Self::start_at(test, Clock::System).await
    }

    /// As [`Self::start`], with a simulator on this clock. The app's own is the machine's.
    async fn start_at(test: &str, clock: Clock) -> Option<Self> {
        let tenant = Tenant::start_at(clock, vec![tenant::web_app(SECRET)]).await;
        let app = WebApp::start(test, &tenant, SECRET)?;
        let browser = Browser::new(0).trusting(tenant.trust());
        Some(Self { tenant, app, browser })
    }

    /// Opens a page of the app and does what its sign-in page tells a browser to.
    async fn open(&mut self, path: &str) -> Answer {
        let page = self.browser.open(&self.app.url(path)).await;
        match refresh(&page) {
            Some(target) => self.browser.open(&target).await,
            None => page,
        }
    }

    /// Opens a page of the app as `person`, who is asked for by the simulator's page.
    async fn sign_in(&mut self, person: &str, path: &str) -> Answer {
        let page = self.open(path).await;
        assert!(page.url.as_str().starts_with(&self.tenant.authority()), "at {}", page.url);
        let chosen = self.browser.choose(person, &page.url).await;
        if chosen.status == 302 {
            self.browser.open(chosen.location().as_str()).await
        } else {
            chosen
        }
    }
}

/// Where a page sends a browser at once, if it does.
fn refresh(page: &Answer) -> Option<String> {
    let text = page.text();
    let rest = text.split("http-equiv='refresh' content='0; URL=").nth(1)?;
    Some(rest.split('\'').next()?.replace("&amp;", "&"))
}

/// What the app was told by Graph.
fn graph(page: &Answer) -> Value {
    let text = page.text();
    let shown = text.split("<pre id=\"result\">").nth(1).expect("a result of Graph");
    serde_json::from_str(shown.split("</pre>").next().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_the_app_calls_graph_for_her() {
    let Some(mut world) = World::start("a Flask app that signs in").await else { return };
    let page = world.sign_in("uma", "/").await;
    assert_eq!((page.status, page.url.as_str()), (200, world.app.url("/").as_str()));
    assert!(page.text().contains("Welcome, Uma Umarov"), "{}", page.text());
    assert!(page.text().contains("<p id=\"user\">uma@contoso.example</p>"), "{}", page.text());
    let page = world.open("/call_api").await;
    assert_eq!((page.status, page.url.as_str()), (200, world.app.url("/call_api").as_str()));
    let me = graph(&page);
    assert_eq!(
        (&me["displayName"], &me["mail"]),
        (&"Uma Umarov".into(), &"uma@contoso.example".into()),
        "{me}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_not_assigned_stays_at_the_simulator() {
    let Some(mut world) = World::start("a Flask app and somebody unassigned").await else { return };
    let page = world.sign_in("zed", "/").await;
    assert!(page.url.as_str().starts_with(&world.tenant.authority()), "at {}", page.url);
    assert!(page.text().contains("AADSTS50105"), "{}", page.text());
    assert!(
        refresh(&world.browser.open(&world.app.url("/")).await).is_some(),
        "nobody is signed in"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_sign_in_comes_back_as_the_app_expects() {
    let Some(mut world) = World::start("a Flask app and a cancelled sign-in").await else { return };
    let page = world.open("/").await;
    let cancel = crate::harness::navigation("POST", page.url.as_str()).form(&[("cancel", "1")]);
    let back = world.browser.send(cancel).await;
    let page = world.browser.open(back.location().as_str()).await;
    assert_eq!((page.status, page.url.path()), (200, "/getAToken"));
    assert!(page.text().contains("access_denied"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_at_the_simulator_too() {
    let Some(mut world) = World::start("a Flask app that signs out").await else { return };
    drop(world.sign_in("uma", "/").await);
    // Without a word while the simulator knows her; asked for again once it does not.
    world.browser.forget_cookie("localhost", "session");
    assert_eq!(world.open("/").await.url.as_str(), world.app.url("/"));
    let page = world.browser.open(&world.app.url("/logout")).await;
    assert!(refresh(&page).is_some(), "back at the app, signed in to nothing: {}", page.text());
    assert_eq!(page.url.as_str(), world.app.url("/"));
    let went: Vec<&Url> = world.browser.answers.iter().map(|answer| &answer.url).collect();
    let through = |url: &&Url| url.path().ends_with("/oauth2/logout");
    assert!(went.into_iter().any(|url| through(&url)), "through the address of the v1 metadata");
    let page = world.open("/").await;
    assert!(page.text().contains("uma"), "{}", page.text());
    assert!(page.url.path().ends_with("/authorize"), "asked who she is at {}", page.url);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_tokens_have_expired_renews_them_by_itself() {
    let hours = Duration::from_hours(2);
    let clock = Clock::fixed(Clock::System.now().minus(hours));
    let test = "a Flask app with expired tokens";
    let Some(mut world) = World::start_at(test, clock.clone()).await else { return };
    // By the app's clock, the ID token has expired when it arrives.
    drop(world.sign_in("uma", "/").await);
    clock.advance(hours);
    let page = world.browser.step(&world.app.url("/")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Welcome, Uma Umarov"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_shown_by_the_app_as_entra_words_it() {
    let test = "a Flask app with a wrong secret";
    let tenant = Tenant::start(vec![tenant::web_app(SECRET)]).await;
    let Some(app) = WebApp::start(test, &tenant, "not the secret") else { return };
    let browser = Browser::new(0).trusting(tenant.trust());
    let mut world = World { tenant, app, browser };
    let page = world.sign_in("uma", "/").await;
    assert_eq!((page.status, page.url.path()), (200, "/getAToken"));
    assert!(page.text().contains("AADSTS7000215"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_browser_signs_in_to_the_app() {
    let test = "a Flask app in Chromium";
    let Some(world) = World::start(test).await else { return };
    let Some(chromium) = Chromium::start_believing_all(test).await else { return };
    chromium.open(&world.app.url("/call_api")).await;
    chromium.press_to("//button[normalize-space()='uma']", &world.app.url("/call_api")).await;
    chromium.shows("//pre", "Uma Umarov").await;
    chromium.open(&world.app.url("/")).await;
    chromium.press("//a[normalize-space()='Sign out']").await;
    chromium.shows("//button", "uma").await;
    chromium.close().await;
}
