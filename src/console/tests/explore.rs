//! Who can reach what, and what would be decided if: the engine's answers, in words.

use http::StatusCode;

use super::dashboard::{READ_ONCE, did, file};
use super::scene::{FINANCE, Scene, get, scene, subject};
use crate::model::id::ReleaseNumber;

async fn page(scene: &Scene, target: &str, expected: StatusCode) -> String {
    let answer = scene.send(&scene.owner().await, get(target)).await;
    assert_eq!(answer.status, expected, "{target}: {}", answer.text);
    answer.text
}

/// The part of a page that is about this rule.
fn section<'a>(page: &'a str, rule: &str) -> &'a str {
    let start = page.split(&format!("aria-labelledby=\"{rule}\"")).nth(1);
    start.and_then(|rest| rest.split("</section>").next()).unwrap_or_default()
}

#[tokio::test]
async fn whoever_gets_in_stands_under_the_rule_that_lets_them_in() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    scene.person("nora", &[]).await;
    let text = page(&scene, "/console/explore/who?route=intranet/finance", StatusCode::OK).await;
    let through = section(&text, "grant-finance-read");
    assert!(through.contains(&subject("uma")) && through.contains("Always"), "{text}");
    assert!(!text.contains(&subject("nora")), "{text}");
    assert!(text.contains("Who was never here is not listed."), "{text}");
}

#[tokio::test]
async fn conditions_stand_beside_whoever_gets_in_under_them() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    let target = "/console/explore/who?route=intranet/finance&action=write";
    let text = page(&scene, target, StatusCode::OK).await;
    let through = section(&text, "grant-finance-write");
    assert!(through.contains(&subject("uma")) && through.contains(">If<"), "{text}");
    assert!(through.contains("with multi-factor sign-in"), "{through}");
    assert!(text.contains("1 of them under conditions"), "{text}");
}

#[tokio::test]
async fn rule_that_lets_in_nobody_we_know_is_there_all_the_same() {
    let scene = scene().await;
    let text = page(&scene, "/console/explore/who?route=intranet/finance", StatusCode::OK).await;
    assert!(section(&text, "grant-finance-read").contains("Nobody we know gets in"), "{text}");
    assert!(text.contains("Nobody we know can read it."), "{text}");
    let home = page(&scene, "/console/explore/who?route=intranet/home", StatusCode::OK).await;
    assert!(home.contains("Everyone, signed in or not, can read it."), "{home}");
}

