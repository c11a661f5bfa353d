//! Reports: what they cover, what they say is missing, and that one was made.

use http::StatusCode;

use super::scene::{Answered, Person, Scene, get, post, scene, scene_with, subject};
use crate::model::id::ReleaseNumber;
use crate::publishing::{Content, Order, SecondPerson};
use crate::rule_files;
use crate::store::{Author, Edit};

async fn page(scene: &Scene, person: &Person, target: &str) -> String {
    let answer = scene.send(person, get(target)).await;
    assert_eq!(answer.status, StatusCode::OK, "{target}: {}", answer.text);
    answer.text
}

async fn csv(scene: &Scene, person: &Person, target: &str, fields: &[(&str, &str)]) -> Answered {
    let token = person.csrf();
    let mut all = vec![("_csrf", token.as_str())];
    all.extend(fields);
    let answer = scene.send(person, post(target, &all)).await;
    assert_eq!(answer.status, StatusCode::OK, "{target}: {}", answer.text);
    assert!(answer.header("content-type").starts_with("text/csv"));
    assert!(answer.header("content-disposition").starts_with("attachment; filename="));
    answer
}

/// The records of uses of the log, as `kind report format`.
async fn noted(scene: Scene) -> Vec<String> {
    let records = scene.stopped().await;
    let used = records.iter().filter(|record| record["detail"]["report"].is_string());
    let words = used.map(|record| {
        let detail = &record["detail"];
        [&record["kind"], &detail["report"], &detail["format"]]
            .map(|word| word.as_str().unwrap_or(""))
            .join(" ")
    });
    words.collect()
}

#[tokio::test]
async fn the_access_review_names_everybody_by_route_and_leaves_room_to_decide() {
    let scene = scene().await;
    let auditor = scene.person("aude", &["auditor"]).await;
    scene.person("uma", &[]).await;
    let text = page(&scene, &auditor, "/console/reports/access").await;
    for said in
        ["Access review", "https://gate.contoso.com", "All routes", "Release 1", "by aude at"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    let finance = text.split("<h2").find(|part| part.contains("/finance")).unwrap();
    assert!(
        finance.contains(&subject("uma")) && finance.contains("grant:finance-read"),
        "{finance}"
    );
    assert!(finance.contains("Keep") && finance.contains("Remove"), "{finance}");
    // What is open to everybody is said once, and not for each person.
    let home = text
        .split("<h2")
        .find(|part| {
            part.contains("intranet/home\"") || part.contains("Everyone, signed in or not,")
        })
        .unwrap();
    assert!(home.contains("not listed one by one") && !home.contains(&subject("uma")), "{home}");
    let one = page(&scene, &auditor, "/console/reports/access?route=intranet/finance").await;
    assert!(one.contains("Route intranet/finance") && !one.contains("/reports/{year}"), "{one}");
    let file =
        csv(&scene, &auditor, "/console/reports/access", &[("route", "intranet/finance")]).await;
    let row = file.text.lines().find(|line| line.contains(&subject("uma"))).unwrap();
    assert!(
        row.starts_with("\"intranet\",\"intranet/finance\"") && row.contains("grant:finance-read"),
        "{row}"
    );
    let none = scene.send(&auditor, get("/console/reports/access?route=intranet/none")).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        noted(scene).await,
        ["log_read access page", "log_read access page", "log_exported access csv"]
    );
}

#[tokio::test]
async fn refusals_are_counted_by_place_person_and_cause() {
    let scene = scene().await;
    let auditor = scene.person("aude", &["auditor"]).await;
    let uma = scene.person("uma", &[]).await;
    for _ in 0..3 {
        scene.send(&uma, get("/console/routes")).await;
    }
    let text = page(&scene, &auditor, "/console/reports/refusals").await;
    let sums = text.split("id=\"sums-h\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(sums.matches("<tr><th scope=\"row\"").count(), 1, "{sums}");
    assert!(sums.contains("uma") && sums.contains("Times </span>3</td>"), "{sums}");
    let before =
        page(&scene, &auditor, "/console/reports/refusals?from=2026-01-01&to=2026-01-31").await;
    assert!(
        before.contains("Nothing was refused") && before.contains("1 to 31 Jan 2026"),
        "{before}"
    );
    for wrong in ["from=2026-13-01", "from=2026-02-01&to=2026-01-01", "q=reson:x"] {
        let wrong = scene.send(&auditor, get(&format!("/console/reports/refusals?{wrong}"))).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("role=\"alert\""), "{}", wrong.text);
    }
    let file =
        csv(&scene, &auditor, "/console/reports/refusals", &[("from", ""), ("to", ""), ("q", "")])
            .await;
    assert_eq!(file.text.lines().count(), 4, "{}", file.text);
    assert!(text.contains("Not checked yet.") && text.contains("href=\"/console/integrity\""));
    super::integrity::verified(&scene).await;
    let text = page(&scene, &auditor, "/console/reports/refusals?q=user:uma").await;
    assert!(text.contains(": intact.") && text.contains("/console/integrity/certificates/"));
    for said in ["Last 7 days", "Last week", "Last 30 days", "Last month", "value=\"jsonl\""] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let presets = text.split("Usual periods").nth(1).unwrap().split("</div>").next().unwrap();
    assert_eq!(presets.matches("q=user").count(), 4, "{presets}");
    let token = auditor.csrf();
    let fields =
        [("_csrf", token.as_str()), ("from", ""), ("to", ""), ("q", ""), ("format", "jsonl")];
    let file = scene.send(&auditor, post("/console/reports/refusals", &fields)).await;
    assert!(file.header("content-type").starts_with("application/jsonl"));
    assert_eq!(file.text.matches("\"verdict\"").count(), 3, "{}", file.text);
    assert_eq!(noted(scene).await, ["log_read refusals page"; 3]);
}

