//! One round of the watcher over exchanges that need no network.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

use super::{Memory, Watcher};
use crate::gateway::open::{Open, OpenConnections, Watch};
use crate::gateway::patience::Pulse;
use crate::idp::BearerCaller;
use crate::model::cut::{ConnectionCut, ConnectionKind, CutCause};
use crate::model::grant::Method;
use crate::model::principal::{Principal, PrincipalSnapshot, Workload};
use crate::model::record::{ClientAddress, Door, MfaState, RequestFacts};
use crate::rule_files;
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;
use crate::web::lease::Cut;
use crate::web::tests::scene::{Scene, scene};
use crate::web::wants::Wants;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const JOB: &str = "22222222-2222-2222-2222-222222222222.33333333-3333-3333-3333-333333333333";

fn watcher(scene: &Scene) -> Watcher {
    Watcher {
        open: Arc::new(OpenConnections::default()),
        live: scene.doorkeeper.live.clone(),
        sessions: Arc::clone(&scene.doorkeeper.sessions),
        audit: scene.doorkeeper.audit.clone(),
        clock: scene.clock.clone(),
        metrics: scene.doorkeeper.metrics.clone(),
        idle: HOUR,
    }
}

/// A service whose token ends in an hour, on the start page of the demo's app for more than a moment.
fn open(scene: &Scene, watcher: &Watcher, cut: &Cut) -> Watch {
    let roles = BTreeSet::new();
    let job = Workload { subject: JOB.parse().unwrap(), client: "nightly-job".to_owned(), roles };
    let bearer = BearerCaller {
        principal: PrincipalSnapshot::new(Principal::Workload(job)),
        auth_contexts: BTreeSet::new(),
        mfa: MfaState::NotMet,
        authenticated_at: None,
        contexts_end: None,
        expires_at: scene.clock.now().plus(HOUR),
    };
    let snapshot = watcher.live.current();
    let host = "app.localhost".parse().unwrap();
    let app = snapshot.app(&host).unwrap();
    let facts = RequestFacts {
        request: "r-test-1".parse().unwrap(),
        door: Door::Proxy,
        client: ClientAddress::Known([192, 0, 2, 7].into()),
        method: "GET".to_owned(),
        host: Some(host),
        path: "/".to_owned(),
        unfolded: None,
    };
    let exchange = Exchange {
        facts,
        origin: app.origins[0].clone(),
        app: Some(Arc::clone(app)),
        query: None,
        wants: Wants::Data,
        at: scene.clock.now(),
    };
    let open = Open {
        exchange: Arc::new(exchange),
        caller: Arc::new(Caller::anonymous().with_bearer(Arc::new(bearer))),
        app: Arc::clone(app),
        method: Method::Get,
        decision: "00000000-0".parse().unwrap(),
        pulse: Pulse::of_age(Duration::from_secs(2)),
        cut: cut.clone(),
    };
    let mut watch = Watch::new(&watcher.open, open);
    watch.enter(ConnectionKind::Request);
    watch
}

async fn round(watcher: &Watcher, memory: &mut Memory) -> Vec<ConnectionCut> {
    let (cuts, mut heard) = unbounded_channel();
    watcher.round(memory, &cuts).await;
    std::iter::from_fn(|| heard.try_recv().ok()).collect()
}

#[tokio::test]
async fn exchange_ends_with_the_token_that_opened_it() {
    let scene = scene(rule_files::demo().unwrap()).await;
    let (watcher, cut) = (watcher(&scene), Cut::default());
    let _watch = open(&scene, &watcher, &cut);
    let mut memory = Memory::default();
    assert_eq!(round(&watcher, &mut memory).await, []);
    scene.clock.advance(59 * MINUTE);
    assert_eq!(round(&watcher, &mut memory).await, []);
    assert!(!cut.is_hard());
    scene.clock.advance(MINUTE);
    let cuts = round(&watcher, &mut memory).await;
    assert_eq!((cuts.len(), &cuts[0].cause), (1, &CutCause::TokenExpired));
    assert!(cut.is_hard());
    cut.wanted().await;
    assert_eq!(round(&watcher, &mut memory).await, [], "once");
}

#[tokio::test]
async fn no_clock_that_is_set_back_stretches_a_token() {
    let scene = scene(rule_files::demo().unwrap()).await;
    let (watcher, cut) = (watcher(&scene), Cut::default());
    let _watch = open(&scene, &watcher, &cut);
    let mut memory = Memory::default();
    assert_eq!(round(&watcher, &mut memory).await, []);
    scene.clock.set(scene.clock.now().minus(HOUR));
    assert_eq!(round(&watcher, &mut memory).await, []);
    scene.clock.advance(HOUR);
    let cuts = round(&watcher, &mut memory).await;
    assert_eq!((cuts.len(), &cuts[0].cause), (1, &CutCause::TokenExpired));
}
