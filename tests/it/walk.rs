//! The main job, once through: sign in, be let in by name, be refused with a reason, and all of it on record.

use crate::harness::{Request, World, exchange};

#[tokio::test(flavor = "multi_thread")]
async fn uma_is_greeted_by_name_and_every_step_is_on_record() {
    let world = World::start().await;
    let mut uma = world.browser();
    let page = uma.sign_in("uma", &world.app("/finance/summary")).await;
    assert_eq!((page.status, page.url.as_str()), (200, world.app("/finance/summary").as_str()));
    assert!(page.text().contains("Uma Umarov"), "{}", page.text());
    let decisions = world.decisions().await;
    let (allow, deny) = (&decisions[0], &decisions[1]);
    assert_eq!(
        (&allow["verdict"], &allow["rules"][0]),
        (&"allow".into(), &"grant:finance-read".into())
    );
    assert_eq!((&deny["verdict"], &deny["reason"]), (&"deny".into(), &"not_signed_in".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nora_is_told_why_she_is_refused() {
    let world = World::start().await;
    let mut nora = world.browser_of("nora").await;
    let page = nora.open(&world.app("/finance/summary")).await;
    let id = world.decisions().await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(page.status, 403);
    for part in ["Nora", id.as_str(), "None of your groups or roles", "account=other"] {
        assert!(page.text().contains(part), "{part} in {}", page.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_edits_the_draft_and_neither_publishes_nor_reads_the_log() {
    let world = World::start().await;
    let mut eddie = world.browser();
    let page = eddie.sign_in("eddie", &world.gate("/console/routes/intranet/reports")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Add to draft") && !page.text().contains("/console/decisions"));
    assert_eq!(eddie.open(&world.gate("/console/decisions")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_page_of_ours_lacks_is_refused_in_words_and_on_record() {
    let world = World::start().await;
    let wrong = [
        ("POST", world.gate("/")),
        ("PUT", world.gate("/_gate/logout")),
        ("DELETE", world.app("/_gate/whoami")),
        ("POST", world.app("/_gate/static/console.css")),
    ];
    for (method, url) in wrong {
        let answer = exchange(Request::new(method, &url)).await;
        let said = answer.json();
        assert_eq!((answer.status, &said["error"]), (405, &"method_not_allowed".into()), "{url}");
        assert_eq!(world.decisions().await[0]["id"], said["decision_id"], "{method} {url}");
    }
}