/// Changes a grant as `by`, and publishes it as olive once `approver` has approved of it.
async fn published(scene: &Scene, by: &str, approver: Option<&str>) {
    let book = rule_files::demo().unwrap();
    let mut to = book.clone();
    to.grants[0].reason = "Quarterly figures, OPS-4412".to_owned();
    let author = |name: &str| Author { by: subject(name), at: scene.clock.now() };
    scene.store.save_draft(Edit { from: &book, to: &to }, &author(by)).await.unwrap();
    let publishing = super::scene::publishing(scene, SecondPerson::Off);
    let content = publishing.review(author(by)).await.unwrap().content;
    if let Some(approver) = approver {
        publishing.approve(&content, author(approver)).await.unwrap();
    }
    let content = Content::Draft { content };
    let note = "Quarterly".to_owned();
    let order = Order { content, based_on: ReleaseNumber(1), note, author: author("olive") };
    publishing.publish(order).await.unwrap();
    scene.publication(2).await;
}

#[tokio::test]
async fn each_release_says_how_many_people_had_a_hand_in_it() {
    let cases = [
        ("eddie", Some("pat"), "Somebody else approved of exactly what was published"),
        ("olive", None, "who published it had changed it too"),
        ("eddie", None, "who published it is not who changed it"),
    ];
    for (by, approver, eyes) in cases {
        let scene = scene_with(SecondPerson::Off).await;
        for name in ["eddie", "pat", "olive"] {
            scene.person(name, &[]).await;
        }
        let auditor = scene.person("aude", &["auditor"]).await;
        published(&scene, by, approver).await;
        let text = page(&scene, &auditor, "/console/reports/changes").await;
        let row = text.split("Release 2</a>").nth(1).unwrap().split("</tr>").next().unwrap();
        assert!(row.contains(by) && row.contains("olive") && row.contains(eyes), "{row}");
        assert_eq!(row.contains("pat"), approver.is_some(), "{row}");
        assert!(text.contains("Grant changed") && text.contains("OPS-4412"), "{text}");
        let file = csv(&scene, &auditor, "/console/reports/changes", &[]).await;
        assert!(
            file.text.contains("\"grant_changed\"") && file.text.contains(&subject(by)),
            "{}",
            file.text
        );
        assert_eq!(noted(scene).await, ["log_read changes page", "log_exported changes csv"]);
    }
}

#[tokio::test]
async fn answers_of_the_explorer_can_be_taken_away() {
    let scene = scene().await;
    let auditor = scene.person("aude", &["auditor"]).await;
    scene.known_as(["uma", "=cmd()"], &[]).await;
    let who = csv(
        &scene,
        &auditor,
        "/console/explore/who",
        &[("route", "intranet/finance"), ("action", "read")],
    )
    .await;
    let row = who.text.lines().find(|line| line.contains(&subject("uma"))).unwrap();
    assert!(
        row.contains("grant:finance-read") && row.contains("\"'=cmd()\"") && row.ends_with("\"1\""),
        "{row}"
    );
    let what = csv(&scene, &auditor, "/console/explore/what", &[("user", &subject("uma"))]).await;
    let row = what.text.lines().find(|line| line.contains("/finance")).unwrap();
    assert!(row.contains("Always") && row.contains("grant:finance-read"), "{row}");
    assert_eq!(noted(scene).await, ["log_exported who csv", "log_exported what csv"]);
}
