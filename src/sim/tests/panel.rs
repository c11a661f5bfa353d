//! The page of knobs: what it shows, what it changes, and for whom.

use super::people::Assignment;
use super::*;

impl World {
    async fn turn(&self, form: &[(&str, &str)]) -> Answer {
        self.turn_from(ORIGIN, form).await
    }

    async fn turn_from(&self, origin: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Request::post("/_sim/").header("origin", origin).body(body).unwrap()).await
    }

    /// Turns a knob that must exist.
    async fn turned(&self, form: &[(&str, &str)]) {
        let answer = self.turn(form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{form:?}: {}", answer.text);
        let target = answer.header("location");
        assert!(target.starts_with("/_sim/") && target.contains('#'), "{target}");
    }
}

#[tokio::test]
async fn page_shows_people_and_works_without_script() {
    let world = World::new();
    let page = world.get("/_sim/").await;
    assert_eq!(page.status, StatusCode::OK);
    for part in
        ["Simulator.", "Everything works as it should", "Umarov", "fabrikam.example", SECRET]
    {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("<script") && !page.text.contains("style="));
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(world.get("/").await.header("location"), "/_sim/");
}

#[tokio::test]
async fn every_form_of_the_page_is_understood() {
    let world = World::new();
    let page = world.get("/_sim/").await.text;
    let orders: BTreeSet<&str> = page
        .split("name=\"do\" value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(orders.len() > 25, "{orders:?}");
    for order in orders {
        let answer = world.turn(&[("do", order)]).await;
        assert!(!answer.text.contains("no knob called"), "{order}");
    }
}

#[tokio::test]
async fn other_pages_turn_nothing() {
    let world = World::new();
    let form = [("do", "person-unassign"), ("person", "uma")];
    for origin in ["http://evil.example", "null", "http://127.0.0.1:8080", "HTTP://127.0.0.1:8081"]
    {
        assert_eq!(world.turn_from(origin, &form).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(world.post("/_sim/", &form).await.status, StatusCode::FORBIDDEN, "no origin");
    let uma = world.sim.state().person(people::UMA).unwrap().clone();
    assert_eq!(uma.assignment, Assignment::Assigned);
}

#[tokio::test]
async fn hidden_page_does_not_exist() {
    let world = World::new();
    let settings = SimSettings {
        origin: ORIGIN.to_owned(),
        tenant: people::TENANT.to_owned(),
        clients: Vec::new(),
        people: Vec::new(),
        bound_contexts: BTreeSet::new(),
        panel: Panel::Hidden,
    };
    let hidden = world.sim.sharing_keys(settings, world.clock.clone()).unwrap();
    let hidden = World { sim: hidden, clock: world.clock.clone() };
    assert_eq!(hidden.get("/_sim/").await.status, StatusCode::NOT_FOUND);
    let form = [("do", "reset")];
    assert_eq!(hidden.turn(&form).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn people_change_by_forms() {
    let world = World::new();
    let uma = |order: &'static str| [("do", order), ("person", "uma")];
    world.turned(&uma("person-disable")).await;
    assert!(world.pick("uma").await.text.contains("AADSTS50057"));
    world.turned(&uma("person-enable")).await;
    world.turned(&uma("person-unassign")).await;
    assert!(world.pick("uma").await.text.contains("AADSTS50105"));
    let back = world.turn(&uma("person-assign")).await;
    let page = world.get(back.header("location").split('#').next().unwrap()).await.text;
    assert_eq!(page.matches("open><summary><span").count(), 1, "her card alone stays open");
    world.turned(&[uma("person-leave").as_slice(), &[("group", people::FINANCE)]].concat()).await;
    world.turned(&[uma("person-grant").as_slice(), &[("role", "Reports.Read")]].concat()).await;
    let claims = world.claims("uma").await;
    assert_eq!((&claims["groups"], &claims["roles"]), (&Value::Null, &json!(["Reports.Read"])));
    world.turned(&[uma("person-fill").as_slice(), &[("count", "201")]].concat()).await;
    assert!(world.claims("uma").await.get("_claim_names").is_some());
    let body = world.sign_in("uma").await;
    world.turned(&uma("person-revoke")).await;
    let refused = world.refresh(body["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refused.code_of_error(), 50173);
    world.turned(&uma("person-remove")).await;
    assert!(world.pick("uma").await.text.contains("AADSTS50034"));
    world.turned(&[("do", "reset")]).await;
    assert_eq!(world.claims("uma").await["groups"], json!([people::FINANCE]));
}

#[tokio::test]
async fn service_changes_by_forms_and_the_page_says_so() {
    let world = World::new();
    world
        .turned(&[("do", "endpoint"), ("endpoint", "metadata"), ("condition", "unavailable")])
        .await;
    world.turned(&[("do", "graph-throttle"), ("times", "3"), ("wait", "2")]).await;
    world.turned(&[("do", "fail"), ("where", "token"), ("number", "700082")]).await;
    world.turned(&[("do", "token-id"), ("what", "issuer")]).await;
    world.turned(&[("do", "clock"), ("seconds", "-90")]).await;
    world.turned(&[("do", "policy-bind"), ("context", "c7")]).await;
    world.turned(&[("do", "policy-factor"), ("factor", "at-refresh")]).await;
    world.turned(&[("do", "key"), ("how", "drop")]).await;
    world.turned(&[("do", "client-expire"), ("client", people::NIGHTLY_JOB)]).await;
    let page = world.get("/_sim/").await.text;
    for part in [
        "The metadata endpoint: status 503.",
        "3 more requests with status 429",
        "fails with AADSTS700082",
        "The next ID token is wrong",
        "off by -90 seconds",
        "Refreshes want a second factor",
        "<code>c7</code>",
        "expired",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(world.token(&[("code", "any")]).await.code_of_error(), 700_082);
    assert_eq!(world.for_itself(&[]).await.code_of_error(), 7_000_222);
    world.turned(&[("do", "reset")]).await;
    assert!(world.get("/_sim/").await.text.contains("Everything works as it should"));
    assert_eq!(world.for_itself(&[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn wrong_forms_say_what_is_wrong() {
    let world = World::new();
    let check = async |form: &[(&str, &str)], text: &str| {
        let answer = world.turn(form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    };
    check(&[], "lacks").await;
    check(&[("do", "dance")], "no knob called").await;
    check(&[("do", "person-assign"), ("person", "nobody")], "nobody called").await;
    check(&[("do", "fail"), ("where", "token"), ("number", "1")], "not in the table").await;
    check(&[("do", "clock"), ("seconds", "soon")], "no number").await;
    check(&[("do", "policy-bind"), ("context", "c100")], "none of c1 to c99").await;
    check(&[("do", "group-delete"), ("group", "<b>")], "&#60;b&#62;").await;
}

#[tokio::test]
async fn each_wrong_token_of_the_page_is_wrong() {
    let world = World::new();
    let page = world.get("/_sim/").await.text;
    let (_, list) = page.split_once("name=\"what\"").unwrap();
    let (list, _) = list.split_once("</select>").unwrap();
    let all: Vec<&str> =
        list.split("value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(all.len(), 13);
    let plain = world.claims("uma").await;
    for what in all {
        world.turned(&[("do", "token-id"), ("what", what)]).await;
        let body = world.sign_in("uma").await;
        let read = world.verified(body["id_token"].as_str().unwrap()).await;
        let differs = |claims: &Value| {
            ["tid", "nonce", "exp", "nbf", "roles"].iter().any(|name| claims[name] != plain[name])
        };
        let kid = jsonwebtoken::decode_header(body["id_token"].as_str().unwrap()).map(|h| h.kid);
        let genuine = read.is_ok_and(|claims| !differs(&claims));
        assert!(!genuine || (what == "personal" && kid.is_ok()), "{what}");
    }
}
