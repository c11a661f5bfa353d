//! Changes take a sign-in of the last hour: on every endpoint that changes anything, and nothing typed is lost by it.

use std::time::Duration;

use http::StatusCode;

use super::adding::{fields, with};
use super::drafting::waiting;
use super::guarded::address;
use super::scene::{Answered, Person, Scene, get, post, scene, subject};
use crate::console::again::words::{LABELS, sentence};
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

/// The page with a form that was sent an hour after the sign-in.
async fn sent_late(scene: &Scene, person: &Person, target: &str, typed: &[(&str, &str)]) -> String {
    let csrf = person.csrf();
    let all: Vec<_> = [("_csrf", csrf.as_str())].into_iter().chain(typed.iter().copied()).collect();
    let refused = scene.send(person, post(target, &all)).await;
    scene.send(person, get(&way_back(&refused))).await.text
}

/// Where a form is sent, what it holds, the sentence about it, and what is shown of its fields.
type Late<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);

#[tokio::test]
async fn what_was_sent_is_told_in_the_words_of_its_form() {
    let scene = scene().await;
    let owner = scene.owner().await;
    scene.known_as(["uma", "Ann Lee"], &[]).await;
    pass(&scene, &owner, HOUR).await;
    let uma = subject("uma");
    let cases: [Late<'_>; 5] = [
        (
            GRANTS,
            &[("who_kind", "group"), ("mfa", "optional"), ("ticket", ""), ("revision", "r-1")],
            "Add a grant to the route intranet/reports.",
            &["<dt>Who</dt><dd class=\"typed\"><bdi>Members of a group<", ">Not needed<"],
        ),
        (
            "/console/apps/intranet",
            &[("name", "Intranet"), ("alias-X-Remote-User", "yes")],
            "Change the app intranet.",
            &["<dt>Header alias</dt><dd class=\"typed\"><bdi>X-Remote-User<"],
        ),
        (
            "/console/draft/undo",
            &[("kind", "grant"), ("id", "finance-read"), ("revision", "r-1"), ("page", "2")],
            "Undo the change of the grant finance-read.",
            &[],
        ),
        (
            "/console/releases/1/restore",
            &[("content", "c-1"), ("others", "discard")],
            "Bring back release 1 into the draft, and discard what waits there.",
            &[],
        ),
        (
            "/console/sessions/end",
            &[("session", ""), ("user", &uma)],
            "End all sessions of Ann Lee.",
            &[],
        ),
    ];
    for (target, typed, deed, said) in cases {
        let page = sent_late(&scene, &owner, target, typed).await;
        let told = page.split("class=\"card panel-s\"").nth(1).unwrap();
        let told = told.split("<input type=\"hidden\" name=\"_csrf\"").nth(1).unwrap();
        let told = told.split("<input").next().unwrap();
        assert!(told.contains(&format!("<bdi>{deed}</bdi>")), "{deed}: {told}");
        assert!(said.iter().all(|said| told.contains(said)), "{said:?}: {told}");
        assert_eq!(told.contains("<dt>"), !said.is_empty(), "{told}");
        for plumbing in ["r-1", "c-1", "revision", "kind", target, uma.as_str()] {
            assert!(!told.contains(plumbing), "{plumbing}: {told}");
        }
    }
}

#[test]
fn every_form_has_a_sentence() {
    for endpoint in table().filter(|endpoint| endpoint.verb == Verb::Post) {
        let address = address(endpoint, ["0-0", "0-0", "0-0"]);
        let path = address.split('?').next().unwrap();
        let said = sentence(path, |name| format!("field {name}"));
        let said = said.unwrap_or_else(|| panic!("{endpoint:?} has none"));
        assert!(!said.contains('{') && said.ends_with('.'), "{said}");
    }
}

#[tokio::test]
async fn labels_are_those_of_the_forms() {
    let scene = scene().await;
    let owner = scene.owner().await;
    grant(&scene, &owner, "So that something waits").await;
    let mut all = String::new();
    for page in [
        "/console/routes/intranet/reports",
        "/console/new-app",
        "/console/apps/intranet/new-route",
        "/console/new-policy",
        "/console/assertions",
        "/console/draft",
        "/console/decisions",
        "/console/reports/changes",
        "/console/explore/who",
    ] {
        all.push_str(&scene.send(&owner, get(page)).await.text);
    }
    for (name, label) in LABELS.iter().filter(|(name, _)| *name != "app") {
        assert!(all.contains(&format!(">{label}</label>")), "{name}: {label}");
    }
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
