//! Adding a grant: into the draft, on record, in force once it is published, and never over somebody else's change.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;

use super::scene::{Answered, FINANCE, Person, Scene, get, post, scene};
use crate::authz::decision::Question;
use crate::model::grant::Method;
use crate::model::id::ReleaseNumber;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{Circumstances, ClientAddress, MfaState, Verdict};
use crate::model::time::Timestamp;

const GRANTS: &str = "/console/routes/intranet/reports/grants";

/// The form as the page sends it: Finance may read, as a new grant.
pub(super) fn fields(csrf: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("_csrf", csrf),
        ("revision", ""),
        ("effect", "permit"),
        ("who_kind", "group"),
        ("who", "Finance"),
        ("what", "read"),
        ("methods", ""),
        ("reach", "below"),
        ("networks", ""),
        ("until", ""),
        ("mfa", "optional"),
        ("reason", "Quarterly figures, OPS-4412"),
        ("ticket", ""),
    ]
}

/// The same with one field changed or left out.
pub(super) fn with<'a>(
    fields: &[(&'a str, &'a str)],
    name: &'a str,
    value: Option<&'a str>,
) -> Vec<(&'a str, &'a str)> {
    let mut fields = fields.to_vec();
    match (fields.iter_mut().find(|(own, _)| *own == name), value) {
        (Some(field), Some(value)) => field.1 = value,
        (None, Some(value)) => fields.push((name, value)),
        (_, None) => fields.retain(|(own, _)| *own != name),
    }
    fields
}

async fn add(scene: &Scene, person: &Person, changed: &[(&str, &str)]) -> Answered {
    let csrf = person.csrf();
    let fields =
        changed.iter().fold(fields(&csrf), |all, (name, value)| with(&all, name, Some(value)));
    scene.send(person, post(GRANTS, &fields)).await
}

/// What the rules in force say of a member of Finance who reads a report.
fn verdict(scene: &Scene) -> Verdict {
    verdict_at(scene, "/reports/2026", scene.clock.now())
}

/// What they say of a member of Finance who reads this then.
pub(super) fn verdict_at(scene: &Scene, path: &str, now: Timestamp) -> Verdict {
    let snapshot = scene.doorkeeper.live.current();
    let found = snapshot.find(&"intranet".parse().unwrap(), path).unwrap();
    let user = serde_json::json!({
        "kind": "user", "subject": "aaaaaaaa-0000-4000-8000-000000000000.aaaaaaaa-0000-4000-8000-000000000001",
        "user_name": "u", "name": "u", "email": null, "guest": "member", "groups": [FINANCE], "roles": [],
    });
    let principal: Principal = serde_json::from_value(user).unwrap();
    let circumstances = Circumstances {
        now,
        mfa: MfaState::NotMet,
        auth_contexts: BTreeSet::new(),
        signed_in_at: None,
        params: BTreeMap::new(),
        local: BTreeMap::new(),
    };
    let question = Question {
        principal: &PrincipalSnapshot::new(principal),
        route: &found.route,
        method: Method::Get,
        host: &"app.localhost".parse().unwrap(),
        path,
        client: ClientAddress::Known([192, 0, 2, 7].into()),
        circumstances: &circumstances,
    };
    snapshot.decide(&question).verdict
}

