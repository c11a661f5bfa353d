//! Names of groups: when they are asked for, what is kept, recorded and said of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::refresher::{Plan, Refresher};
use super::{Answer, Groups, NameSource, NamesStanding, Unnamed};
use crate::audit::tests::ward;
use crate::audit::{self, AuditSettings};
use crate::authz::compile::{MfaSetting, Terms};
use crate::live::Live;
use crate::model::group::GroupMark;
use crate::model::id::{GroupId, ReleaseNumber};
use crate::model::rule_book::RuleBook;
use crate::model::time::{Clock, Timestamp};
use crate::rule_files;
use crate::store::{Publication, Store};

const FINANCE: &str = "9a000000-0000-4000-8000-0000000f1a2c";
const CONSOLE: &str = "9a000000-0000-4000-8000-00000000c0de";
const HOUR: Duration = Duration::from_hours(1);

/// A stand-in for Entra.
#[derive(Debug, Default)]
struct Book {
    names: Mutex<BTreeMap<GroupId, String>>,
    fails: Mutex<Option<Unnamed>>,
    asked: Mutex<Vec<Vec<GroupId>>>,
}

impl NameSource for Book {
    fn names<'a>(&'a self, groups: &'a [GroupId]) -> Answer<'a> {
        self.asked.lock().unwrap().push(groups.to_vec());
        let fails = self.fails.lock().unwrap().clone();
        let mut names = self.names.lock().unwrap().clone();
        names.retain(|id, _| groups.contains(id));
        Box::pin(std::future::ready(fails.map_or(Ok(names), Err)))
    }
}

struct Scene {
    refresher: Refresher,
    plan: Plan,
    book: Arc<Book>,
    clock: Clock,
    store: Store,
    _log: audit::Writer,
    _home: TempDir,
}

fn id(text: &str) -> GroupId {
    text.parse().unwrap()
}

async fn scene() -> Scene {
    let home = TempDir::new().unwrap();
    let url = |name: &str| format!("sqlite://{}/{name}.db", home.path().display());
    let clock = Clock::fixed(Timestamp::from_seconds(1_790_000_000));
    let store = Store::open(&url("cedargate")).await.unwrap();
    publish(&store, &clock, rule_files::demo().unwrap()).await;
    let terms = Terms { public_host: "gate.example".parse().unwrap(), mfa: MfaSetting::Configured };
    let live = Live::load(&store, terms).await.unwrap();
    let log =
        audit::open(&url("audit"), AuditSettings::default(), clock.clone(), ward(home.path()))
            .await
            .unwrap();
    let book = Arc::<Book>::default();
    let refresher = Refresher {
        groups: Groups::load(&store, clock.now()).await.unwrap(),
        store: store.clone(),
        live,
        source: Arc::<Book>::clone(&book),
        audit: log.audit,
        clock: clock.clone(),
        named_in_settings: BTreeSet::from([id(CONSOLE)]),
    };
    let plan = refresher.plan();
    Scene { refresher, plan, book, clock, store, _log: log.writer, _home: home }
}

async fn publish(store: &Store, clock: &Clock, rule_book: RuleBook) {
    let based_on = store.live_number().await.unwrap();
    let publication = Publication {
        based_on,
        rule_book,
        cedar: String::new(),
        schema: String::new(),
        note: String::new(),
        by: "operator:test".to_owned(),
        at: clock.now(),
        draft: None,
    };
    store.publish(publication).await.unwrap();
}

impl Scene {
    fn call(&self, group: &str, name: &str) {
        self.book.names.lock().unwrap().insert(id(group), name.to_owned());
    }

    fn fail(&self, with: Option<Unnamed>) {
        *self.book.fails.lock().unwrap() = with;
    }

    async fn look(&mut self) {
        self.refresher.look(&mut self.plan).await;
    }

    /// How often somebody was asked since the last call.
    fn asked(&self) -> usize {
        std::mem::take(&mut *self.book.asked.lock().unwrap()).len()
    }

    fn mark(&self, group: &str) -> Option<GroupMark> {
        self.refresher.groups.names(&BTreeMap::new()).mark(&id(group))
    }

    fn label(&self, group: &str) -> String {
        self.refresher.groups.names(&BTreeMap::new()).label(&id(group))
    }

    /// The actions of the gate's own changes, and the groups that they are about.
    async fn changes(&self) -> Vec<(String, String)> {
        let rows = self.store.outbox_after(0, 100).await.unwrap();
        let own = rows.into_iter().filter(|row| row.author.by == "gate");
        own.map(|row| (row.change.action, row.change.object)).collect()
    }
}

