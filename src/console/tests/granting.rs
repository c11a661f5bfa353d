//! What the page of a route says of its rules, and what its form offers.

use std::time::Duration;

use http::StatusCode;

use super::adding::{fields, with};
use super::drafting::form;
use super::meanwhile::meanwhile;
use super::scene::{get, post, scene, subject};
use crate::model::difference::revision;
use crate::model::grant::{Grant, Who};
use crate::model::policy::Policy;
use crate::model::rule_book::RuleBook;

const FINANCE_ROUTE: &str = "/console/routes/intranet/finance";
const ADMIN_ROUTE: &str = "/console/routes/intranet/admin";

/// The heading of a route's page, with its badge.
fn heading(page: &str) -> &str {
    page.split("id=\"access\"").next().unwrap()
}

#[tokio::test]
async fn written_rules_stand_at_the_routes_that_they_are_about() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let admin = scene.send(&owner, get(ADMIN_ROUTE)).await.text;
    assert!(admin.contains("href=\"/console/policies/no-guests-in-admin\""), "{admin}");
    assert!(admin.contains("may close it"), "{admin}");
    let finance = scene.send(&owner, get(FINANCE_ROUTE)).await.text;
    assert!(!finance.contains("no-guests-in-admin"), "{finance}");
}

#[tokio::test]
async fn a_route_that_no_rule_opens_is_closed_whatever_is_written_elsewhere() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let closed = |book: &mut RuleBook| {
        book.grants.clear();
        book.assertions.clear();
    };
    meanwhile(&scene, "operator:demo", closed).await;
    for route in [FINANCE_ROUTE, ADMIN_ROUTE] {
        let page = scene.send(&owner, get(route)).await.text;
        assert!(heading(&page).contains("Nobody"), "{page}");
        assert!(page.contains("No grants, so nothing is generated."), "{page}");
    }
    let text = "permit (principal, action, resource in Route::\"intranet/finance\");".to_owned();
    let opened = |book: &mut RuleBook| {
        book.policies.push(Policy { id: "open".parse().unwrap(), text });
    };
    meanwhile(&scene, "operator:demo", opened).await;
    let page = scene.send(&owner, get(FINANCE_ROUTE)).await.text;
    assert!(heading(&page).contains("Written rules") && page.contains("may open it"), "{page}");
    let page = scene.send(&owner, get(ADMIN_ROUTE)).await.text;
    assert!(heading(&page).contains("Nobody"), "{page}");
}