/// The content hash on the page of the draft.
pub(super) async fn content(scene: &Scene, person: &Person) -> String {
    let page = scene.send(person, get("/console/draft")).await;
    let (_, rest) = page.text.split_once("name=\"content\" value=\"").expect(&page.text);
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn added_grant_waits_in_the_draft_and_is_in_force_once_published() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let answer = add(&scene, &owner, &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let place = "/console/routes/intranet/reports?saved=g-finance-read-2#grant-g-finance-read-2";
    assert_eq!(answer.header("location"), place);
    assert_eq!(verdict(&scene), Verdict::Deny, "nothing is in force that nobody published");
    let page = scene.send(&owner, get(place)).await;
    for text in ["is saved to the draft", "Added in the draft", "1 change, not in force"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let content = content(&scene, &owner).await;
    let csrf = owner.csrf();
    let fields = [
        ("_csrf", csrf.as_str()),
        ("content", content.as_str()),
        ("based_on", "1"),
        ("note", "Finance reads reports"),
    ];
    let answer = scene.send(&owner, post("/console/draft/publish", &fields)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(verdict(&scene), Verdict::Allow);
    let release = scene.store.live().await.unwrap().unwrap();
    assert_eq!(
        (release.number, release.note.as_str()),
        (ReleaseNumber(2), "Finance reads reports")
    );
    assert!(release.cedar.contains("grant:g-finance-read-2"), "{}", release.cedar);
    let outbox = scene.store.outbox_after(0, 1_000).await.unwrap();
    let actions: Vec<_> = outbox.iter().map(|row| row.change.action.as_str()).collect();
    let [.., first, added, second] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!(
        [*first, *added, *second],
        ["release_published", "grant_added", "release_published"]
    );
    let records = scene.stopped().await;
    let is_new = |record: &&serde_json::Value| record["object"] == "grant:g-finance-read-2";
    let change = records.iter().find(is_new).unwrap();
    assert_eq!(change["action"], "grant_added");
    assert_eq!(change["after"]["reason"], "Quarterly figures, OPS-4412");
    assert!(change["actor"].as_str().unwrap().starts_with("aaaaaaaa-"), "{change}");
}

#[tokio::test]
async fn script_gets_the_block_with_the_new_grant_and_the_bar() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let csrf = owner.csrf();
    let answer = scene.send(&owner, post(GRANTS, &fields(&csrf)).htmx()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains("<div id=\"access\""), "{}", answer.text);
    assert!(!answer.text.contains("<html"), "a block, not a page: {}", answer.text);
    assert!(answer.text.contains("grant-g-finance-read-2"));
    assert!(answer.text.contains("id=\"draft-bar\"") && answer.text.contains("1 change"));
    assert!(answer.header("hx-trigger").contains("announce"));
}

#[tokio::test]
async fn of_two_grants_added_before_a_release_each_has_an_id_of_its_own() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for _ in 0..2 {
        assert_eq!(add(&scene, &owner, &[]).await.status, StatusCode::SEE_OTHER);
    }
    let draft = scene.store.draft().await.unwrap();
    let added = draft.grants.iter().filter(|grant| grant.id.as_str().starts_with("g-finance"));
    assert_eq!(added.count(), 2);
}

#[tokio::test]
async fn every_mistake_is_shown_at_once_and_what_was_typed_stays() {
    let scene = scene().await;
    let typed = [
        ("who", "Finanse"),
        ("networks", "10.20.0.0/33"),
        ("until", "2020-01-01T00:00"),
        ("reason", ""),
        ("what", "everything"),
    ];
    let answer = add(&scene, &scene.owner().await, &typed).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        "value=\"Finanse\"",
        "No group has this name.",
        "value=\"10.20.0.0/33\"",
        "is not a network",
        "value=\"2020-01-01T00:00\"",
        "This moment has passed.",
        "Say why they need it.",
        "Choose one of these.",
    ] {
        assert!(answer.text.contains(text), "{text}");
    }
    assert_eq!(answer.text.matches("aria-invalid").count(), 5);
    assert!(scene.store.pending().await.unwrap().pending.is_empty());
}

async fn check(scene: &Scene, changed: &[(&str, &str)], expected: StatusCode) {
    let answer = add(scene, &scene.owner().await, changed).await;
    assert_eq!(answer.status, expected, "{changed:?}: {}", answer.text);
}

