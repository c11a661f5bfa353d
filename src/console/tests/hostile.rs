//! What people and requests bring along never becomes markup (A59), and the log reads as it was.

use http::StatusCode;

use super::scene::{FINANCE, Person, Scene, get, scene, scene_of, subject};
use crate::model::rule_book::RuleBook;
use crate::rule_files;
use crate::store::{Author, Edit};
use crate::web::tests::markup::{assert_same_shape, check_answered, fitting, hostile, innocent};

/// A change of every kind of object, with the same text in it.
async fn draft(scene: &Scene, (book, text): (&RuleBook, fn(&str) -> String)) {
    let mut to = book.clone();
    to.apps[0].name = fitting(&text("Other"));
    to.routes.iter_mut().for_each(|route| route.owner = fitting(&text("Owner")));
    to.group_names.values_mut().for_each(|name| *name = fitting(&text("Other")));
    to.grants.retain(|grant| grant.id.as_str() != "finance-write");
    to.grants.iter_mut().for_each(|grant| grant.ticket = fitting(&text("Ticket")));
    to.assertions.iter_mut().for_each(|one| one.reason = fitting(&text("Reason")));
    to.policies[0].text += &["// ", &fitting(&text("Comment")), "\n"].concat();
    let author = Author { by: text("olive"), at: scene.clock.now() };
    scene.store.save_draft(Edit { from: book, to: &to }, &author).await.unwrap();
}

/// Every page, by a name.
fn targets([id, change, query]: [&str; 3]) -> Vec<(&'static str, String)> {
    vec![
        ("routes", "/console/routes".to_owned()),
        ("route", "/console/routes/intranet/finance".to_owned()),
        ("saved", format!("/console/routes/intranet/finance?saved={query}")),
        ("edit", "/console/routes/intranet/finance?edit=finance-read".to_owned()),
        ("settings_of_a_route", "/console/routes/intranet/finance/settings".to_owned()),
        ("remove_route", "/console/routes/intranet/finance/remove".to_owned()),
        ("new_route", "/console/apps/intranet/new-route".to_owned()),
        ("app", "/console/apps/intranet".to_owned()),
        ("remove_app", "/console/apps/intranet/remove".to_owned()),
        ("new_app", "/console/new-app".to_owned()),
        ("draft", "/console/draft".to_owned()),
        ("discard", "/console/draft/discard".to_owned()),
        ("impact", "/console/draft/impact?by=person".to_owned()),
        ("releases", "/console/releases".to_owned()),
        ("between", "/console/releases/0...1".to_owned()),
        ("policies", "/console/policies".to_owned()),
        ("policy", "/console/policies/no-guests-in-admin".to_owned()),
        ("assertions", "/console/assertions".to_owned()),
        ("decision", format!("/console/decisions/{id}")),
        ("decisions", "/console/decisions".to_owned()),
        ("changes", "/console/changes".to_owned()),
        ("change", format!("/console/changes/{change}")),
        ("who", "/console/explore/who?route=intranet/finance&action=read".to_owned()),
        ("what", format!("/console/explore/what?user={}", subject("uma"))),
        (
            "simulate",
            format!("/console/simulate?app=intranet&path=/finance/x&user={}", subject("uma")),
        ),
        ("groups", "/console/groups".to_owned()),
        ("group", format!("/console/groups/{FINANCE}")),
        ("role", "/console/groups/role?value=Reports.Read".to_owned()),
        ("people", "/console/people?q=a".to_owned()),
        ("person", format!("/console/people/{}", subject("olive"))),
        ("sessions", format!("/console/sessions?q={}", subject("uma"))),
        ("ending", format!("/console/sessions/end?user={}", subject("uma"))),
        ("settings", "/console/settings".to_owned()),
    ]
}

/// All pages of an owner with this name, whose rule book and requests carry the same text.
async fn pages(text: fn(&str) -> String) -> Vec<(&'static str, String)> {
    let mut book = rule_files::demo().unwrap();
    book.apps[0].name = fitting(&text("Intranet"));
    book.routes.iter_mut().for_each(|route| route.title = fitting(&text("Title")));
    book.group_names.values_mut().for_each(|name| *name = fitting(&text("Finance")));
    book.grants.iter_mut().for_each(|grant| grant.reason = fitting(&text("Reason")));
    let scene = scene_of(book.clone()).await;
    draft(&scene, (&book, text)).await;
    let owner = scene.known_as(["olive", &text("Olive")], &["owner"]).await;
    scene.known_as(["uma", &text("Uma")], &["Reports.Read"]).await;
    let agent = text("agent").replace('\u{202e}', "");
    for target in ["/console/routes", "/console/"] {
        let sending = get(target).with("user-agent", &agent).with("referer", &agent);
        assert!(!scene.send(&owner, sending).await.status.is_client_error());
    }
    let id = scene.requests().await[0]["id"].as_str().unwrap().to_owned();
    let query: String = url::form_urlencoded::byte_serialize(text("/console").as_bytes()).collect();
    // The last of what the draft left: then all of it is on record.
    scene.change("group_name_changed").await;
    let change = scene.change("grant_changed").await;
    let mut pages = Vec::new();
    for (name, target) in targets([&id, &change, &query]) {
        let answer = scene.send(&owner, get(&target)).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        let policy = answer.header("content-security-policy").to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        pages.push((name, answer.text));
    }
    let asked = asked_for(&text("/console"));
    let searched = scene.send(&owner, get(&format!("/console/decisions?q={asked}"))).await;
    assert_eq!(searched.status, StatusCode::OK, "{}", searched.text);
    assert!(!searched.text.contains("<img src=x"), "searched");
    answer_all(&scene, &owner, &query).await;
    pages
}

