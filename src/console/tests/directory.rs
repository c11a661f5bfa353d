//! Groups, roles and people, and the settings in force.

use http::StatusCode;

use crate::console::directory::known::limit;

use super::scene::{FINANCE, Scene, get, scene, subject};

async fn page(scene: &Scene, target: &str) -> String {
    let answer = scene.send(&scene.owner().await, get(target)).await;
    assert_eq!(answer.status, StatusCode::OK, "{target}: {}", answer.text);
    answer.text
}

#[tokio::test]
async fn groups_say_what_uses_them_and_who_was_seen_in_them() {
    let scene = scene().await;
    let before = page(&scene, "/console/groups?q=finance").await;
    assert!(before.contains("Nobody seen in it") && before.contains("2 grants"), "{before}");
    scene.person("uma", &[]).await;
    let after = page(&scene, "/console/groups?q=finance").await;
    assert!(!after.contains("Nobody seen in it") && after.contains(FINANCE), "{after}");
    let attention = page(&scene, "/console/groups?show=attention").await;
    assert!(!attention.contains(FINANCE) && attention.contains("Reports.Read"), "{attention}");
    let owner = page(&scene, "/console/groups?q=owner&show=used").await;
    assert!(owner.contains("console: owner"), "{owner}");
    let none = page(&scene, "/console/groups?q=no-such-group").await;
    assert!(none.contains("Nothing matches"), "{none}");
}

#[tokio::test]
async fn group_shows_its_grants_and_its_people_to_those_who_may_see_people() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    let target = format!("/console/groups/{FINANCE}");
    let text = page(&scene, &target).await;
    assert!(text.contains("finance-read") && text.contains(&subject("uma")), "{text}");
    let viewer = scene.person("viewer", &["viewer"]).await;
    let seen = scene.send(&viewer, get(&target)).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(
        !seen.text.contains(&subject("uma")) && seen.text.contains("1 of those"),
        "{}",
        seen.text
    );
    let role = page(&scene, "/console/groups/role?value=Reports.Read").await;
    assert!(role.contains("App role") && role.contains("reports"), "{role}");
}

#[tokio::test]
async fn groups_that_nothing_brings_up_are_not_found() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for target in [
        "/console/groups/9a000000-0000-4000-8000-0000000fffff",
        "/console/groups/finance",
        "/console/groups/role?value=No.Such",
        "/console/groups/role",
        "/console/people/nobody",
    ] {
        assert_eq!(scene.send(&owner, get(target)).await.status, StatusCode::NOT_FOUND, "{target}");
    }
    let stranger = format!("/console/people/{}", subject("stranger"));
    assert_eq!(scene.send(&owner, get(&stranger)).await.status, StatusCode::NOT_FOUND);
}

#[test]
fn that_some_may_be_missing_is_said_where_it_can_be() {
    assert_eq!(limit(9_999), None);
    assert!(limit(10_000).unwrap().contains("the 10000 seen last"));
}

#[tokio::test]
async fn nobody_is_listed_until_they_are_looked_for() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    let first = page(&scene, "/console/people").await;
    assert!(!first.contains(&subject("uma")) && first.contains("2 people and services"), "{first}");
    for query in ["uma", "UMA@contoso", &subject("uma")] {
        let found = page(&scene, &format!("/console/people?q={query}")).await;
        assert!(found.contains(&subject("uma")) && found.contains("1 matches."), "{found}");
    }
    assert!(page(&scene, "/console/people?q=zzz").await.contains("Nobody matches"));
}

#[tokio::test]
async fn person_has_groups_roles_and_the_newest_decisions() {
    let scene = scene().await;
    let uma = scene.person("uma", &["Reports.Read"]).await;
    scene.send(&uma, get("/console/routes")).await;
    let text = page(&scene, &format!("/console/people/{}", subject("uma"))).await;
    for part in ["Reports.Read", "Finance", "/console/routes", "Deny", "Newest decisions"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn person_who_only_stands_in_the_log_is_known_all_the_same() {
    let scene = scene().await;
    let uma = scene.person("uma", &[]).await;
    scene.send(&uma, get("/console/routes")).await;
    let subject_of_uma = subject("uma").parse().unwrap();
    let actor = crate::model::record::Actor::Gate;
    let why = crate::model::record::SessionEnd::Revoked;
    let sessions = &scene.doorkeeper.sessions;
    assert_eq!(sessions.end_all_of(&subject_of_uma, why, actor).await.unwrap(), 1);
    assert!(page(&scene, "/console/people?q=uma").await.contains(&subject("uma")));
}

#[tokio::test]
async fn settings_say_value_and_source_and_never_a_secret() {
    let scene = scene().await;
    let text = page(&scene, "/console/settings").await;
    for part in [
        "https://gate.contoso.com",
        "cedargate.toml:1",
        "Set, and not shown",
        "CEDARGATE_ENTRA__CLIENT_SECRET_FILE",
        "Default",
        "Not set",
        "[entra]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let file = page(&scene, "/console/settings?from=file").await;
    assert!(file.contains("public_url") && !file.contains("client_secret"), "{file}");
    assert!(page(&scene, "/console/settings?q=zzz").await.contains("No setting matches"));
}