#[tokio::test]
async fn an_end_is_filled_in_by_a_button_and_nothing_is_saved() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let csrf = owner.csrf();
    let end = scene.clock.now().plus(Duration::from_hours(7 * 24)).to_jiff();
    let end = end.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let typed = with(&fields(&csrf), "ends", Some("week"));
    let typed = with(&typed, "reason", Some("Kept as typed"));
    for target in
        [format!("{FINANCE_ROUTE}/grants"), format!("{FINANCE_ROUTE}/grants/finance-read")]
    {
        let answer = scene.send(&owner, post(&target, &typed)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        for text in [format!("value=\"{end}\""), "Kept as typed".to_owned()] {
            assert!(answer.text.contains(&text), "{text}: {}", answer.text);
        }
    }
    assert!(scene.store.pending().await.unwrap().pending.is_empty());
    let wrong = with(&typed, "ends", Some("never"));
    let answer = scene.send(&owner, post(&format!("{FINANCE_ROUTE}/grants"), &wrong)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_form_of_a_grant_names_its_group() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let page = scene.send(&owner, get(&format!("{FINANCE_ROUTE}?edit=finance-read"))).await.text;
    assert!(page.contains("name=\"who\" list=\"known-groups\" autocomplete=\"off\" maxlength=\"400\" value=\"Finance\""), "{page}");
}

#[tokio::test]
async fn a_person_is_let_in_by_name_and_shown_by_name_to_those_who_may_read_people() {
    let scene = scene().await;
    let (owner, editor) = (scene.owner().await, scene.person("eddie", &["editor"]).await);
    scene.known_as(["uma", "Ann Lee"], &[]).await;
    let csrf = owner.csrf();
    let typed = with(&fields(&csrf), "who_kind", Some("person"));
    let typed = with(&typed, "who", Some("ann lee"));
    let target = format!("{FINANCE_ROUTE}/grants");
    let saved = scene.send(&owner, post(&target, &typed)).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let uma = subject("uma");
    for page in [FINANCE_ROUTE, "/console/routes", "/console/draft"] {
        let seen = scene.send(&owner, get(page)).await.text;
        assert!(seen.contains("Ann Lee"), "{page}: {seen}");
        let whole = scene.send(&editor, get(page)).await.text;
        assert!(!whole.contains("Ann Lee"), "{page}: {whole}");
        // Cedar itself knows nobody otherwise than by account id.
        let seen = whole.split("As Cedar").next().unwrap();
        assert!(!seen.contains(&uma), "{page}: {seen}");
        assert!(seen.contains("account "), "{page}: {seen}");
    }
    let csrf = editor.csrf();
    let typed = with(&typed, "_csrf", Some(&csrf));
    let refused = scene.send(&editor, post(&target, &typed)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "names are not told by trying");
}

#[tokio::test]
async fn the_form_of_a_persons_grant_names_them_and_takes_no_other_name_before_their_id() {
    let scene = scene().await;
    let (owner, editor) = (scene.owner().await, scene.person("eddie", &["editor"]).await);
    scene.known_as(["uma", "Ann Lee"], &[]).await;
    let (csrf, uma) = (owner.csrf(), subject("uma"));
    let typed = with(&fields(&csrf), "who_kind", Some("person"));
    let target = format!("{FINANCE_ROUTE}/grants");
    let who = format!("Nora <{uma}>");
    let refused = with(&typed, "who", Some(&who));
    let refused = scene.send(&owner, post(&target, &refused)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let said = format!("`&#60;{uma}&#62;` is Ann Lee, not Nora.");
    assert!(refused.text.contains(&said), "{said}: {}", refused.text);
    let who = format!(" ann  LEE <{uma}> ");
    let typed = with(&typed, "who", Some(&who));
    let saved = scene.send(&owner, post(&target, &typed)).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let grant = scene.store.draft().await.unwrap().grants;
    let is_hers = |one: &Grant| one.who == Who::Person(uma.parse().unwrap());
    let grant = grant.into_iter().find(is_hers).unwrap();
    let edit = format!("{FINANCE_ROUTE}?edit={}", grant.id);
    let seen = scene.send(&owner, get(&edit)).await.text;
    assert!(seen.contains(&format!("value=\"Ann Lee &#60;{uma}&#62;\"")), "{seen}");
    let seen = scene.send(&editor, get(&edit)).await.text;
    assert!(seen.contains(&format!("value=\"{uma}\"")) && !seen.contains("Ann Lee"), "{seen}");
    let open = format!("{FINANCE_ROUTE}?who_kind=person&who={uma}");
    let seen = scene.send(&owner, get(&open)).await.text;
    assert!(seen.contains(&format!("value=\"Ann Lee &#60;{uma}&#62;\"")), "{seen}");
}

#[tokio::test]
async fn a_name_before_an_id_decides_nothing_where_it_can_not_be_compared() {
    let scene = scene().await;
    let (owner, editor) = (scene.owner().await, scene.person("eddie", &["editor"]).await);
    scene.known_as(["uma", "Ann Lee"], &[]).await;
    let target = format!("{FINANCE_ROUTE}/grants");
    // Of one nothing is known, and of the other the editor may know nothing.
    for (person, id, hint) in [
        (&owner, subject("zoe"), "by both as Name"),
        (&editor, subject("uma"), "the id alone decides"),
    ] {
        let (csrf, who) = (person.csrf(), format!("Nora <{id}>"));
        let typed = with(&fields(&csrf), "who_kind", Some("person"));
        let typed = with(&typed, "who", Some(&who));
        let saved = scene.send(person, post(&target, &typed)).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
        let grants = scene.store.draft().await.unwrap().grants;
        let is_theirs = |one: &Grant| one.who == Who::Person(id.parse().unwrap());
        assert!(grants.iter().any(is_theirs));
        let page = scene.send(person, get(saved.header("location"))).await.text;
        let short = format!("account {}", &id.rsplit('.').next().unwrap().get(..8).unwrap());
        assert!(page.contains(&short) || page.contains(&id), "{page}");
        assert!(page.contains(hint) && !page.contains("Nora"), "{page}");
    }
}

#[tokio::test]
async fn a_name_that_several_have_lets_in_none_of_them() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for id in ["uma", "nora"] {
        scene.known_as([id, "Ann Lee"], &[]).await;
    }
    let csrf = owner.csrf();
    let typed = with(&fields(&csrf), "who_kind", Some("person"));
    for (who, said) in [("Ann Lee", "Several are called that"), ("Ann", "Nobody who was here")] {
        let typed = with(&typed, "who", Some(who));
        let target = format!("{FINANCE_ROUTE}/grants");
        let answer = scene.send(&owner, post(&target, &typed)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains(said), "{said}: {}", answer.text);
        let names = [subject("uma"), subject("nora")].map(|id| answer.text.contains(&id));
        assert_eq!(names, [who == "Ann Lee"; 2], "candidates are named");
    }
}

#[tokio::test]
async fn what_was_done_with_a_grant_is_said_at_its_row_both_ways() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let grant = "/console/routes/intranet/finance/grants/finance-write";
    for (deed, said) in [
        ("end", "The grant finance-write ends now, in the draft."),
        ("remove", "The grant finance-write is removed from the draft."),
    ] {
        let mark = async || {
            let draft = scene.store.draft().await.unwrap();
            let mut all = draft.grants.iter();
            revision(all.find(|grant| grant.id.as_str() == "finance-write").unwrap())
        };
        let target = format!("{grant}/{deed}");
        let seen = mark().await;
        if deed == "end" {
            let plain = form(&scene, &owner, (&target, &[("revision", &seen)])).await;
            let page = scene.send(&owner, get(plain.header("location"))).await;
            assert!(page.text.contains(said), "{said}: {}", page.text);
        }
        scene.clock.advance(Duration::from_secs(2));
        let (seen, csrf) = (mark().await, owner.csrf());
        let fields = [("_csrf", csrf.as_str()), ("revision", seen.as_str())];
        let answer = scene.send(&owner, post(&target, &fields).htmx()).await;
        assert_eq!(answer.header("hx-replace-url"), FINANCE_ROUTE, "{}", answer.text);
        let row = answer.text.split("id=\"grant-finance-write\"").nth(1).unwrap();
        assert!(row.trim_start().starts_with("tabindex=\"-1\" autofocus"), "{row}");
        assert!(row.contains(said) && answer.header("hx-trigger").contains(said), "{row}");
    }
    let page = scene.send(&owner, get(&format!("{FINANCE_ROUTE}?removed=finance-write"))).await;
    assert!(page.text.contains("is removed from the draft"), "{}", page.text);
    let untrue = scene.send(&owner, get(&format!("{FINANCE_ROUTE}?removed=finance-read"))).await;
    assert!(!untrue.text.contains("is removed from the draft"), "{}", untrue.text);
}

#[tokio::test]
async fn the_form_can_be_opened_for_somebody() {
    let scene = scene().await;
    let target = format!("{FINANCE_ROUTE}?who_kind=person&who={}", subject("uma"));
    let owner = scene.owner().await;
    let page = scene.send(&owner, get(&target)).await.text;
    assert!(page.contains(&format!("value=\"{}\"", subject("uma"))), "{page}");
    assert!(page.contains("<option value=\"person\" selected>"), "{page}");
    // No rule names anybody yet.
    scene.known_as(["uma", "Ann Lee"], &[]).await;
    let page = scene.send(&owner, get(&target)).await.text;
    assert!(page.contains(&format!("value=\"Ann Lee &#60;{}&#62;\"", subject("uma"))), "{page}");
    let editor = scene.person("eddie", &["editor"]).await;
    let page = scene.send(&editor, get(&target)).await.text;
    assert!(page.contains(&format!("value=\"{}\"", subject("uma"))), "{page}");
    assert!(!page.contains("Ann Lee"), "{page}");
}