#[tokio::test]
async fn fields_are_read_in_one_way_only() {
    let scene = scene().await;
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    check(&scene, &[("who_kind", "signed_in")], wrong).await;
    check(&scene, &[("who_kind", "person"), ("who", "uma@contoso.example")], wrong).await;
    check(&scene, &[("who_kind", "admin")], wrong).await;
    check(&scene, &[("who", "")], wrong).await;
    check(&scene, &[("networks", "10.20.4.1/16")], wrong).await;
    check(&scene, &[("networks", "10.20.4.1")], wrong).await;
    check(&scene, &[("until", "2027-01-01T00:00+02:00")], wrong).await;
    check(&scene, &[("reason", "two\nlines")], wrong).await;
    check(&scene, &[("who", "Admins\" || true || \"")], wrong).await;
    check(&scene, &[("effect", "maybe")], wrong).await;
    check(&scene, &[("what", "methods")], wrong).await;
    check(&scene, &[("what", "methods"), ("methods", "GET BREW")], wrong).await;
    check(&scene, &[("who_kind", "tenants"), ("who", "contoso.example")], wrong).await;
    check(&scene, &[("ticket", "two\nlines")], wrong).await;
    check(&scene, &[("what", "methods"), ("methods", "get, POST")], StatusCode::SEE_OTHER).await;
    check(
        &scene,
        &[("who_kind", "signed_in"), ("who", ""), ("until", "2027-01-01T00:00")],
        StatusCode::SEE_OTHER,
    )
    .await;
    let id = "11111111-5B6A-4c7d-9e8f-0a1b2c3d4e5f";
    check(
        &scene,
        &[("who", id), ("networks", "10.20.0.0/16, 2001:db8::/32")],
        StatusCode::SEE_OTHER,
    )
    .await;
}

#[tokio::test]
async fn fields_that_the_form_does_not_have_are_refused_a62() {
    let scene = scene().await;
    let refused = StatusCode::BAD_REQUEST;
    check(&scene, &[("hours", "always")], refused).await;
    check(&scene, &[("route", "intranet/admin")], refused).await;
    check(&scene, &[("id", "admin")], refused).await;
    check(&scene, &[("by", "someone else")], refused).await;
    check(&scene, &[("based_on", "1")], refused).await;
    let owner = scene.owner().await;
    let csrf = owner.csrf();
    let mut twice = fields(&csrf);
    twice.push(("who", "IT-Admins"));
    assert_eq!(scene.send(&owner, post(GRANTS, &twice)).await.status, refused);
    let short = with(&fields(&csrf), "mfa", None);
    assert_eq!(scene.send(&owner, post(GRANTS, &short)).await.status, refused);
    assert!(scene.store.pending().await.unwrap().pending.is_empty());
}

#[tokio::test]
async fn ids_that_are_not_there_are_not_found_a62() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for target in [
        "/console/routes/wiki/finance",
        "/console/routes/intranet/nothing",
        "/console/routes/intranet/finance%2Fgrants",
        "/console/routes/INTRANET/finance",
        "/console/decisions/00000000-7",
        "/console/decisions/..%2f",
    ] {
        assert_eq!(scene.send(&owner, get(target)).await.status, StatusCode::NOT_FOUND, "{target}");
    }
    let csrf = owner.csrf();
    let other = post("/console/routes/wiki/finance/grants", &fields(&csrf));
    assert_eq!(scene.send(&owner, other).await.status, StatusCode::NOT_FOUND);
    assert!(scene.store.pending().await.unwrap().pending.is_empty());
}

#[tokio::test]
async fn viewers_see_no_form() {
    let scene = scene().await;
    let viewer = scene.person("viewer", &["viewer"]).await;
    let page = scene.send(&viewer, get("/console/routes/intranet/finance")).await;
    assert!(page.text.contains("finance-read") && !page.text.contains("grant-form"));
    let owner = scene.send(&scene.owner().await, get("/console/routes/intranet/finance")).await;
    assert!(owner.text.contains("grant-form"));
}
