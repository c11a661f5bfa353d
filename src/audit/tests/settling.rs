//! A record that can be read is not durable yet: the sync may be what failed. Nobody is answered before a commit that was synced.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::super::envelope::{Envelope, Seal};
use super::super::notary::Notary;
use super::super::queue::Queue;
use super::super::writer::{Desk, Writer};
use super::super::{Audit, AuditError, AuditSettings, Strictness};
use super::{clock, event, ward};
use crate::model::id::OriginId;
use crate::store::audit::tests::Shell;
use crate::store::audit::{self as file, Begin, Fresh};

const BOOT: [u8; 32] = [9; 32];

/// The bytes of a batch are in the file before its writer could commit them, as a commit leaves them whose sync failed; no
/// commit succeeds from there on, until one does.
#[tokio::test]
async fn record_that_can_be_read_is_taken_for_durable_only_behind_one_more_commit() {
    let directory = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let id = OriginId::from_bytes([1; 5]);
    let fresh = Fresh { id, log_key: String::new(), at: clock().now(), begin: Begin::WhereEmpty };
    let opened = file::open(&url, &fresh).await.unwrap();
    let settings =
        AuditSettings { patience: Duration::from_millis(100), ..AuditSettings::default() };
    let queue = Arc::new(Queue::new(0, &settings, clock()));
    let ward = ward(directory.path());
    let notary = Notary::resume(id, ward.key.clone(), 0, None).unwrap();
    let desk = Desk::new(Arc::clone(&queue), Seal::new(id, BOOT), notary);
    let (writer, reader) = Writer::new(opened, desk, ward.places);
    let audit = Audit {
        queue,
        origin: id,
        log_key: "".into(),
        strictness: Strictness::Strict,
        patience: settings.patience,
    };

    let twin = Seal::new(id, BOOT).row(0, clock().now(), Envelope::of(&event("x")).unwrap());
    let mut shell = Shell::open(&url).await;
    shell.put(0, twin.body, twin.leaf_hash.to_vec()).await;
    let fails = "INSERT INTO checkpoint VALUES (1099511627777, '', x'');
        CREATE TRIGGER unsynced BEFORE INSERT ON audit_mode
        BEGIN SELECT RAISE(ABORT, 'the disk does not answer'); END";
    shell.run(fails).await.unwrap();

    let stop = CancellationToken::new();
    let doors = async {
        let refused = audit.noted(event("x")).await.unwrap_err();
        assert!(matches!(refused, AuditError::Unavailable { .. }), "{refused}");
        assert_eq!(reader.recent(9, None).await.unwrap().len(), 1, "there it is all the same");
        assert!(!audit.is_writing());
        shell.run("DROP TRIGGER unsynced").await.unwrap();
        let patient = Audit { patience: Duration::from_secs(30), ..audit.clone() };
        let _ = patient.noted(event("y")).await.unwrap();
        let _ = patient.noted(event("z")).await.unwrap();
        stop.cancel();
    };
    tokio::join!(doors, writer.run(stop.clone()));
    let lines = reader.recent(9, None).await.unwrap();
    let told = lines.iter().filter(|line| line.body.contains(&format!("\"{id}-0\"")));
    // The record itself, and the one that says that nobody waited for it any more.
    assert_eq!((lines.len(), told.count()), (4, 2), "{lines:#?}");
}
