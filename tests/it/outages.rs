//! Entra away, gone half-way, or slow: what that does to whoever signs in, and what it does not do to whoever is in.

use std::time::{Duration, Instant};

use cedargate::model::time::{Clock, Timestamp};
use cedargate::sim::{Condition, Endpoint, Overlap, people};

use crate::clients::tenant::{Tenant, gate};
use crate::harness::{Answer, Browser, OwnGate, Seat};

const SECRET: &str = "a secret of the gate";

fn fixed() -> Clock {
    Clock::fixed(Timestamp::from_seconds(1_795_510_800))
}

/// The tenant, its gate, and a clock that both go by.
struct Scene {
    tenant: Tenant,
    gate: OwnGate,
    clock: Clock,
}

impl Scene {
    /// Opens the gate when `ails` has made the tenant what it shall be.
    async fn start(clock: Clock, ails: impl FnOnce(&Tenant)) -> Self {
        let tenant = Tenant::start_at(clock.clone(), vec![gate(SECRET)]).await;
        ails(&tenant);
        let entra = [
            ("ENTRA__CLIENT_ID", people::CLIENT.to_owned()),
            ("ENTRA__CLIENT_SECRET", SECRET.to_owned()),
            ("ENTRA__AUTHORITY", tenant.plain.clone()),
        ];
        let gate = Seat::take().await.open(clock.clone(), &entra).await.unwrap();
        Self { tenant, gate, clock }
    }

    fn all(&self, condition: Condition) {
        for endpoint in Endpoint::ALL {
            self.tenant.sim.set_condition(endpoint, condition);
        }
    }

    /// The way through Entra up to its answer: the callback's address, not yet opened.
    async fn up_to_callback(&self, browser: &mut Browser) -> String {
        let page = browser.open(&self.gate.app("/me")).await;
        let chosen = browser.choose("uma", &page.url).await;
        assert_eq!(chosen.location().path(), "/_gate/callback");
        chosen.location().to_string()
    }

    /// A new browser of somebody who signs in, and what they see then.
    async fn sign_in(&self) -> (Browser, Answer) {
        let mut browser = self.gate.browser();
        let page = browser.sign_in("uma", &self.gate.app("/me")).await;
        (browser, page)
    }
}

/// A page that says to come back later, and when.
#[track_caller]
fn later(page: &Answer) {
    assert_eq!(page.status, 503, "{}", page.text());
    page.assert_page();
    assert_eq!(page.headers["retry-after"], "10");
    assert_eq!(page.session_cookie(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn r08_an_entra_that_is_down_at_the_start_lets_people_in_once_it_is_back() {
    let dead = |tenant: &Tenant| {
        for endpoint in Endpoint::ALL {
            tenant.sim.set_condition(endpoint, Condition::Dead);
        }
    };
    let scene = Scene::start(fixed(), dead).await;
    later(&scene.gate.browser().open(&scene.gate.app("/me")).await);
    scene.all(Condition::Well);
    scene.clock.advance(Duration::from_secs(5));
    let (mut browser, page) = scene.sign_in().await;
    assert_eq!(page.status, 200, "{}", page.text());
    scene.all(Condition::Dead);
    assert_eq!(browser.open(&scene.gate.app("/me")).await.status, 200, "whoever is in stays in");
    scene.gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r09_an_entra_that_dies_half_way_is_a_page_and_a_sign_in_that_is_spent() {
    let scene = Scene::start(fixed(), |_| {}).await;
    for condition in [Condition::Dead, Condition::Unavailable, Condition::NotJson] {
        let mut browser = scene.gate.browser();
        let callback = scene.up_to_callback(&mut browser).await;
        scene.tenant.sim.set_condition(Endpoint::Token, condition);
        let page = browser.step(&callback).await;
        later(&page);
        assert!(page.text().contains("/_gate/login"), "a way to try again");
        scene.tenant.sim.set_condition(Endpoint::Token, Condition::Well);
        let again = browser.step(&callback).await;
        assert_eq!((again.status, again.session_cookie()), (400, None), "{condition:?}");
        assert_eq!(scene.sign_in().await.1.status, 200);
    }
    // A key that is new, while the place where it stands can't be reached.
    scene.tenant.sim.rotate_keys(Overlap::Drop).unwrap();
    scene.tenant.sim.set_condition(Endpoint::Keys, Condition::Dead);
    let (_, page) = scene.sign_in().await;
    assert_eq!(page.status, 403);
    page.assert_page();
    scene.tenant.sim.set_condition(Endpoint::Keys, Condition::Well);
    scene.clock.advance(Duration::from_mins(1));
    assert_eq!(scene.sign_in().await.1.status, 200, "at most a minute later");
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_an_entra_that_hangs_costs_ten_seconds_and_nobody_else() {
    let scene = Scene::start(Clock::System, |_| {}).await;
    let (mut insider, page) = scene.sign_in().await;
    assert_eq!(page.status, 200);
    let mut browser = scene.gate.browser();
    let callback = scene.up_to_callback(&mut browser).await;
    scene.tenant.sim.set_condition(Endpoint::Token, Condition::Hanging);
    let begun = Instant::now();
    let waiting = async { (browser.step(&callback).await, begun.elapsed()) };
    let working = async {
        for _ in 0..20 {
            assert_eq!(insider.open(&scene.gate.app("/me")).await.status, 200);
        }
        begun.elapsed()
    };
    let ((page, waited), worked) = tokio::join!(waiting, working);
    later(&page);
    assert!(waited < Duration::from_secs(15), "{waited:?}");
    assert!(worked < waited, "requests went on meanwhile: {worked:?}");
}
