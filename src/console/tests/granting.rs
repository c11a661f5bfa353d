//! What the page of a route says of its rules, and what its form offers.

use std::time::Duration;

use http::StatusCode;

use super::adding::{fields, with};
use super::meanwhile::meanwhile;
use super::scene::{get, post, scene};
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
    assert!(page.contains("name=\"who\" list=\"known-groups\" autocomplete=\"off\" maxlength=\"120\" value=\"Finance\""), "{page}");
}
