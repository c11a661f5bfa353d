//! Whether the log is whole, as the console tells it.

use std::time::Duration;

use http::StatusCode;

use super::scene::{Person, Scene, checks, get, post, scene, subject};
use crate::audit::checkpoint::parse_verifier_key;
use crate::audit::proof::Proof;
use crate::audit::verify::copy::Outcome;
use crate::audit::verify::{Cause, Finding, Verdict};
use crate::model::id::{OriginId, ReleaseNumber};
use crate::model::record::{Actor, Entry, Event, LogUse, LogUseKind};
use crate::store::audit::tests::Shell;

/// The record of a check that found nothing wrong, as an earlier program wrote it.
pub(super) async fn verified(scene: &Scene) -> String {
    checked(scene, serde_json::json!({ "result": "intact", "read": 3 })).await
}

/// The record of a check that ended so.
async fn checked(scene: &Scene, detail: serde_json::Value) -> String {
    let used = LogUse {
        actor: Actor::Operator("root".to_owned()),
        how: LogUseKind::Verified,
        detail,
        used_at: scene.clock.now(),
    };
    let entry = Entry::Event(Box::new(Event::LogUsed(Box::new(used))));
    scene.doorkeeper.audit.noted(entry).await.unwrap().id().to_string()
}

async fn begun(scene: &Scene, person: &Person) {
    let begun =
        scene.send(person, post("/console/integrity/check", &[("_csrf", &person.csrf())])).await;
    assert_eq!(
        (begun.status, begun.header("location")),
        (StatusCode::SEE_OTHER, "/console/integrity")
    );
}

