//! The first page: who lost access and why, where people are denied, and what there is to do.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;

use super::pages::frame;
use super::scene::{FINANCE, Scene, get, publish, scene, subject};
use crate::console::choice::{Named, Tab};
use crate::console::dashboard::card::Unread;
use crate::console::dashboard::denied::{Denied, DeniedRow, Sparkline};
use crate::console::dashboard::ending::Ending;
use crate::console::dashboard::health::Part;
use crate::console::dashboard::lost::{Lost, LostGroup, LostRow};
use crate::console::dashboard::now::{Now, Number};
use crate::console::dashboard::page::DashboardPage;
use crate::console::dashboard::steps::{Progress, Step};
use crate::console::directory::known::PersonCell;
use crate::console::sections::Section;
use crate::console::urls;
use crate::model::grant::Who;
use crate::model::host::Host;
use crate::model::id::{GrantId, ReleaseNumber};
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use crate::model::record::{
    Circumstances, ClientAddress, DecisionRecord, Door, MfaState, Reason, RequestFacts, RuleId,
    Verdict,
};
use crate::model::rule_book::RuleBook;
use crate::model::time::{Instant, Timestamp};
use crate::rule_files;
use crate::store::audit::search::Step as Filing;
use crate::web::moment::Moment;
use crate::web::page::{Notice, Tone};
use crate::web::tests::markup::{Text, check, check_block, innocent};

/// A request of somebody for the route `intranet/finance`.
pub(super) struct Deed {
    pub(super) name: &'static str,
    pub(super) groups: &'static [&'static str],
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) release: i64,
    pub(super) reason: Reason,
    pub(super) rule: Option<&'static str>,
}

pub(super) const READ: Deed = Deed {
    name: "uma",
    groups: &[FINANCE],
    method: "GET",
    path: "/finance/summary",
    release: 1,
    reason: Reason::Granted,
    rule: Some("finance-read"),
};
/// The same of somebody who is not let in any more.
pub(super) const READ_ONCE: Deed = Deed { name: "nora", groups: &[], ..READ };
pub(super) const DENIED: Deed = Deed { reason: Reason::NoGrant, rule: None, ..READ };

pub(super) async fn did(scene: &Scene, deed: &Deed) {
    let principal = Principal::User(User {
        directory_roles: BTreeSet::new(),
        subject: subject(deed.name).parse().unwrap(),
        user_name: format!("{}@contoso.example", deed.name),
        name: format!("{} Person", deed.name),
        email: None,
        guest: GuestStatus::Member,
        groups: deed.groups.iter().map(|id| id.parse().unwrap()).collect(),
        roles: BTreeSet::new(),
    });
    let nobody = deed.reason == Reason::NotSignedIn;
    did_by(scene, deed, if nobody { Principal::Anonymous } else { principal }).await;
}

pub(super) async fn did_by(scene: &Scene, deed: &Deed, principal: Principal) {
    let now = scene.clock.now();
    let verdict = if deed.reason == Reason::Granted { Verdict::Allow } else { Verdict::Deny };
    let decision = DecisionRecord {
        facts: RequestFacts {
            request: "r-1".parse().unwrap(),
            door: Door::Proxy,
            client: ClientAddress::Known([192, 0, 2, 7].into()),
            method: deed.method.to_owned(),
            host: Some(Host::from_authority("app.localhost").unwrap()),
            path: deed.path.to_owned(),
            unfolded: None,
        },
        principal: PrincipalSnapshot::new(principal),
        session: None,
        app: Some("intranet".parse().unwrap()),
        route: Some("intranet/finance".parse().unwrap()),
        action: deed.method.to_owned(),
        console: None,
        circumstances: Circumstances {
            now,
            mfa: MfaState::NotMet,
            auth_contexts: BTreeSet::new(),
            signed_in_at: None,
            params: [("rest".to_owned(), deed.path.to_owned())].into(),
            local: std::collections::BTreeMap::new(),
        },
        release: ReleaseNumber(deed.release),
        verdict,
        reason: deed.reason,
        rules: deed.rule.map(|id| RuleId::Grant(id.parse().unwrap())).into_iter().collect(),
        errors: Vec::new(),
        duration_us: 1_200,
    };
    drop(scene.doorkeeper.audit.decided(decision).await.unwrap());
}