#[tokio::test]
async fn route_that_is_not_there_is_said_at_the_field() {
    let scene = scene().await;
    let text =
        page(&scene, "/console/explore/who?route=intranet/none", StatusCode::UNPROCESSABLE_ENTITY)
            .await;
    assert!(text.contains("There is no such route.") && text.contains("aria-invalid"), "{text}");
    assert!(page(&scene, "/console/explore/who", StatusCode::OK).await.contains("Choose a route"));
    page(&scene, "/console/explore/who?x=1", StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn what_somebody_can_reach_is_said_for_every_route() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    let target = format!("/console/explore/what?user={}", subject("uma"));
    let text = page(&scene, &target, StatusCode::OK).await;
    for part in ["Always", ">If<", "Never", "grant:finance-read", "with multi-factor sign-in"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("/admin/{*rest}"), "a route that never opens is listed: {text}");
    let all = page(&scene, &format!("{target}&show=all"), StatusCode::OK).await;
    assert!(all.contains("/admin/{*rest}") && all.contains("/finance/{*rest}"), "{all}");
    page(&scene, &format!("{target}&show=some"), StatusCode::BAD_REQUEST).await;
    let by_name = page(&scene, "/console/explore/what?user=uma", StatusCode::OK).await;
    assert!(by_name.contains("grant:finance-read"), "{by_name}");
    let several = page(&scene, "/console/explore/what?user=contoso", StatusCode::OK).await;
    assert!(several.contains("Whom do you mean?"), "{several}");
    page(&scene, "/console/explore/what?user=nobody-like-that", StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn simulator_answers_as_the_gate_would_and_records_no_decision_about_a_route() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    let uma = subject("uma");
    let ask = |query: &str| format!("/console/simulate?app=intranet&path=/finance/q3{query}");
    for (query, verdict, part) in [
        (format!("&user={uma}"), "Allow.", "grant:finance-read"),
        ("&user=uma".to_owned(), "Allow.", "Finance"),
        (format!("&groups={FINANCE}"), "Allow.", "Somebody of whom nothing else is known"),
        ("&groups=Finance".to_owned(), "Allow.", "grant:finance-read"),
        ("&groups=Finance&method=POST".to_owned(), "Deny.", "with multi-factor sign-in"),
        ("&groups=Finance&method=POST&mfa=met".to_owned(), "Allow.", "grant:finance-write"),
        (String::new(), "Deny.", "Not signed in"),
        ("&roles=Reports.Read".to_owned(), "Deny.", "What came near"),
    ] {
        let text = page(&scene, &ask(&query), StatusCode::OK).await;
        assert!(text.contains(&format!("<strong>{verdict}</strong>")), "{query}: {text}");
        assert!(text.contains(part), "{query}, {part}: {text}");
    }
    assert!(scene.requests().await.iter().all(|record| record["door"] == "console"));
}

#[tokio::test]
async fn every_mistake_in_a_question_is_said_at_its_field() {
    let scene = scene().await;
    let query = "app=none&path=/a//b&method=BREW&address=here&at=noon&groups=Finanse&roles=%07&user=nobody-x&contexts=x1&proved=then";
    let target = format!("/console/simulate?{query}");
    let text = page(&scene, &target, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(text.matches("aria-invalid").count(), 10, "{text}");
    assert!(text.contains("value=\"Finanse\"") && text.contains("value=\"noon\""), "{text}");
    for release in ["99", "x"] {
        let target = format!("/console/simulate?app=intranet&path=/&release={release}");
        let text = page(&scene, &target, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert!(text.contains("There is no such release."), "{text}");
    }
    page(&scene, "/console/simulate?door=proxy", StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn older_release_and_draft_can_be_asked() {
    let scene = scene().await;
    let mut book = scene.store.live().await.unwrap().unwrap().rule_book;
    book.grants.retain(|grant| !grant.id.as_str().starts_with("finance"));
    super::scene::publish(&scene.store, &book, ReleaseNumber(1)).await;
    let ask = |release: &str| {
        format!(
            "/console/simulate?app=intranet&path=/finance/q3&groups={FINANCE}&release={release}"
        )
    };
    assert!(page(&scene, &ask("1"), StatusCode::OK).await.contains("<strong>Allow.</strong>"));
    for release in ["2", "draft"] {
        let text = page(&scene, &ask(release), StatusCode::OK).await;
        assert!(text.contains("<strong>Deny.</strong>"), "{release}: {text}");
    }
}

#[tokio::test]
async fn records_that_no_release_decides_on_are_refused_by_name() {
    let scene = scene().await;
    scene.send(&scene.owner().await, get("/console/routes")).await;
    let own = scene.requests().await[0]["id"].as_str().unwrap().to_owned();
    for (id, why) in [
        (own.as_str(), "about a page of Cedargate itself"),
        ("00000000-7", "no such record"),
        ("nonsense", "no id of a decision"),
    ] {
        let target = format!("/console/simulate?from={id}");
        let text = page(&scene, &target, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert!(text.contains(why), "{why}: {text}");
    }
    let editor = scene.person("eddie", &["editor"]).await;
    let answer = scene.send(&editor, get("/console/simulate?from=00000000-7")).await;
    assert!(answer.text.contains("takes the role of an auditor"), "{}", answer.text);
    let named = get("/console/simulate?app=intranet&path=/&user=uma");
    let answer = scene.send(&editor, named).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("names are looked up for auditors"), "{}", answer.text);
}

#[tokio::test]
async fn whoever_used_a_route_and_lost_it_is_no_part_of_its_use() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    did(&scene, &READ_ONCE).await;
    file(&scene);
    let text = page(&scene, "/console/explore/who?route=intranet/finance", StatusCode::OK).await;
    assert!(text.contains("Nobody did so as far back"), "{text}");
}

#[tokio::test]
async fn roles_that_are_typed_leave_groups_as_they_are_and_the_question_stands_folded_above() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    let ask = format!("/console/simulate?app=intranet&path=/finance/q3&user={}", subject("uma"));
    for more in ["", "&roles=Reports.Read"] {
        let text = page(&scene, &format!("{ask}{more}"), StatusCode::OK).await;
        assert!(text.contains("<strong>Allow.</strong>"), "{more}: {text}");
        let (answer, question) = (text.find("The answer"), text.find("Change the question"));
        assert!(question.unwrap() < answer.unwrap(), "{text}");
        assert!(text.contains("<details class=\"card\"><summary>Change the question"), "{text}");
    }
    let others = format!("{ask}&groups={}", FINANCE.replace('9', "8"));
    let text = page(&scene, &others, StatusCode::OK).await;
    assert!(text.contains("<strong>Deny.</strong>"), "{text}");
}
