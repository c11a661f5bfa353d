//! A record: beside the list and on a page of its own, where it leads, and what narrows the list.

use http::StatusCode;

use super::dashboard::{DENIED, Deed, READ, did, did_by};
use super::scene::{Scene, get, scene, subject};
use crate::model::principal::{Principal, Workload};
use crate::model::record::Reason;

/// The newest record about an app.
async fn newest(scene: &Scene) -> String {
    let all = scene.requests().await;
    let newest = all.iter().rev().find(|record| record["door"] == "proxy");
    newest.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn page(scene: &Scene, role: &str, target: &str) -> String {
    let person = scene.person(role, &[role]).await;
    let answer = scene.send(&person, get(target)).await;
    assert_eq!(answer.status, StatusCode::OK, "{target}: {}", answer.text);
    answer.text
}

/// The addresses of a page's links, as a browser reads them.
fn links(page: &str) -> Vec<String> {
    let links = page.split("href=\"").skip(1).filter_map(|part| part.split('"').next());
    links.map(|link| link.replace("&#38;", "&").replace("&amp;", "&")).collect()
}

#[tokio::test]
async fn a_record_stands_beside_the_list_under_an_address_of_its_own() {
    let scene = scene().await;
    did(&scene, &READ).await;
    let id = newest(&scene).await;
    let list = format!("/console/decisions?q=finance&range=7d&record={id}");
    let whole = page(&scene, "auditor", &list).await;
    let (rows, beside) = whole.split_once("<aside id=\"beside\"").unwrap();
    assert!(
        rows.contains(&format!(
            "data-beside=\"/console/decisions?q=finance&#38;range=7d&#38;record={id}\""
        )),
        "{rows}"
    );
    assert!(beside.contains("What was asked") && beside.contains("/finance/summary"), "{beside}");
    let own = format!("/console/decisions/{id}?q=finance&range=7d");
    let close = "/console/decisions?q=finance&range=7d";
    for link in [own.as_str(), close] {
        assert!(links(beside).iter().any(|other| other == link), "{link}: {beside}");
    }
    let record = page(&scene, "auditor", &own).await;
    assert!(links(&record).iter().any(|link| link == close), "back to the same list: {record}");
    let person = scene.person("aude", &["auditor"]).await;
    let part = async |target: &str| {
        let asked = get(target).htmx().with("hx-target", "aside#beside");
        scene.send(&person, asked).await
    };
    let open = part(&list).await;
    assert!(open.text.trim_start().starts_with("<aside id=\"beside\""), "{}", open.text);
    assert!(open.text.contains("What was asked") && !open.text.contains("<table"), "{}", open.text);
    assert_eq!(open.header("hx-push-url"), list);
    let shut = part(close).await;
    assert!(shut.text.contains("<aside id=\"beside\"") && !shut.text.contains("What was asked"));
    assert_eq!(shut.header("hx-push-url"), close);
}

/// Typing sends the record along that stands beside the list.
#[tokio::test]
async fn a_record_stays_beside_the_list_while_it_matches_what_is_typed_and_is_closed_when_not() {
    let scene = scene().await;
    did(&scene, &READ).await;
    let id = newest(&scene).await;
    let open = page(&scene, "auditor", &format!("/console/decisions?record={id}")).await;
    let kept = format!("<input type=\"hidden\" form=\"filter\" name=\"keep\" value=\"{id}\">");
    assert!(open.contains(&kept), "{open}");
    let person = scene.person("aude", &["auditor"]).await;
    let typed = async |query: &str| {
        let address = format!("/console/decisions?q={query}&range=24h&keep={id}");
        let rows = get(&address).htmx().with("hx-target", "div#rows");
        let plain = scene.send(&person, get(&address)).await;
        (scene.send(&person, rows).await, plain)
    };
    let closed = "The record beside the list does not match, and was closed.";
    let (rows, plain) = typed("finance").await;
    let there = format!("/console/decisions?q=finance&record={id}");
    assert_eq!(rows.header("hx-push-url"), there);
    assert!(!rows.text.contains("id=\"beside\"") && !rows.text.contains(closed), "{}", rows.text);
    let (list, head) = rows.text.split_once("<div id=\"beside-head\"").unwrap();
    assert!(head.contains("hx-swap-oob=\"outerMorph\""), "{head}");
    for link in
        ["/console/decisions?q=finance", &format!("/console/decisions/{id}?q=finance&range=24h")]
    {
        assert!(links(head).iter().any(|other| other == link), "{link}: {head}");
    }
    assert!(list.contains(&format!("<tr id=\"d-{id}\" aria-selected=\"true\">")), "{list}");
    assert_eq!(list.matches("aria-selected").count(), 1, "{list}");
    assert_eq!((plain.status, plain.header("location")), (StatusCode::SEE_OTHER, there.as_str()));
    let (rows, plain) = typed("nowhere").await;
    let there = "/console/decisions?q=nowhere";
    assert_eq!(rows.header("hx-push-url"), there);
    let gone = "<aside id=\"beside\" class=\"beside stackv\" aria-label=\"Record\" hx-swap-oob=\"true\"></aside>";
    assert!(rows.text.contains(gone) && rows.text.contains(closed), "{}", rows.text);
    assert!(rows.header("hx-trigger").contains("was closed"), "it is announced");
    assert_eq!((plain.status, plain.header("location")), (StatusCode::SEE_OTHER, there));
}

#[tokio::test]
async fn other_parts_of_the_list_take_the_record_along() {
    let scene = scene().await;
    did(&scene, &READ).await;
    let id = newest(&scene).await;
    let list = format!("/console/decisions?q=finance%20method%3AGET&record={id}");
    let whole = page(&scene, "auditor", &list).await;
    let (rows, _) = whole.split_once("<aside id=\"beside\"").unwrap();
    let own = |link: &&String| link.starts_with("/console/decisions?");
    let parts = links(rows).into_iter().filter(|link| own(&link)).collect::<Vec<_>>();
    // Nine tabs, two conditions, and the newest ones.
    assert!(parts.len() >= 12, "{parts:?}");
    for link in parts {
        assert!(
            link.ends_with(&format!("&keep={id}")) || link.ends_with(&format!("?keep={id}")),
            "{link}"
        );
    }
    let apart = page(&scene, "auditor", "/console/decisions?q=finance").await;
    assert!(!apart.contains("keep="), "{apart}");
}

#[tokio::test]
async fn a_query_that_can_not_be_read_closes_no_record() {
    let scene = scene().await;
    did(&scene, &READ).await;
    let id = newest(&scene).await;
    let auditor = scene.person("auditor", &["auditor"]).await;
    for name in ["keep", "record"] {
        let typed = format!("/console/decisions?q=reson%3Ax&range=7d&{name}={id}");
        let answer = scene.send(&auditor, get(&typed)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let (_, beside) = answer.text.split_once("<aside id=\"beside\"").unwrap();
        assert!(beside.contains("What was asked") && beside.contains("name=\"keep\""), "{beside}");
        let close = "/console/decisions?q=reson%3Ax&range=7d";
        assert!(links(beside).iter().any(|link| link == close), "{beside}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_was_missing_and_leads_to_whoever_lets_them_in() {
    let scene = scene().await;
    scene.person("nora", &[]).await;
    did(&scene, &Deed { name: "nora", groups: &[], ..DENIED }).await;
    let address = format!("/console/decisions/{}", newest(&scene).await);
    let text = page(&scene, "owner", &address).await;
    assert!(text.contains("No grant opens it to them. It opens to Finance"), "{text}");
    let form = format!(
        "/console/routes/intranet/finance?who_kind=person&who={}#grant-form",
        subject("nora")
    );
    let people = format!("/console/people/{}", subject("nora"));
    for link in
        [form.as_str(), &people, "/console/routes/intranet/finance", "/console/releases/0...1"]
    {
        assert!(links(&text).iter().any(|other| other == link), "{link}: {:?}", links(&text));
    }
    let auditor = page(&scene, "auditor", &address).await;
    assert!(auditor.contains("What was missing") && !auditor.contains("Let in…"), "{auditor}");
    did(&scene, &Deed { method: "POST", ..DENIED }).await;
    let text = page(&scene, "owner", &format!("/console/decisions/{}", newest(&scene).await)).await;
    assert!(text.contains("It would open to them with multi-factor sign-in."), "{text}");
    assert!(text.contains("<code>grant:finance-write</code>"), "{text}");
    did(&scene, &READ).await;
    let text = page(&scene, "owner", &format!("/console/decisions/{}", newest(&scene).await)).await;
    assert!(!text.contains("What was missing"), "{text}");
}

#[tokio::test]
async fn our_own_pages_and_redirects_to_sign_in_can_be_left_out() {
    let scene = scene().await;
    did(&scene, &READ).await;
    did(&scene, &Deed { reason: Reason::NotSignedIn, rule: None, ..READ }).await;
    let all = page(&scene, "auditor", "/console/decisions").await;
    let count = |text: &str| text.matches("<tr id=\"d-").count();
    assert!(count(&all) > 2, "{all}");
    let link = |text: &str, label: &str| {
        let end = format!(">{label}</a>");
        let before = text.split(&end).next().unwrap();
        links(before).pop().unwrap()
    };
    let apps = page(&scene, "auditor", &link(&all, "Apps")).await;
    assert_eq!(count(&apps), 2, "{apps}");
    let without = page(&scene, "auditor", &link(&apps, "Without")).await;
    assert!(count(&without) == 1 && without.contains("Granted"), "{without}");
    assert!(without.contains("door:proxy -reason:not_signed_in"), "{without}");
    let own = page(&scene, "auditor", &link(&all, "Cedargate’s own pages")).await;
    assert!(count(&own) > 0 && !own.contains("/finance/summary"), "{own}");
}

#[tokio::test]
async fn redirects_to_sign_in_have_a_line_of_their_own_in_the_report() {
    let scene = scene().await;
    did(&scene, &DENIED).await;
    did(&scene, &Deed { reason: Reason::NotSignedIn, rule: None, ..READ }).await;
    let nora = scene.person("nora", &[]).await;
    scene.send(&nora, get("/console/routes")).await;
    let text = page(&scene, "auditor", "/console/reports/refusals").await;
    assert!(text.contains("1 request of nobody signed in was sent to sign in"), "{text}");
    assert_eq!(text.matches("<tr id=\"d-").count(), 2, "{text}");
    for (name, number) in
        [("At apps", 1), ("At Cedargate’s own pages", 1), ("Only sent to sign in", 1)]
    {
        let said = format!("<dt>{name}</dt><dd><bdi>{number}</bdi></dd>");
        assert!(text.contains(&said), "{said}: {text}");
    }
}

#[tokio::test]
async fn a_service_that_was_refused_is_let_in_as_a_service() {
    let scene = scene().await;
    let subject = subject("nightly");
    let service = Workload {
        subject: subject.parse().unwrap(),
        client: "nightly".to_owned(),
        roles: std::collections::BTreeSet::new(),
    };
    did_by(&scene, &DENIED, Principal::Workload(service)).await;
    let text = page(&scene, "owner", &format!("/console/decisions/{}", newest(&scene).await)).await;
    let form =
        format!("/console/routes/intranet/finance?who_kind=workload&who={subject}#grant-form");
    assert!(links(&text).contains(&form), "{:?}", links(&text));
}