/// A text as one word of a query, in an address.
fn asked_for(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(1_000).collect();
    let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    url::form_urlencoded::byte_serialize(quoted.as_bytes()).collect()
}

/// Pages that are asked for something that is not there.
async fn answer_all(scene: &Scene, owner: &Person, query: &str) {
    for target in [
        "people?q=",
        "groups?q=",
        "sessions?q=",
        "settings?q=",
        "explore/what?user=",
        "explore/who?route=",
        "simulate?path=",
    ] {
        let page = scene.send(owner, get(&format!("/console/{target}{query}"))).await;
        assert!(!page.text.contains("<img src=x") && page.text.contains("</html>"), "{target}");
    }
}

#[tokio::test]
async fn hostile_names_do_not_change_the_markup_of_any_page_a59() {
    let (plain, attacked) = tokio::join!(pages(innocent), pages(hostile));
    for ((name, plain), (_, attacked)) in plain.iter().zip(&attacked) {
        // The settings of the running gate are nobody's to choose but the operator's.
        assert!(attacked.contains("onerror"), "{name}: the text is not on the page");
        assert!(!attacked.contains("<img src=x") && !attacked.contains("<script>"), "{name}");
        assert_same_shape(name, plain, attacked);
        check_answered(&format!("real_console_{name}"), plain);
    }
}

#[tokio::test]
async fn decisions_are_found_by_person_path_rule_and_effect() {
    let scene = scene().await;
    let (owner, uma) = (scene.owner().await, scene.person("uma", &[]).await);
    scene.send(&owner, get("/console/routes/intranet/finance")).await;
    scene.send(&uma, get("/console/routes")).await;
    let count = async |query: &str| {
        let page = scene.send(&owner, get(&format!("/console/decisions?{query}")).htmx()).await;
        assert!(page.text.trim_start().starts_with("<div id=\"rows\""), "{}", page.text);
        page.text.matches("<tr id=\"d-").count()
    };
    assert_eq!(count("q=uma").await, 1);
    assert_eq!(count("q=UMA%40contoso+effect:deny").await, 1);
    assert_eq!(count("q=uma+effect:allow").await, 0);
    assert_eq!(count("q=intranet/finance").await, 1);
    assert_eq!(count("q=policy:every-role-reads-rules+path:/console/routes/**&range=1h").await, 1);
    let page = scene.send(&owner, get("/console/decisions?page=2")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_answered_beside_the_box() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for (address, wrong) in [
        ("q=reson:no_grant", "reson"),
        ("q=%22open", "opened and not closed"),
        ("range=2y", "`2y` is not one of the spans of time"),
        ("before=nothing", "`nothing` is not the id of a record"),
    ] {
        let target = format!("/console/decisions?{address}");
        let page = scene.send(&owner, get(&target)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains(wrong), "{}", page.text);
        assert!(page.text.contains("aria-invalid"), "{}", page.text);
        let part = scene.send(&owner, get(&target).htmx()).await;
        assert_eq!(part.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(part.header("hx-retarget"), "#q-err");
        assert!(part.text.contains(wrong) && !part.text.contains('<'), "{}", part.text);
    }
}

#[tokio::test]
async fn older_decisions_are_on_further_pages() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for _ in 0..52 {
        scene.send(&owner, get("/console/entra")).await;
    }
    let address = "/console/decisions?q=path:/console/entra";
    let first = scene.send(&owner, get(address)).await;
    assert_eq!(first.text.matches("<tr id=\"d-").count(), 40);
    let older = first.text.split("id=\"older\" href=\"").nth(1).unwrap();
    let older = older.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let second = scene.send(&owner, get(&older)).await;
    assert_eq!(second.text.matches("<tr id=\"d-").count(), 12);
    assert!(!second.text.contains("id=\"older\""), "{}", second.text);
}

#[tokio::test]
async fn refusals_stand_in_the_list_and_have_a_page() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let forged = super::scene::post("/console/routes/intranet/finance/grants", &[]);
    scene.send(&owner, forged).await;
    let page = scene.send(&owner, get("/console/decisions?q=effect:refused")).await;
    assert!(page.text.contains("The form was not sent by our page"), "{}", page.text);
    let id = scene.requests().await[0]["id"].as_str().unwrap().to_owned();
    let page = scene.send(&owner, get(&format!("/console/decisions/{id}"))).await;
    assert!(page.text.contains("refused before there was anything to decide"), "{}", page.text);
}