/// Lets uma in, and denies her the same a while later.
async fn let_in_and_denied(scene: &Scene, denied: &Deed) {
    did(scene, &READ).await;
    scene.clock.advance(Duration::from_mins(30));
    did(scene, denied).await;
    scene.clock.advance(Duration::from_mins(1));
}

pub(super) fn file(scene: &Scene) {
    let mut indexer = scene.searcher.indexer();
    while indexer.step().unwrap() != Filing::Idle {}
}

async fn seen_by(scene: &Scene, role: &str) -> String {
    file(scene);
    let person = scene.person(role, &[role]).await;
    let page = scene.send(&person, get("/console/?range=24h")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.text
}

/// What a release changes.
type Change = fn(&mut RuleBook);

/// The next release.
async fn republished(scene: &Scene, based_on: i64, change: Change) {
    let mut book = rule_files::demo().unwrap();
    change(&mut book);
    book.assertions.clear();
    publish(&scene.store, &book, ReleaseNumber(based_on)).await;
}

fn without_grant(book: &mut RuleBook) {
    book.grants.retain(|grant| grant.id.as_str() != "finance-read");
}

#[tokio::test]
async fn who_lost_access_by_a_release_is_named_with_the_way_back() {
    let scene = scene().await;
    republished(&scene, 1, without_grant).await;
    let_in_and_denied(&scene, &Deed { release: 2, ..DENIED }).await;
    let page = seen_by(&scene, "owner").await;
    for said in [
        "1 person lost access in the last hour",
        "after release 2",
        "Release 2 changed the rules",
        "/console/releases/1...2",
        "Roll back",
        "uma Person",
        "intranet/finance",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[tokio::test]
async fn whoever_may_not_read_the_log_sees_how_many_and_no_names() {
    let scene = scene().await;
    republished(&scene, 1, without_grant).await;
    let_in_and_denied(&scene, &Deed { release: 2, ..DENIED }).await;
    for role in ["viewer", "editor", "publisher"] {
        let page = seen_by(&scene, role).await;
        assert!(page.contains("1 person lost access") && page.contains("intranet/finance"));
        for hidden in ["uma", &subject("uma"), "/console/decisions", "Latest changes"] {
            assert!(!page.contains(hidden), "{role} {hidden}: {page}");
        }
    }
}

#[tokio::test]
async fn what_was_never_allowed_or_is_allowed_again_is_no_loss() {
    let normal = "Everything was decided normally";
    let scene = scene().await;
    let_in_and_denied(&scene, &DENIED).await;
    did(&scene, &READ).await;
    assert!(seen_by(&scene, "owner").await.contains(normal), "let in again");
    let scene = super::scene::scene().await;
    let_in_and_denied(&scene, &Deed { method: "POST", ..DENIED }).await;
    assert!(seen_by(&scene, "owner").await.contains(normal), "never let in to write");
    let scene = super::scene::scene().await;
    let_in_and_denied(&scene, &Deed { name: "nora", ..DENIED }).await;
    assert!(seen_by(&scene, "owner").await.contains(normal), "somebody else");
    let scene = super::scene::scene().await;
    did(&scene, &READ).await;
    scene.clock.advance(Duration::from_hours(8 * 24));
    did(&scene, &DENIED).await;
    assert!(seen_by(&scene, "owner").await.contains(normal), "too long ago");
}

#[tokio::test]
async fn each_loss_is_told_by_its_cause() {
    let end = |book: &mut RuleBook| {
        let grant = book.grants.iter_mut().find(|grant| grant.id.as_str() == "finance-read");
        grant.unwrap().when.until = Some(Instant(Timestamp::from_seconds(1_795_511_702 + 600)));
    };
    let forbid = |book: &mut RuleBook| {
        let mut grant = book.grants[0].clone();
        grant.id = "no-finance".parse::<GrantId>().unwrap();
        grant.effect = crate::model::grant::Effect::Forbid;
        grant.who = Who::SignedIn;
        grant.route = "intranet/finance".parse().unwrap();
        grant.when = crate::model::grant::Conditions::default();
        book.grants.push(grant);
    };
    let cases: [(&str, Change, i64, Deed); 6] = [
        ("left the group or lost the role", |_| {}, 1, Deed { groups: &[], ..DENIED }),
        ("A condition of the grant", |_| {}, 1, DENIED),
        ("A rule failed", |_| {}, 1, Deed { reason: Reason::PolicyError, ..DENIED }),
        ("The grant finance-read ended", end, 2, DENIED),
        (
            "Release 2 changed the rules",
            forbid,
            1,
            Deed { reason: Reason::Forbidden, rule: Some("no-finance"), ..DENIED },
        ),
        (
            "A rule forbids it as things stand now",
            forbid,
            2,
            Deed { reason: Reason::Forbidden, rule: Some("no-finance"), ..DENIED },
        ),
    ];
    for (cause, change, allowed_in, denied) in cases {
        let scene = scene().await;
        republished(&scene, 1, change).await;
        did(&scene, &Deed { release: allowed_in, ..READ }).await;
        scene.clock.advance(Duration::from_mins(30));
        did(&scene, &Deed { release: 2, ..denied }).await;
        let page = seen_by(&scene, "owner").await;
        assert!(page.contains(cause), "{cause}: {page}");
    }
}

#[tokio::test]
async fn denials_are_counted_by_route_without_those_who_had_to_sign_in_first() {
    let scene = scene().await;
    for _ in 0..6 {
        did(&scene, &READ).await;
        did(&scene, &Deed { reason: Reason::NotSignedIn, ..DENIED }).await;
    }
    for name in ["nora", "rob", "nora"] {
        did(&scene, &Deed { name, ..DENIED }).await;
        scene.clock.advance(Duration::from_mins(90));
    }
    let page = seen_by(&scene, "owner").await;
    let numbers = page.split("class=\"numbers\"").nth(1).unwrap();
    for said in [">15</a>", ">20.0 %</a>", ">2 ms</a>"] {
        assert!(numbers.contains(said), "{said}: {numbers}");
    }
    let denied = page.split("id=\"denied\"").nth(1).unwrap();
    let row = denied.split("<tbody>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(row.contains(">3</a>") && row.contains("<td>2<"), "{row}");
    assert!(row.contains("No grant for this person") && row.contains("#grant-form"), "{row}");
    assert!(row.contains("at most 1 in an hour"), "{row}");
    let hour = scene.send(&scene.owner().await, get("/console/?range=1h")).await;
    assert!(hour.text.contains("Nobody who was signed in was denied"), "{}", hour.text);
}

#[tokio::test]
async fn new_installation_is_led_through_its_first_steps() {
    let scene = super::scene::scene_of(RuleBook::default()).await;
    let page = seen_by(&scene, "owner").await;
    let steps = page.split("id=\"steps\"").nth(1).unwrap();
    // Entra answered, and the role of owners can be held by several.
    assert!(steps.contains("2 of 5 done"), "{steps}");
    assert!(page.find("id=\"steps\"") < page.find("id=\"now\""), "it stands first");
    let later = super::scene::scene().await;
    let page = seen_by(&later, "owner").await;
    assert!(page.contains("4 of 5 done"), "{page}");
    assert!(page.find("id=\"steps\"") > page.find("id=\"now\""), "it stands last");
}

#[tokio::test]
async fn unknown_range_is_refused_and_the_bare_address_leads_here() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let wrong = scene.send(&owner, get("/console/?range=2y")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let bare = scene.send(&owner, get("/console")).await;
    assert_eq!((bare.status, bare.header("location")), (StatusCode::SEE_OTHER, "/console/"));
}

#[tokio::test]
async fn open_page_is_told_how_things_stand() {
    let scene = scene().await;
    republished(&scene, 1, without_grant).await;
    let_in_and_denied(&scene, &Deed { release: 2, ..DENIED }).await;
    file(&scene);
    for role in ["owner", "viewer"] {
        let person = scene.person(role, &[role]).await;
        let stream = scene.send(&person, get("/console/numbers?range=1h")).await;
        assert_eq!(stream.header("content-type"), "text/event-stream");
        assert!(stream.text.contains("1 person lost access"), "{}", stream.text);
        assert!(!stream.text.contains("uma") && !stream.text.contains("hx-"), "{}", stream.text);
    }
}

fn at() -> Moment {
    Moment::new(Timestamp::from_seconds(1_795_511_702))
}

fn route(text: Text) -> Named {
    Named { name: text("intranet/finance"), link: Some(urls::routes()) }
}

fn told(text: Text, tone: Tone, said: &str) -> Notice {
    Notice { tone, text: text(said) }
}

fn now(text: Text) -> Now {
    let number = |label, value: &str, compared: &str| Number {
        label,
        value: text(value),
        compared: text(compared),
        link: Some(urls::decisions()),
    };
    Now {
        note: told(text, Tone::Careful, "38 people lost access, after release 8."),
        remedies: vec![("Review release 8".to_owned(), urls::releases())],
        numbers: vec![
            number("Requests to apps", "8 412", "7 900 in the 24 hours before"),
            number("Denied though signed in", "2.3 %", "0.9 % in the 24 hours before"),
            number("99 of 100 decided within", "1 ms", "1 ms in the 24 hours before"),
            number("Waiting in the draft", "3 changes", "Last edited 24 Nov 2026, 09:15 UTC"),
        ],
        remark: None,
    }
}

fn lost(text: Text) -> Lost {
    let who = PersonCell {
        name: text("Uma Umarov"),
        user_name: text("uma@contoso.example"),
        id: subject("uma"),
        kind: None,
        link: urls::people(),
    };
    let row = |who| LostRow {
        who,
        people: "1 person".to_owned(),
        method: "GET".to_owned(),
        route: route(text),
        allowed_at: at(),
        denied_at: at(),
        times: "3 times".to_owned(),
        link: Some(urls::decisions()),
    };
    Lost {
        people: "38 people".to_owned(),
        number: 38,
        release: Some((ReleaseNumber(8), 38)),
        groups: vec![LostGroup {
            cause: text("Release 8 changed the rules"),
            remedy: Some((text("Review release 8"), urls::releases())),
            rows: vec![row(Some(who)), row(None)],
            more: 28,
        }],
        partial: Some("There were too many denials to read all of them."),
    }
}

fn denied(text: Text) -> DeniedRow {
    DeniedRow {
        route: route(text),
        denied: "193".to_owned(),
        people: "41".to_owned(),
        first: at(),
        last: at(),
        trend: Sparkline {
            bars: (0..24).map(|n| [n * 4, 20 - n % 7 * 3, n % 7 * 3]).collect(),
            width: 96,
            numbers: "In each hour, oldest first: 1, 2".to_owned(),
            highest: "at most 12 in an hour".to_owned(),
        },
        reason: text("No grant for this person"),
        decisions: Some(urls::decisions()),
        grant: Some(urls::routes()),
    }
}

fn page(text: Text) -> DashboardPage {
    DashboardPage {
        frame: frame("Dashboard", Section::Dashboard, text),
        ranges: vec![Tab { label: "24 hours", link: urls::home(), is_here: Some("page") }],
        range: "the last 24 hours",
        refresh: urls::home(),
        at: at(),
        now: now(text),
        live: urls::numbers(),
        steps: vec![Step {
            progress: Progress::Open,
            text: "Check the log",
            hint: "It proves that nothing was changed or removed.",
            link: Some(urls::events()),
        }],
        lost: Ok(lost(text)),
        denied: Ok(Denied { rows: vec![denied(text)], more: None }),
        ending: vec![Ending {
            what: text("Finance may read intranet/finance"),
            end: told(text, Tone::Careful, "Ends 26 Nov 2026, in 2 days"),
            link: urls::routes(),
        }],
        calm: "No grant ends in the next 14 days.",
        changes: Some(Ok(Vec::new())),
        all_changes: urls::events(),
        health: vec![Part {
            name: "Log",
            standing: told(text, Tone::Good, "1.2 GB large, 84 GB free on its disk"),
            link: None,
        }],
    }
}

#[test]
fn dashboard_page_a59() {
    check("console_dashboard", page);
    check_block("health", &now(innocent), "health");
}

#[test]
fn card_that_fails_says_so_and_leaves_the_others() {
    check("console_dashboard_unread", |text| DashboardPage {
        lost: Err(Unread),
        changes: Some(Err(Unread)),
        ..page(text)
    });
    let html = askama::Template::render(&DashboardPage { lost: Err(Unread), ..page(innocent) });
    let html = html.unwrap();
    assert!(html.contains("This could not be read") && html.contains("193"), "{html}");
}
