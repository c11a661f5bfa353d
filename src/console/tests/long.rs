//! Lists that are too long for one page.

use http::StatusCode;

use super::drafting::form;
use super::meanwhile::meanwhile;
use super::scene::{get, scene, scene_of, subject};
use crate::model::grant::{Grant, What, Who};
use crate::model::id::RouteId;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;
use crate::rule_files;

/// The demo's rules with so many routes more, `/archive/0000` and on, each with a grant.
fn archive(count: usize) -> RuleBook {
    let mut book = rule_files::demo().unwrap();
    for number in 0..count {
        let id: RouteId = format!("intranet/archive-{number:04}").parse().unwrap();
        let pattern = format!("/archive/{number:04}").parse().unwrap();
        let grant = format!("archive-{number:04}").parse().unwrap();
        book.routes.push(Route::new(id.clone(), pattern));
        book.grants.push(Grant::new(grant, Who::SignedIn, What::Read, id));
    }
    book
}

#[tokio::test]
async fn many_routes_are_paged_in_the_order_of_the_tree_and_found_by_their_letters() {
    let scene = scene_of(archive(120)).await;
    let owner = scene.owner().await;
    let page = async |address: &str| {
        let answer = scene.send(&owner, get(address)).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        assert!(answer.text.len() < 60_000, "{address}: {} bytes", answer.text.len());
        answer.text
    };
    let first = page("/console/routes").await;
    for part in ["1 to 50 of 131", "/admin/{*rest}", "/archive/0000", "/console/routes?page=2"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    assert!(!first.contains("rel=\"prev\"") && !first.contains("/archive/0119"));
    let last = page("/console/routes?page=99").await;
    for part in ["101 to 131 of 131", "/finance/{*rest}", "/console/routes?page=2"] {
        assert!(last.contains(part), "{part} in {last}");
    }
    assert!(!last.contains("rel=\"next\""));
    let found = page("/console/routes?q=%2Farchive%2F011").await;
    assert!(found.contains("/archive/0117") && !found.contains("/finance/"), "{found}");
    assert!(page("/console/routes?q=none-such").await.contains("No route matches"));
    let found = page("/console/routes?q=archive&page=2").await;
    assert!(found.contains("/console/routes?q=archive&#38;page=1"), "{found}");
}

#[tokio::test]
async fn many_rules_are_paged_with_what_is_wrong_first() {
    let scene = scene_of(archive(120)).await;
    let owner = scene.owner().await;
    let first = scene.send(&owner, get("/console/policies")).await.text;
    assert!(first.contains("1 to 50 of 134") && first.contains("no-guests-in-admin"), "{first}");
    let found = scene.send(&owner, get("/console/policies?q=archive-0007")).await.text;
    assert!(found.contains("archive-0007") && !found.contains("archive-0008"), "{found}");
}

#[tokio::test]
async fn where_a_list_of_routes_would_be_too_long_one_is_typed() {
    let scene = scene_of(archive(220)).await;
    let owner = scene.owner().await;
    let page = async |address: &str| {
        let answer = scene.send(&owner, get(address)).await;
        assert!(answer.text.len() < 60_000, "{address}: {} bytes", answer.text.len());
        (answer.status, answer.text)
    };
    for address in ["/console/explore/who", "/console/reports"] {
        let (status, text) = page(address).await;
        assert!(status == StatusCode::OK && text.contains("<input id=\"route\""), "{text}");
    }
    for typed in ["intranet%2Farchive-0007", "%2Farchive%2F0007"] {
        for address in ["/console/explore/who", "/console/reports/access"] {
            let (status, text) = page(&format!("{address}?route={typed}")).await;
            assert!(status == StatusCode::OK && text.contains("/archive/0007"), "{text}");
        }
    }
    for address in ["/console/explore/who", "/console/reports/access"] {
        let (status, text) = page(&format!("{address}?route=%2Fno-such%22%3E")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
        let kept = text.contains("value=\"/no-such&#34;&#62;\"");
        assert!(kept && text.contains("There is no such route."), "{text}");
    }
}

#[tokio::test]
async fn what_somebody_can_reach_comes_in_parts() {
    let scene = scene_of(archive(320)).await;
    let owner = scene.owner().await;
    scene.person("uma", &[]).await;
    let page = async |address: &str| {
        let answer = scene.send(&owner, get(address)).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        assert!(answer.text.len() < 60_000, "{address}: {} bytes", answer.text.len());
        answer.text
    };
    let what = format!("/console/explore/what?user={}", subject("uma"));
    let open = page(&what).await;
    assert!(open.contains("of 331 routes open to them") && open.contains("1 to 50 of "), "{open}");
    assert!(open.contains(&format!("{what}&#38;page=2")) && !open.contains("/admin/{*rest}"));
    let all = format!("{what}&show=all");
    let first = page(&all).await;
    assert!(first.contains("1 to 50 of 331") && first.contains("/admin/{*rest}"), "{first}");
    assert!(first.contains(&format!("{what}&#38;show=all&#38;page=2")), "{first}");
    assert!(page(&format!("{all}&page=7")).await.contains("301 to 331 of 331"));
}

#[tokio::test]
async fn everything_that_is_told_of_all_routes_comes_in_parts() {
    let scene = scene_of(archive(320)).await;
    let owner = scene.owner().await;
    meanwhile(&scene, "operator:pat", |book| {
        for route in &mut book.routes {
            route.title = format!("The {}", route.id);
        }
        for grant in &mut book.grants {
            grant.reason = "Looked at again".to_owned();
            if grant.id.as_str().starts_with("archive") {
                (grant.who, grant.what) = (Who::Everyone, What::All);
            }
        }
    })
    .await;
    let page = async |address: &str| {
        let answer = scene.send(&owner, get(address)).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        assert!(answer.text.len() < 60_000, "{address}: {} bytes", answer.text.len());
        answer.text
    };
    let policy = page("/console/policies/no-guests-in-admin").await;
    assert!(policy.contains("The other 281 routes") && policy.contains("href=\"/console/routes\""));
    let draft = page("/console/draft").await;
    for part in [
        "1 to 25 of ",
        "changes to release 1",
        " lines</span>",
        "Next lines<",
        "Next changes<",
        "And 300 more.",
    ] {
        assert!(draft.contains(part), "{part}: {draft}");
    }
    let further = page("/console/draft?page=2&cedar=3").await;
    for part in [
        "26 to 50 of ",
        "Previous lines</a>",
        "Previous changes</a>",
        "/console/draft?cedar=3&#38;page=3",
        "/console/draft?page=2&#38;cedar=4#cedar\"",
        "<details class=\"card\" id=\"cedar\" open>",
        "name=\"page\" value=\"2\"",
    ] {
        assert!(further.contains(part), "{part}: {further}");
    }
    let discard = page("/console/draft/discard").await;
    let listed = "more changes, which <a href=\"/console/draft\">the draft lists</a>.";
    assert!(discard.contains(listed), "{discard}");
    let between = page("/console/releases/0...1?page=2").await;
    for part in
        ["26 to 50 of ", "/console/releases/0...1?page=2&#38;cedar=2#cedar\"", "id=\"cedar\""]
    {
        assert!(between.contains(part), "{part}: {between}");
    }
}

#[tokio::test]
async fn one_route_more_is_told_as_one() {
    let scene = scene_of(archive(40)).await;
    let owner = scene.owner().await;
    let policy = scene.send(&owner, get("/console/policies/no-guests-in-admin")).await.text;
    assert!(policy.contains(">The other route (another window)<"), "{policy}");
}

#[tokio::test]
async fn all_sessions_are_searched_and_come_in_parts() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for number in 0..60 {
        scene.person(&format!("person-{number:02}"), &[]).await;
    }
    let page = async |address: &str| scene.send(&owner, get(address)).await.text;
    let first = page("/console/sessions").await;
    assert!(first.contains("1 to 50 of 61") && first.contains("61 sessions are open."), "{first}");
    let rest = page("/console/sessions?page=2").await;
    assert!(rest.contains("51 to 61 of 61") && rest.contains("rel=\"prev\""), "{rest}");
    let found = page("/console/sessions?q=PERSON-0&page=1").await;
    assert!(found.contains("61 sessions are open; 10 match."), "{found}");
    assert!(found.contains("person-07@") && !found.contains("person-17@"), "{found}");
    let some = page("/console/sessions?q=person").await;
    assert!(some.contains("/console/sessions?q=person&#38;page=2"), "{some}");
}

#[tokio::test]
async fn an_undo_that_is_refused_is_answered_with_the_page_that_it_came_from() {
    let scene = scene_of(archive(40)).await;
    let owner = scene.owner().await;
    let again = |book: &mut RuleBook| {
        for grant in &mut book.grants {
            grant.reason = "Looked at again".to_owned();
        }
    };
    meanwhile(&scene, "operator:pat", again).await;
    let moved = [("kind", "grant"), ("id", "finance-read"), ("revision", "-"), ("page", "2")];
    let refused = form(&scene, &owner, ("/console/draft/undo", &moved)).await.text;
    for part in ["Nothing was undone", "26 to ", "name=\"page\" value=\"2\""] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
}
