//! Whose word counts: keys that took over and keys of before, and logs that only an acceptance vouches for.

use std::sync::Arc;

use super::super::verify::{Cause, Trust};
use super::super::{AuditSettings, Ward, custody};
use super::acceptance::{CUT, accepted, order};
use super::tampering::{OPEN, finding, intact, log, operator, trust};
use super::{Running, clock, event, ward};
use crate::keys::LogKey;
use crate::store::audit::tests::Shell;

fn key(seed: u8) -> LogKey {
    LogKey::from_seed(&[seed; 32])
}

#[tokio::test]
async fn key_that_another_took_over_from_begins_no_log() {
    let (directory, url) = log().await;
    let old = ward(directory.path());
    custody::rotate(&url, (clock(), old.clone()), key(9), operator()).await.unwrap();
    let origin = accepted(&url, &old, order("Lost, believe me")).await.unwrap();
    for seed in [7, 9] {
        let found = finding(&url, trust(seed)).await;
        assert!(matches!(found.cause, Cause::OtherKey { .. }), "{found}");
        assert_eq!(found.origin, origin, "{found}");
    }
}

/// As after a backup from before a change of keys.
#[tokio::test]
async fn log_of_another_key_is_vouched_for_by_those_that_were_begun_behind_it() {
    let (directory, url) = log().await;
    let before = Some(key(7).public());
    let then = Ward { key: key(9), before, ..ward(directory.path()) };
    accepted(&url, &then, order("Restored")).await.unwrap();
    assert_eq!(intact(&url, trust(9)).await.origins.len(), 2);
    let now = Ward { key: key(5), before: Some(key(9).public()), ..ward(directory.path()) };
    let newest = accepted(&url, &now, order("Restored again")).await.unwrap();
    assert_eq!(intact(&url, trust(5)).await.origins.len(), 3);
    // Nobody vouches for what comes behind.
    let found = finding(&url, trust(7)).await;
    assert!(matches!(found.cause, Cause::OtherKey { .. }), "{found}");
    assert_ne!(found.origin, newest);
    // Nor for what is not what was found.
    let mut shell = Shell::open(&url).await;
    let oldest = shell.texts("SELECT id FROM origin ORDER BY key LIMIT 1").await.remove(0);
    shell.run(OPEN).await.unwrap();
    shell.run(CUT).await.unwrap();
    let found = finding(&url, trust(5)).await;
    assert!(matches!(found.cause, Cause::OtherKey { .. }), "{found}");
    assert_eq!(found.origin.to_string(), oldest);
}

#[tokio::test]
async fn log_of_which_nothing_is_left_is_found_by_what_was_told_of_it() {
    let (directory, url) = log().await;
    let mark = directory.path().join("log.mark");
    let told = std::fs::read_to_string(&mark).unwrap();
    std::fs::remove_file(mark).unwrap();
    let mut shell = Shell::open(&url).await;
    shell.run(OPEN).await.unwrap();
    shell.run("DELETE FROM record; DELETE FROM checkpoint; DELETE FROM origin").await.unwrap();
    drop(shell);
    let running = Running::within(Arc::clone(&directory), AuditSettings::default(), None).await;
    let _ = running.audit.noted(event("new")).await.unwrap();
    running.stop().await;
    let found = finding(&url, Trust { checkpoints: vec![told], ..trust(7) }).await;
    assert_eq!((found.cause, found.last), (Cause::NoLog { vouched: 40 }, 39));
}