#[tokio::test]
async fn rules_and_settings_are_asked_about_once_and_then_every_few_hours() {
    let mut scene = scene().await;
    scene.call(FINANCE, "Finance");
    scene.look().await;
    let asked = scene.book.asked.lock().unwrap().remove(0);
    assert!(asked.contains(&id(FINANCE)) && asked.contains(&id(CONSOLE)), "{asked:?}");
    assert_eq!(scene.label(FINANCE), "Finance");
    assert_eq!(scene.refresher.groups.standing(), NamesStanding::Read { at: scene.clock.now() });
    for _ in 0..10 {
        scene.clock.advance(HOUR / 4);
        scene.look().await;
    }
    assert_eq!(scene.asked(), 0, "two and a half hours later");
    scene.clock.advance(3 * HOUR);
    scene.look().await;
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn what_was_asked_before_a_restart_is_not_asked_again_at_once() {
    let mut scene = scene().await;
    scene.look().await;
    assert_eq!(scene.asked(), 1);
    scene.clock.advance(HOUR);
    let now = scene.clock.now();
    scene.refresher.groups = Groups::load(&scene.store, now).await.unwrap();
    scene.plan = scene.refresher.plan();
    scene.look().await;
    assert_eq!(scene.asked(), 0);
}

#[tokio::test]
async fn group_that_a_new_release_names_is_asked_about_alone_and_at_once() {
    const NEW: &str = "9a000000-0000-4000-8000-000000000123";
    let mut scene = scene().await;
    scene.look().await;
    scene.asked();
    let mut book = rule_files::demo().unwrap();
    book.group_names.insert(id(NEW), "New".to_owned());
    publish(&scene.store, &scene.clock, book.clone()).await;
    let live = &scene.refresher.live;
    live.install(live.compile(&book, ReleaseNumber(2)).unwrap());
    scene.look().await;
    assert_eq!(*scene.book.asked.lock().unwrap(), [[id(NEW)]]);
    assert_eq!(scene.mark(NEW), Some(GroupMark::Unknown));
    scene.look().await;
    assert_eq!(scene.asked(), 1);
    assert_eq!(scene.changes().await, [], "what Entra never knew is no change");
}

#[tokio::test]
async fn renamed_and_deleted_groups_are_marked_and_recorded_once() {
    let mut scene = scene().await;
    scene.call(FINANCE, "Finance");
    scene.look().await;
    scene.call(FINANCE, "Finance Europe");
    for _ in 0..2 {
        scene.clock.advance(5 * HOUR);
        scene.look().await;
    }
    let object = format!("group:{FINANCE}");
    let renamed = ("group_renamed".to_owned(), object.clone());
    assert_eq!(scene.changes().await, std::slice::from_ref(&renamed));
    assert_eq!(scene.label(FINANCE), "Finance Europe");
    assert_eq!(scene.mark(FINANCE), Some(GroupMark::Renamed("Finance".to_owned())));
    scene.book.names.lock().unwrap().clear();
    for _ in 0..2 {
        scene.clock.advance(5 * HOUR);
        scene.look().await;
    }
    let deleted = ("group_deleted".to_owned(), object.clone());
    assert_eq!(scene.changes().await, [renamed.clone(), deleted.clone()]);
    assert_eq!(scene.mark(FINANCE), Some(GroupMark::Deleted));
    assert_eq!(scene.label(FINANCE), "Finance Europe", "under the name that it had");
    scene.call(FINANCE, "Finance Europe");
    scene.clock.advance(5 * HOUR);
    scene.look().await;
    assert_eq!(scene.changes().await, [renamed, deleted, ("group_found".to_owned(), object)]);
    // After a while the old name is no news.
    scene.clock.advance(100 * 24 * HOUR);
    scene.look().await;
    assert_eq!(scene.mark(FINANCE), None);
}

#[tokio::test]
async fn failures_are_waited_out_longer_and_longer_and_names_stay() {
    let mut scene = scene().await;
    scene.call(FINANCE, "Finance");
    scene.look().await;
    scene.asked();
    scene.fail(Some(Unnamed::Unavailable("status 429".to_owned())));
    scene.clock.advance(5 * HOUR);
    let begun = scene.clock.now();
    let mut times = Vec::new();
    while times.len() < 5 {
        scene.look().await;
        if scene.asked() > 0 {
            times.push(scene.clock.now().since(begun).as_secs() / 60);
        }
        scene.clock.advance(Duration::from_secs(20));
    }
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.windows(2).all(|pair| pair[0] < pair[1]) && gaps[3] >= 6, "{gaps:?} minutes");
    assert_eq!((scene.label(FINANCE), scene.mark(FINANCE)), ("Finance".to_owned(), None));
    assert!(matches!(scene.refresher.groups.standing(), NamesStanding::Failing { .. }));
    scene.fail(None);
    scene.clock.advance(HOUR);
    scene.look().await;
    assert!(matches!(scene.refresher.groups.standing(), NamesStanding::Read { .. }));
}

#[tokio::test]
async fn without_permission_typed_names_serve_and_nothing_is_taken_for_deleted() {
    let mut scene = scene().await;
    scene.fail(Some(Unnamed::NoPermission("GroupMember.Read.All".to_owned())));
    scene.look().await;
    scene.clock.advance(HOUR / 2);
    scene.look().await;
    assert_eq!(scene.asked(), 1, "not again within half an hour");
    let typed = BTreeMap::from([(id(FINANCE), "Finance".to_owned())]);
    let names = scene.refresher.groups.names(&typed);
    assert_eq!((names.label(&id(FINANCE)), names.mark(&id(FINANCE))), ("Finance".to_owned(), None));
    assert_eq!(names.called("finance"), [&id(FINANCE)]);
    assert_eq!(names.label(&id(CONSOLE)), CONSOLE);
    assert!(matches!(scene.refresher.groups.standing(), NamesStanding::NoPermission { .. }));
}

#[tokio::test]
async fn name_of_entra_is_shown_and_a_typed_one_beside_it() {
    let mut scene = scene().await;
    scene.call(FINANCE, "SG-Finance-EU");
    scene.look().await;
    let typed = BTreeMap::from([(id(FINANCE), "Finance".to_owned())]);
    let names = scene.refresher.groups.names(&typed);
    assert_eq!(names.label(&id(FINANCE)), "SG-Finance-EU");
    assert_eq!(names.mark(&id(FINANCE)), Some(GroupMark::Typed("Finance".to_owned())));
    for name in ["sg-finance-eu", "FINANCE"] {
        assert_eq!(names.called(name), [&id(FINANCE)], "{name}");
    }
    assert_eq!(names.all(), [(&id(FINANCE), "SG-Finance-EU")]);
}
