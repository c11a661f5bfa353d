//! Every commit is vouched for, and a log that is not what it was is not written on.

use std::sync::Arc;

use tempfile::TempDir;

use super::super::checkpoint::Checkpoint;
use super::super::{AuditError, AuditSettings, Ending};
use super::{Running, clock, event, opened, ward};
use crate::keys::LogKey;
use crate::store::audit::tests::Shell;

async fn texts(url: &str, query: &'static str) -> Vec<String> {
    Shell::open(url).await.texts(query).await
}

async fn refused(directory: &TempDir) -> AuditError {
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let opened =
        super::super::open(&url, AuditSettings::default(), clock(), ward(directory.path()));
    opened.await.unwrap_err()
}

/// A log of three records that ended in order.
async fn three() -> (Arc<TempDir>, String) {
    let running = Running::start().await;
    for name in ["one", "two", "three"] {
        let _ = running.audit.noted(event(name)).await.unwrap();
    }
    let url = running.url.clone();
    (running.stop().await, url)
}

#[tokio::test]
async fn newest_checkpoint_covers_all_records_and_the_mark_says_the_same() {
    let (directory, url) = three().await;
    let notes = texts(&url, "SELECT note FROM checkpoint ORDER BY place").await;
    let newest = notes.last().unwrap();
    let opened = Checkpoint::open(newest, &LogKey::from_seed(&[7; 32]).public()).unwrap();
    assert_eq!(opened.size, 3);
    assert_eq!(std::fs::read_to_string(directory.path().join("log.mark")).unwrap(), *newest);
}

#[tokio::test]
async fn one_checkpoint_a_minute_stays() {
    let running = Running::start().await;
    for _minute in 0..3 {
        for _ in 0..4 {
            let _ = running.audit.noted(event("x")).await.unwrap();
        }
        running.clock.advance(std::time::Duration::from_mins(1));
    }
    let kept =
        texts(&running.url, "SELECT CAST(place & 1099511627775 AS TEXT) FROM checkpoint").await;
    assert_eq!(kept, ["4", "8", "12"]);
}

#[tokio::test]
async fn log_that_was_tampered_with_at_its_end_is_not_written_on() {
    let table = [
        (
            "a record more",
            "INSERT INTO record (place, body, leaf_hash)
           SELECT MAX(place) + 1, body, leaf_hash FROM record",
            "4 records",
        ),
        (
            "a record less",
            "INSERT INTO audit_mode VALUES ('prune', 1);
           DELETE FROM record WHERE place = (SELECT MAX(place) FROM record)",
            "2 records",
        ),
        (
            "no checkpoint",
            "INSERT INTO audit_mode VALUES ('prune', 1); DELETE FROM checkpoint",
            "vouches for 0",
        ),
        (
            "a forged root",
            "DROP TRIGGER checkpoint_only_moves_on; UPDATE checkpoint SET peaks = zeroblob(64)",
            "its root is not that of its peaks",
        ),
    ];
    for (what, statements, says) in table {
        let (directory, url) = three().await;
        std::fs::remove_file(directory.path().join("log.mark")).unwrap();
        Shell::open(&url).await.run(statements).await.unwrap();
        let error = refused(&directory).await.to_string();
        assert!(error.contains(says) && error.contains("audit verify"), "{what}: {error}");
    }
}

#[tokio::test]
async fn checkpoint_of_another_key_is_not_taken_for_ours() {
    let (directory, url) = three().await;
    let stranger =
        super::super::Ward { key: LogKey::from_seed(&[8; 32]), ..ward(directory.path()) };
    let open = |ward| opened(&url, ward);
    assert!(matches!(open(stranger.clone()).await.unwrap_err(), AuditError::BadMark { .. }));
    std::fs::remove_file(directory.path().join("log.mark")).unwrap();
    let error = open(stranger).await.unwrap_err();
    assert!(matches!(error, AuditError::BadCheckpoint { .. }), "{error}");
    assert!(open(ward(directory.path())).await.is_ok());
}

#[tokio::test]
async fn older_copy_of_the_file_is_not_written_on() {
    let running = Running::start().await;
    let _ = running.audit.noted(event("one")).await.unwrap();
    let directory = running.stop().await;
    let file = directory.path().join("audit.db");
    let older = std::fs::read(&file).unwrap();
    let settings = AuditSettings::default;
    let running = Running::within(Arc::clone(&directory), settings(), None).await;
    let _ = running.audit.noted(event("two")).await.unwrap();
    let directory = running.stop().await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
    std::fs::write(&file, older).unwrap();
    let error = refused(&directory).await;
    assert!(matches!(error, AuditError::WentBack { .. }), "{error}");
    assert!(error.to_string().contains("audit accept --reason"), "{error}");
}

#[tokio::test]
async fn run_that_was_cut_off_is_noticed() {
    let (directory, url) = three().await;
    let log = super::super::open(&url, AuditSettings::default(), clock(), ward(directory.path()));
    assert_eq!(log.await.unwrap().ending, Ending::CutOff { records: 3 });
}

#[tokio::test]
async fn anchor_file_grows_by_every_anchored_checkpoint() {
    let directory = TempDir::new().unwrap();
    let mut ward = ward(directory.path());
    let file = directory.path().join("anchors.txt");
    ward.places.file = Some(file.clone());
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    for size in 1..3 {
        let log = super::super::open(&url, AuditSettings::default(), clock(), ward.clone());
        let log = log.await.unwrap();
        let stop = tokio_util::sync::CancellationToken::new();
        let note = async {
            let _ = log.audit.noted(event("x")).await.unwrap();
            stop.cancel();
        };
        tokio::join!(log.writer.run(stop.clone()), note);
        let text = std::fs::read_to_string(&file).unwrap();
        let newest = text.rsplit("cedargate/audit/").nth(1).unwrap();
        assert!(newest.lines().nth(1) == Some(&size.to_string()), "{text}");
    }
}
