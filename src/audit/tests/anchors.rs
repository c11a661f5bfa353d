//! What was told outside of the database, and what a start makes of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::super::checkpoint::Checkpoint;
use super::super::{AuditError, AuditSettings, Ward, custody};
use super::tampering::{intact, log, trust};
use super::{Running, clock, event, opened, ward};
use crate::keys::LogKey;
use crate::model::record::Actor;
use crate::store::audit::tests::{Shell, make_pipe};

fn operator() -> Actor {
    Actor::Operator("root".to_owned())
}

/// One record, written and anchored.
async fn one_more(url: &str, ward: Ward) {
    let log = opened(url, ward).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let note = async {
        let _ = log.audit.noted(event("x")).await.unwrap();
        stop.cancel();
    };
    tokio::join!(log.writer.run(stop.clone()), note);
}

fn marked(directory: &Path) -> String {
    std::fs::read_to_string(directory.join("log.mark")).unwrap()
}

#[tokio::test]
async fn pipe_that_nobody_reads_holds_up_neither_the_mark_nor_the_end() {
    let (directory, url) = log().await;
    let pipe = directory.path().join("pipe");
    make_pipe(&pipe);
    let before = marked(directory.path());
    let mut ward = ward(directory.path());
    ward.places.file = Some(pipe);
    let ended = tokio::time::timeout(Duration::from_mins(1), one_more(&url, ward.clone()));
    ended.await.expect("an end");
    assert_ne!(marked(directory.path()), before);
    assert!(ward.places.notes().is_err(), "nobody waits for what is to be read from it either");
}

#[tokio::test]
async fn checkpoint_behind_a_torn_one_can_be_read_back() {
    let (directory, url) = log().await;
    let mut ward = ward(directory.path());
    let file = directory.path().join("anchors.txt");
    let note = marked(directory.path());
    std::fs::write(&file, format!("{note}\n{}", note.get(..30).unwrap())).unwrap();
    ward.places.file = Some(file);
    one_more(&url, ward.clone()).await;
    let notes = ward.places.in_file().unwrap().unwrap().notes;
    assert_eq!(notes, [note, marked(directory.path())]);
}

#[tokio::test]
async fn mark_of_the_key_before_is_taken_after_a_change_that_was_cut_off() {
    let (directory, url) = log().await;
    let mark = directory.path().join("log.mark");
    let before = marked(directory.path());
    let (old, next) = (ward(directory.path()), LogKey::from_seed(&[9; 32]));
    custody::rotate(&url, (clock(), old.clone()), next.clone(), operator()).await.unwrap();
    std::fs::write(&mark, before).unwrap();
    let begun = Ward { successor: Some(next.clone()), ..old.clone() };
    assert_eq!(opened(&url, begun.clone()).await.unwrap().key, next.public());
    // Given again, the command finds that all is done.
    custody::rotate(&url, (clock(), begun), next.clone(), operator()).await.unwrap();
    let installed = Ward { key: next.clone(), before: Some(old.key.public()), ..old.clone() };
    assert_eq!(opened(&url, installed).await.unwrap().key, next.public());
    let stranger = Ward { key: next, ..old };
    assert!(matches!(opened(&url, stranger).await.unwrap_err(), AuditError::BadMark { .. }));
    let report = intact(&url, trust(7)).await;
    // The run before did not stop in order, and whoever opened the log next said so.
    assert_eq!((report.read(), report.origins[0].crashes), (42, 1));
}

#[tokio::test]
async fn key_does_not_change_without_the_mark() {
    let (directory, url) = log().await;
    std::fs::create_dir(directory.path().join("log.mark-new")).unwrap();
    let next = LogKey::from_seed(&[9; 32]);
    let rotated = custody::rotate(&url, (clock(), ward(directory.path())), next, operator()).await;
    assert!(matches!(rotated.unwrap_err(), AuditError::Unmarked { .. }));
}

/// Two histories of one log: a copy went on elsewhere with the same key, and less far.
#[tokio::test]
async fn log_that_does_not_continue_the_mark_is_not_written_on() {
    let (directory, url) = log().await;
    let other = TempDir::new().unwrap();
    let mut shell = Shell::open(&url).await;
    shell.run("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    std::fs::copy(directory.path().join("audit.db"), other.path().join("audit.db")).unwrap();
    drop(shell);
    let there = Running::within(Arc::new(other), AuditSettings::default(), None).await;
    let _ = there.audit.noted(event("there")).await.unwrap();
    let other = there.stop().await;
    one_more(&url, ward(directory.path())).await;
    one_more(&url, ward(directory.path())).await;
    let ours = marked(directory.path());
    std::fs::write(directory.path().join("log.mark"), marked(other.path())).unwrap();
    let refused = opened(&url, ward(directory.path())).await.unwrap_err();
    assert!(matches!(refused, AuditError::OtherHistory { .. }), "{refused}");
    // A mark that lags behind is none of that.
    let notes = Shell::open(&url).await.texts("SELECT note FROM checkpoint ORDER BY place").await;
    assert_eq!(Checkpoint::unverified(&notes[1]).unwrap().size, 20);
    for mark in [&notes[1], &ours] {
        std::fs::write(directory.path().join("log.mark"), mark).unwrap();
        opened(&url, ward(directory.path())).await.unwrap();
    }
}
