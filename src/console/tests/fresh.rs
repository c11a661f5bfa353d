//! Changes take a sign-in of the last hour: on every endpoint that changes anything, and nothing typed is lost by it.

use std::time::Duration;

use http::StatusCode;

use super::adding::{fields, with};
use super::drafting::waiting;
use super::guarded::address;
use super::scene::{Answered, Person, Scene, get, post, scene};
use crate::console::endpoints::{Verb, table};
use crate::console::urls;
use crate::web::tests::markup::{assert_same_shape, check_answered, hostile, innocent};

const GRANTS: &str = "/console/routes/intranet/reports/grants";
const HOUR: Duration = Duration::from_hours(1);

/// Lets time pass without the session going idle.
async fn pass(scene: &Scene, person: &Person, span: Duration) {
    let step = Duration::from_mins(20);
    let mut left = span;
    while left > Duration::ZERO {
        scene.clock.advance(step.min(left));
        left = left.saturating_sub(step);
        assert_eq!(scene.send(person, get("/console/routes")).await.status, StatusCode::OK);
    }
}

/// A grant with this reason, sent as the page sends it.
async fn grant(scene: &Scene, person: &Person, reason: &str) -> Answered {
    let csrf = person.csrf();
    scene.send(person, post(GRANTS, &with(&fields(&csrf), "reason", Some(reason)))).await
}

/// Where an answer sends whoever has to sign in again, back to.
fn way_back(answer: &Answered) -> String {
    let begin = "https://gate.contoso.com/_gate/begin?return=";
    let rest = answer.header("location").strip_prefix(begin).expect("a way to Entra");
    rest.strip_suffix("&step_up=max_age%3D1800").expect(rest).to_owned()
}

#[tokio::test]
async fn every_change_takes_a_sign_in_younger_than_an_hour_and_no_page_does() {
    let scene = scene().await;
    let owner = scene.owner().await;
    pass(&scene, &owner, Duration::from_secs(3_599)).await;
    let places = ["00000000-0".to_owned(), scene.change("release_published").await];
    for old in [false, true] {
        if old {
            pass(&scene, &owner, Duration::from_secs(1)).await;
        }
        for endpoint in table() {
            let address = address(endpoint, [&places[0], &places[1], "00000000-0"]);
            let sending = match endpoint.verb {
                Verb::Get => get(&address),
                Verb::Post => post(&address, &[("_csrf", &owner.csrf()), ("unknown", "x")]),
            };
            let answer = scene.send(&owner, sending).await;
            let last = scene.requests().await.pop().unwrap();
            let said = [&last["verdict"], &last["reason"], &last["rules"][0]];
            if old && endpoint.verb == Verb::Post {
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{endpoint:?}");
                let id = last["id"].as_str().unwrap();
                assert_eq!(way_back(&answer), format!("/console/again/{id}"), "{endpoint:?}");
                let rule = "console:changes-take-a-sign-in-of-the-last-hour";
                assert_eq!(said, ["deny", "forbidden", rule], "{endpoint:?}");
            } else {
                assert!(!answer.header("location").contains("/_gate/"), "{endpoint:?}");
                assert_eq!(said[0], "allow", "{endpoint:?}: {last}");
            }
        }
    }
    assert_eq!(waiting(&scene).await, 0);
}

