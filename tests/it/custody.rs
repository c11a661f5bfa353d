//! What operators do to the log as a whole, and what becomes of what it is kept with.

use std::path::Path;

use crate::audit::says;
use crate::harness::{World, command_on};

#[tokio::test]
async fn log_that_lost_its_end_is_refused_verified_and_accepted_by_name() {
    let world = World::start().await;
    world.browser_of("uma").await;
    let gate = world.places.gate();
    let data = world.stop().await;
    let run = |arguments: &[&str]| command_on(data.path(), &gate, arguments);
    let mark = data.path().join("keys/log.mark");
    let kept = data.path().join("kept.txt");
    std::fs::copy(&mark, &kept).unwrap();
    says(&run(&["audit", "verify", "--checkpoint", kept.to_str().unwrap()]), 0, &["Intact."]);
    lose_the_end(data.path()).await;
    // By itself it holds; the gate's own mark says what is gone.
    let file = data.path().join("audit.db");
    let alone = run(&["audit", "verify", "--database", file.to_str().unwrap()]);
    says(&alone, 0, &["can't be told without a checkpoint"]);
    says(&run(&["audit", "verify"]), 1, &["Tampered with", "gone: a checkpoint vouches for"]);
    // A note that was torn does not make those beside it useless.
    let note = std::fs::read_to_string(&kept).unwrap();
    std::fs::write(&kept, format!("{}\n{note}", note.get(..30).unwrap())).unwrap();
    let verdict = run(&["audit", "verify", "--checkpoint", kept.to_str().unwrap()]);
    says(&verdict, 1, &["Tampered with", "gone: a checkpoint vouches for"]);
    let json = run(&["audit", "verify", "--json", "--checkpoint", kept.to_str().unwrap()]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["result"], "tampered");
    // The gate does not write on it, and says what to do.
    let mut started = run(&["serve"]);
    says(&started, 2, &["an older copy took its place", "audit accept --reason"]);
    says(&run(&["audit", "accept", "--reason", " "]), 2, &["--reason: 1 to 1,000 characters"]);
    says(&run(&["audit", "accept", "--reason", "The disk failed"]), 0, &["sessions have ended"]);
    says(&run(&["audit", "verify"]), 0, &["begun behind another log: The disk failed"]);
    // What the mark told then is a known loss from here on, to whoever compares with it.
    let known = run(&["audit", "verify", "--checkpoint", kept.to_str().unwrap()]);
    let words =
        ["Known loss: records", "are lost, which operator:", "The disk failed", "Intact, but for"];
    says(&known, 0, &words);
    let json = run(&["audit", "verify", "--json", "--checkpoint", kept.to_str().unwrap()]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (json["result"].as_str(), json["report"]["accepted"].as_array().map(Vec::len)),
        (Some("accepted_losses"), Some(1))
    );
    started = run(&["audit", "rotate-key"]);
    let key = says(&started, 0, &["cedargate/audit/"]).lines().next().unwrap().to_owned();
    says(
        &run(&["audit", "verify", "--key", &key]),
        0,
        &["Intact, but for what was accepted as lost."],
    );
}

/// What decided must still be there, or nobody can say any more why.
#[tokio::test]
async fn log_whose_releases_are_gone_or_others_is_found_with_the_database_of_rules() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    assert_eq!(uma.open(&world.app("/finance/summary")).await.status, 200);
    world.outbox_is_taken().await;
    let gate = world.places.gate();
    let data = world.stop().await;
    let run = |arguments: &[&str]| command_on(data.path(), &gate, arguments);
    let (log, rules) = (data.path().join("audit.db"), data.path().join("cedargate.db"));
    let (log, copy) = (log.to_str().unwrap(), data.path().join("copy.db"));
    says(&run(&["audit", "verify"]), 0, &["that records name are kept as published."]);
    says(&run(&["audit", "verify", "--database", log]), 0, &["are still kept was not checked"]);
    let against = |copy: &Path| {
        let copy = copy.to_str().unwrap();
        run(&["audit", "verify", "--database", log, "--releases", copy])
    };
    std::fs::copy(&rules, &copy).unwrap();
    says(&against(&copy), 0, &["that records name are kept as published."]);
    for (done, found) in [
        ("UPDATE release SET cedar = cedar || ' '", "not what was published"),
        ("UPDATE release SET sha256 = 'a'", "not what its hash says"),
        ("DELETE FROM release", "not there"),
    ] {
        std::fs::copy(&rules, &copy).unwrap();
        change(&copy, done).await;
        says(&against(&copy), 1, &["names release 1, which in the database of rules is", found]);
    }
    change(&rules, "DELETE FROM release").await;
    says(&run(&["audit", "verify"]), 1, &["names release 1", "not there"]);
}

/// Somebody who can write the file does this to it.
async fn change(file: &Path, script: &'static str) {
    use sqlx::Connection as _;
    let url = format!("sqlite://{}", file.display());
    let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(script).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
}

/// Somebody removes the last records together with what vouched for them, and leaves a log that holds by itself.
async fn lose_the_end(data: &Path) {
    let script = "DROP TRIGGER record_is_never_deleted; DROP TRIGGER checkpoint_is_never_deleted;
        DELETE FROM record; DELETE FROM checkpoint;";
    change(&data.join("audit.db"), script).await;
}