/// The page once no check is at work any more.
async fn ended(scene: &Scene, person: &Person) -> String {
    let ended = async {
        loop {
            let page = scene.send(person, get("/console/integrity")).await;
            assert_eq!(page.status, StatusCode::OK);
            if !page.text.contains("A check is at work") {
                return page.text;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), ended).await.expect("the check ends")
}

#[tokio::test]
async fn a_check_ends_in_one_sentence_that_is_on_record() {
    let scene = scene().await;
    let auditor = scene.person("aude", &["auditor"]).await;
    let page = scene.send(&auditor, get("/console/integrity")).await;
    assert!(page.text.contains("Not verified yet."), "{}", page.text);
    begun(&scene, &auditor).await;
    let page = ended(&scene, &auditor).await;
    let origin = scene.doorkeeper.audit.origin().to_string();
    let sentence = format!("Verified to record {origin}-");
    assert!(page.contains(&sentence) && page.contains("by aude."), "{page}");
    let key = scene.doorkeeper.audit.log_key().to_owned();
    // What is shown comes from the log: whoever asks another process is told the same.
    let certificate = page.split("href=\"/console/integrity/certificates/").nth(1).unwrap();
    let id = certificate.split('"').next().unwrap().to_owned();
    let certificate = format!("/console/integrity/certificates/{id}");
    let certificate = scene.send(&auditor, get(&certificate)).await;
    assert_eq!(certificate.status, StatusCode::OK);
    for said in ["Nothing was changed, removed or added.", "aude", &key.replace('+', "&#43;"), &id]
    {
        let said = [said.to_owned(), said.replace("&#43;", "+")];
        assert!(
            said.iter().any(|said| certificate.text.contains(said)),
            "{said:?}: {}",
            certificate.text
        );
    }
    let records = scene.stopped().await;
    let record = records.iter().find(|record| record["kind"] == "log_verified").unwrap();
    assert_eq!(record["detail"]["result"], "intact");
    assert_eq!(record["actor"], subject("aude"));
    assert_eq!(record["detail"]["logs"][0]["key"], key);
}

#[tokio::test]
async fn a_broken_log_names_the_record_and_what_to_do() {
    let scene = scene().await;
    let owner = scene.owner().await;
    scene.send(&owner, get("/console/routes")).await;
    let id = scene.requests().await[0]["id"].as_str().unwrap().to_owned();
    let mut shell = Shell::open(&format!("sqlite://{}", scene.reader.file().display())).await;
    shell
        .run(
            "DROP TRIGGER record_is_never_changed; UPDATE record SET body = CAST(REPLACE(CAST(body AS TEXT), 'read_rules', 'edit_draft') AS BLOB)",
        )
        .await
        .unwrap();
    begun(&scene, &owner).await;
    let page = ended(&scene, &owner).await;
    assert!(page.contains(&format!("Broken at record {id}.")), "{page}");
    assert!(page.contains("does not fit its hash") && page.contains("<ol>"), "{page}");
}

#[tokio::test]
async fn what_was_lost_and_accepted_is_told_as_such_and_no_certificate_leaves_it_out() {
    let scene = scene().await;
    let auditor = scene.person("aude", &["auditor"]).await;
    let lost =
        "records 0v9k3m2q-3 to 0v9k3m2q-4 as they were vouched for are lost: The disk failed";
    let accepted = [format!("{lost}."), "release 3 is lost: The same".to_owned()];
    let detail = serde_json::json!({ "result": "intact", "read": 3, "compared": 2, "releases": 2, "accepted": accepted });
    let id = checked(&scene, detail).await;
    let page = scene.send(&auditor, get("/console/integrity")).await.text;
    assert!(page.contains(&format!("Known loss: {lost}.</bdi>")), "{page}");
    assert!(
        page.contains(", but for what was accepted as lost.")
            && !page.contains("note allow verdict"),
        "{page}"
    );
    let certificate = certificate(&scene, &auditor, &id).await;
    let all = format!("accepted as lost: {lost}; and release 3 is lost: The same.<");
    assert!(certificate.contains(&all), "{certificate}");
    assert!(!certificate.contains("Nothing was changed"), "{certificate}");
    assert!(!certificate.contains("vouch for all of them"), "{certificate}");
    assert!(certificate.contains("say the same, but for what was accepted as lost."));
    assert!(!certificate.contains("note allow"), "{certificate}");
}

#[tokio::test]
async fn a_release_that_only_its_own_hash_vouches_for_is_told_as_that() {
    let scene = scene().await;
    let auditor = scene.person("aude", &["auditor"]).await;
    let detail = serde_json::json!({ "result": "intact", "read": 3, "releases": 2, "releases_by_own_hash": 1 });
    let id = checked(&scene, detail).await;
    let page = scene.send(&auditor, get("/console/integrity")).await.text;
    assert!(page.contains("1 of them only as the hash beside the content says"), "{page}");
    assert!(!page.contains("kept as published"), "{page}");
    assert!(certificate(&scene, &auditor, &id).await.contains("1 of them only as the hash"));
}

/// The certificate of this check.
async fn certificate(scene: &Scene, person: &Person, id: &str) -> String {
    let address = format!("/console/integrity/certificates/{id}");
    scene.send(person, get(&address)).await.text.replace("&#39;", "'")
}

#[tokio::test]
async fn the_check_elsewhere_has_all_that_this_one_had() {
    let scene = scene().await;
    let auditor = scene.person("aude", &["auditor"]).await;
    let detail = |releases: Option<u64>| serde_json::json!({ "result": "intact", "read": 1, "releases": releases });
    let command = "audit verify --database audit.db --releases cedargate.db --checkpoint";
    for (releases, said) in [
        (Some(4), "Yes. The 4 releases that decided are kept as published."),
        (None, "No. Whether the releases that decided are still kept was not checked."),
    ] {
        let id = checked(&scene, detail(releases)).await;
        let certificate = certificate(&scene, &auditor, &id).await;
        assert!(certificate.contains("Releases compared") && certificate.contains(said), "{said}");
        let page = scene.send(&auditor, get("/console/integrity")).await.text;
        assert!(page.contains("1 record was read and holds."), "{page}");
        for text in [certificate, page] {
            let copied = "<code>cedargate.db</code>";
            assert!(text.contains(command) && text.contains(copied), "{text}");
        }
    }
}

#[tokio::test]
async fn a_release_that_is_gone_is_not_told_as_a_broken_record() {
    let scene = scene().await;
    let auditor = scene.person("aude", &["auditor"]).await;
    let cause = Cause::Release { release: ReleaseNumber(3), what: "not there" };
    let origin = OriginId::from_bytes([0; 5]);
    let finding = Finding { origin, first: 7, last: 7, after: None, cause };
    let verdict = Verdict::of(&Ok(Outcome::Tampered(finding)), Duration::ZERO);
    let id = checked(&scene, serde_json::to_value(verdict).unwrap()).await;
    let page = scene.send(&auditor, get("/console/integrity")).await.text;
    let said = format!("Release 3, which record {origin}-7 names, is not kept as published.");
    assert!(page.contains(&said) && !page.contains("Broken at record"), "{page}");
    assert!(page.contains("copy audit.db, cedargate.db and the anchor file"), "{page}");
    let certificate = certificate(&scene, &auditor, &id).await;
    let said = "Yes. Release 3 is not kept as it was published.";
    assert!(certificate.contains(said), "{certificate}");
    let record = scene.send(&auditor, get(&format!("/console/changes/{id}"))).await.text;
    assert!(record.contains(": release 3 is not kept as it was published."), "{record}");
}

#[tokio::test]
async fn there_is_one_check_at_a_time_and_it_can_be_ended() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let checks = checks(&scene);
    let by: crate::model::id::Subject = subject("olive").parse().unwrap();
    let first = checks.begin(by.clone(), 3);
    let second = checks.begin(by, 3);
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    first.cancel();
    let mut progress = first.progress();
    progress
        .wait_for(|now| matches!(now, crate::console::integrity::checks::Progress::Ended(Some(_))))
        .await
        .unwrap();
    assert!(checks.running().is_none());
    let page = scene.send(&owner, get("/console/integrity")).await;
    assert!(
        page.text.contains("Not verified yet.") && page.text.contains("Ended before it was done"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn what_is_followed_after_the_end_ends_at_once() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let answer = scene.send(&owner, get("/console/integrity/progress")).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert!(answer.text.contains("event: done"), "{}", answer.text);
}

#[tokio::test]
async fn a_record_comes_with_a_proof_that_the_key_alone_checks() {
    let scene = scene().await;
    let owner = scene.owner().await;
    scene.send(&owner, get("/console/routes")).await;
    let id = scene.requests().await[0]["id"].as_str().unwrap().to_owned();
    let page = scene.send(&owner, get(&format!("/console/decisions/{id}"))).await;
    let address = format!("/console/decisions/{id}/proof");
    assert!(page.text.contains(&address), "{}", page.text);
    let file = scene.send(&owner, get(&address)).await;
    assert_eq!(file.status, StatusCode::OK);
    let name = format!("attachment; filename=\"{id}.tlog-proof\"");
    assert_eq!(file.header("content-disposition"), name);
    let (_, key) = parse_verifier_key(scene.doorkeeper.audit.log_key()).unwrap();
    let proof = Proof::parse(&file.text).unwrap();
    let point = proof.check(&key).unwrap();
    assert_eq!(format!("{}-{}", point.origin, proof.index), id);
    let body: serde_json::Value = serde_json::from_slice(&proof.body).unwrap();
    assert_eq!(body["action"], "read_rules");
    let taken = scene.stopped().await;
    let taken = taken.iter().find(|record| record["kind"] == "log_exported").unwrap();
    assert_eq!(taken["detail"]["first"], id);
}

#[tokio::test]
async fn the_mark_beside_the_key_is_not_called_kept_elsewhere() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let alone = "No checkpoint that was kept elsewhere was compared";
    for (compared, file) in [(1, alone), (4, "3 checkpoints of an anchor file fit.")] {
        let detail = serde_json::json!({ "result": "intact", "read": 3, "compared": compared, "beside_key": 1 });
        let id = checked(&scene, detail).await;
        let page = scene.send(&owner, get("/console/integrity")).await.text;
        assert!(page.contains("The mark beside the key fits.") && page.contains(file), "{page}");
        assert_eq!(page.contains(alone), compared == 1);
        let certificate = format!("/console/integrity/certificates/{id}");
        let certificate = scene.send(&owner, get(&certificate)).await.text;
        assert!(certificate.contains("The mark beside the key, and "), "{certificate}");
        let open = "can't be told without a checkpoint that was kept elsewhere";
        let certificate = certificate.replace("&#39;", "'");
        assert_eq!(certificate.contains(open), compared == 1, "{certificate}");
    }
}

#[tokio::test]
async fn a_record_says_of_the_log_what_the_last_check_found() {
    let scene = scene().await;
    let owner = scene.owner().await;
    scene.send(&owner, get("/console/routes")).await;
    let id = scene.requests().await[0]["id"].as_str().unwrap().to_owned();
    let (origin, _) = id.rsplit_once('-').unwrap();
    let log = |records: u64| {
        let log = serde_json::json!({ "origin": origin, "first": 0, "records": records, "root": "", "key": "", "from": null, "to": null });
        serde_json::json!({ "result": "intact", "read": records, "logs": [log] })
    };
    let tampered = serde_json::json!({ "result": "tampered", "at": "x-3", "finding": "changed" });
    let event = checked(&scene, serde_json::json!({ "result": "cancelled" })).await;
    let pages = [format!("/console/decisions/{id}"), format!("/console/changes/{event}")];
    let said = async |words: &str, good: bool| {
        for page in &pages {
            let text = scene.send(&owner, get(page)).await.text;
            let line = text.split("<p class=\"proven\">").nth(1).unwrap();
            let line = line.split("</p>").next().unwrap();
            assert!(line.contains(words) && line.contains("/console/integrity"), "{words}: {line}");
            assert_eq!(line.contains("i-circle-check"), good, "{line}");
        }
    };
    said("Nobody has checked the log yet.", false).await;
    checked(&scene, log(0)).await;
    said("Not part of the last check", false).await;
    checked(&scene, log(1_000)).await;
    said(&format!("Checked to record {origin}-999"), true).await;
    checked(&scene, tampered).await;
    said("the log is broken at record x-3", false).await;
}
