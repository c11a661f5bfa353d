//! Who gets what from which endpoint, and that nothing is answered without a record.

use std::fmt::Write as _;

use http::StatusCode;

use super::integrity::verified;
use super::scene::{FINANCE, Person, Scene, get, post, scene, subject};
use crate::console::endpoints::{Endpoint, Verb, table};
use crate::console::urls;

/// An address that the pattern stands for, and that is there for those who may see it.
pub(super) fn address(endpoint: &Endpoint, [decision, change, check]: [&str; 3]) -> String {
    let path = match endpoint.path {
        urls::ROLE => format!("{}?value=Reports.Read", urls::ROLE),
        urls::ENDING => format!("{}?user={}", urls::ENDING, subject("uma")),
        path => path.to_owned(),
    };
    path.replace("{app}", "intranet")
        .replace("{name}", "finance")
        .replace("{grant}", "finance-read")
        .replace("{policy}", "no-guests-in-admin")
        .replace("{assertion}", "finance-reads")
        .replace("{pair}", "0...1")
        .replace("{number}", "1")
        .replace("{id}", decision)
        .replace("{event}", change)
        .replace("{check}", check)
        .replace("{group}", FINANCE)
        .replace("{subject}", &subject("olive"))
}

async fn ask(
    scene: &Scene,
    (person, [change, check]): (&Person, [&str; 2]),
    endpoint: &Endpoint,
) -> StatusCode {
    let decision = scene.requests().await.last().map_or_else(
        || "00000000-0".to_owned(),
        |record| record["id"].as_str().unwrap().to_owned(),
    );
    let address = address(endpoint, [&decision, change, check]);
    let sending = match endpoint.verb {
        Verb::Get => get(&address),
        // An empty form: whoever may send it learns that it can't be read, and nothing is changed.
        Verb::Post => post(&address, &[("_csrf", &person.csrf())]),
    };
    scene.send(person, sending).await.status
}

async fn personas(scene: &Scene) -> Vec<(&'static str, Person)> {
    let mut all = vec![("nobody", Person::nobody())];
    for role in ["viewer", "editor", "publisher", "auditor", "owner"] {
        all.push((role, scene.person(role, &[role]).await));
    }
    all.push(("edits and publishes", scene.person("both", &["editor", "publisher"]).await));
    all.push(("uma, no role", scene.person("uma", &["Reports.Read"]).await));
    all
}

#[tokio::test]
async fn every_endpoint_answers_each_persona_as_the_table_says_a58() {
    let scene = scene().await;
    let personas = personas(&scene).await;
    let change = scene.change("release_published").await;
    let check = verified(&scene).await;
    let mut golden = String::new();
    for endpoint in table() {
        let row = format!(
            "{:4} {:40} {}",
            endpoint.verb.as_str(),
            endpoint.path,
            endpoint.action.as_str()
        );
        writeln!(golden, "{row}").unwrap();
        for (name, person) in &personas {
            let before = scene.requests().await.len();
            let status = ask(&scene, (person, [&change, &check]), endpoint).await;
            let records = scene.requests().await;
            assert_eq!(records.len(), before + 1, "{row}, {name}: not exactly one record");
            let last = records.last().unwrap();
            let said =
                [&last["kind"], &last["verdict"], &last["reason"]].map(|v| v.as_str().unwrap());
            assert_eq!(last["door"], "console");
            assert_eq!(last["action"], endpoint.action.as_str());
            writeln!(golden, "     {name:20} {} {}", status.as_u16(), said.join(" ")).unwrap();
        }
    }
    insta::assert_snapshot!(golden);
    assert_eq!(scene.store.live_number().await.unwrap().0, 1);
    assert!(scene.store.pending().await.unwrap().pending.is_empty());
}

#[tokio::test]
async fn nobody_is_sent_to_sign_in_and_back() {
    let scene = scene().await;
    let nobody = Person::nobody();
    let target = "/console/decisions?q=a%26b&verdict=deny";
    let back = "https://gate.contoso.com/_gate/begin?return=/console/decisions%3Fq%3Da%2526b%26verdict%3Ddeny";
    let page = scene.send(&nobody, get(target)).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, back));
    let data = scene.send(&nobody, get(target).with("sec-fetch-mode", "cors")).await;
    assert_eq!(data.status, StatusCode::UNAUTHORIZED);
    assert_eq!((&data.json()["login_url"], data.header("location")), (&back.into(), ""));
    let hx = scene.send(&nobody, get(target).htmx()).await;
    assert_eq!((hx.status, hx.header("hx-redirect")), (StatusCode::UNAUTHORIZED, back));
    assert_eq!(scene.requests().await.len(), 3);
}

#[tokio::test]
async fn somebody_without_a_role_is_refused_in_each_form() {
    let scene = scene().await;
    let uma = scene.person("uma", &[]).await;
    let page = scene.send(&uma, get("/console/routes")).await;
    let id = scene.requests().await.last().unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text.contains(&id) && !page.text.contains("/finance"), "{}", page.text);
    let data = scene.send(&uma, get("/console/routes").with("sec-fetch-mode", "cors")).await;
    assert_eq!((data.status, &data.json()["error"]), (StatusCode::FORBIDDEN, &"forbidden".into()));
    let hx = scene.send(&uma, get("/console/routes").htmx()).await;
    assert_eq!((hx.status, hx.header("hx-retarget")), (StatusCode::FORBIDDEN, "#notices"));
}

#[tokio::test]
async fn console_answers_on_its_own_origin_only_a61() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for target in ["/console/routes", "/console/decisions"] {
        for origin in ["http://app.localhost:8080", "http://gate.contoso.com"] {
            let mut sending = get(target);
            sending.origin = origin.parse().unwrap();
            let answer = scene.send(&owner, sending).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{origin}{target}");
        }
    }
    assert!(scene.requests().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_shown() {
    let mut scene = scene().await;
    let owner = scene.owner().await;
    scene.stop_log().await;
    for target in ["/console/routes", "/console/decisions"] {
        let answer = scene.send(&owner, get(target)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{target}");
        assert!(!answer.text.contains("finance"));
    }
}

#[tokio::test]
async fn other_methods_are_refused_on_record() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let sending = post("/console/routes", &[("_csrf", &owner.csrf())]);
    assert_eq!(scene.send(&owner, sending).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let records = scene.requests().await;
    assert_eq!((records.len(), &records[0]["refusal"]), (1, &"method_not_allowed".into()));
}

#[tokio::test]
async fn stale_cookie_counts_as_none_and_is_taken_away() {
    let scene = scene().await;
    let owner = scene.owner().await;
    scene.clock.advance(std::time::Duration::from_hours(13));
    let answer = scene.send(&owner, get("/console/routes")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.header("set-cookie").contains("Max-Age=0"), "{:?}", answer.headers);
}