#[tokio::test]
async fn what_was_typed_is_kept_and_sent_once_the_person_has_signed_in_again() {
    let scene = scene().await;
    let owner = scene.owner().await;
    pass(&scene, &owner, HOUR).await;
    let refused = grant(&scene, &owner, "Typed with care").await;
    assert_eq!((refused.status, waiting(&scene).await), (StatusCode::SEE_OTHER, 0));
    let back = way_back(&refused);
    let owner = scene.proved(&owner, ("olive", &["owner"])).await;
    let page = scene.send(&owner, get(&back)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    check_answered("console_again", &page.text);
    for text in ["Typed with care", "nothing was changed", &format!("action=\"{GRANTS}\"")] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert_eq!(waiting(&scene).await, 0, "nothing is sent by itself");
    // The form of that page, as a browser sends it.
    let hidden = page.text.split("type=\"hidden\" name=\"").skip(1);
    let sent = hidden.map(|rest| {
        let (name, rest) = rest.split_once("\" value=\"").unwrap();
        (name, rest.split('"').next().unwrap())
    });
    let sent: Vec<_> = sent.collect();
    let done = scene.send(&owner, post(GRANTS, &sent)).await;
    assert_eq!((done.status, waiting(&scene).await), (StatusCode::SEE_OTHER, 1), "{}", done.text);
    assert_eq!(done.header("location").split('?').next(), Some("/console/routes/intranet/reports"));
}

#[tokio::test]
async fn what_is_not_kept_any_more_or_is_somebody_elses_has_to_be_typed_again() {
    let scene = scene().await;
    let owner = scene.owner().await;
    pass(&scene, &owner, HOUR).await;
    let back = way_back(&grant(&scene, &owner, "Nobody else's").await);
    for (whose, person) in [
        ("another session", scene.owner().await),
        ("another person", scene.person("eddie", &["editor"]).await),
    ] {
        let page = scene.send(&person, get(&back)).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{whose}");
        assert!(page.text.contains("not kept any more") && !page.text.contains("Nobody else"));
    }
    assert_eq!(scene.send(&owner, get(&back)).await.status, StatusCode::OK);
    scene.clock.advance(Duration::from_mins(15));
    assert_eq!(scene.send(&owner, get(&back)).await.status, StatusCode::NOT_FOUND);
    for _ in 0..5 {
        grant(&scene, &owner, "One of many").await;
    }
    let ids = scene.requests().await;
    let kept = ids.iter().rev().take(5).map(|record| record["id"].as_str().unwrap());
    let mut found = Vec::new();
    for id in kept.map(|id| urls::AGAIN.replace("{id}", id)).collect::<Vec<_>>() {
        found.push(scene.send(&owner, get(&id)).await.status == StatusCode::OK);
    }
    assert_eq!(found, [true, true, true, true, false], "four of a session, the newest");
}

#[tokio::test]
async fn scripts_are_told_where_and_a_forged_form_is_refused_as_one() {
    let scene = scene().await;
    let owner = scene.owner().await;
    pass(&scene, &owner, HOUR).await;
    let csrf = owner.csrf();
    let htmx = scene.send(&owner, post(GRANTS, &fields(&csrf)).htmx()).await;
    assert_eq!(htmx.status, StatusCode::UNAUTHORIZED);
    assert!(htmx.header("hx-redirect").contains("/console/again/"), "{:?}", htmx.headers);
    let data = post(GRANTS, &fields(&csrf)).with("sec-fetch-mode", "cors");
    let data = scene.send(&owner, data).await;
    assert_eq!(data.status, StatusCode::UNAUTHORIZED);
    assert_eq!(data.json()["error"], "step_up_required");
    assert!(data.header("www-authenticate").contains("max_age=\"1800\""), "{:?}", data.headers);
    let forged = post(GRANTS, &with(&fields(&csrf), "_csrf", Some("guessed")));
    assert_eq!(scene.send(&owner, forged).await.status, StatusCode::FORBIDDEN, "forged first");
    assert_eq!(waiting(&scene).await, 0);
}

#[tokio::test]
async fn whoever_may_not_change_anything_is_not_sent_to_sign_in_for_it() {
    let scene = scene().await;
    let viewer = scene.person("viewer", &["viewer"]).await;
    pass(&scene, &viewer, HOUR).await;
    let refused = grant(&scene, &viewer, "No").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
}

/// The page with a form that was kept, with this text in every field.
async fn kept(text: fn(&str) -> String) -> String {
    let scene = scene().await;
    let owner = scene.owner().await;
    pass(&scene, &owner, HOUR).await;
    let csrf = owner.csrf();
    let typed = text("typed");
    let all: Vec<_> = fields(&csrf)
        .iter()
        .map(|(name, value)| (*name, if *name == "_csrf" { *value } else { typed.as_str() }))
        .collect();
    let back = way_back(&scene.send(&owner, post(GRANTS, &all)).await);
    scene.send(&owner, get(&back)).await.text
}

#[tokio::test]
async fn hostile_text_that_was_kept_comes_back_as_text_a59() {
    let (plain, attacked) = tokio::join!(kept(innocent), kept(hostile));
    assert!(attacked.contains("onerror") && !attacked.contains("<img src=x"));
    assert_same_shape("again", &plain, &attacked);
}
