//! What becomes of a log that is accepted as it is: in which order, cut off where, and what is said of it from then on.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::super::checkpoint::Checkpoint;
use super::super::custody::{Done, Order, accept};
use super::super::verify::{Cause, Report, Trust};
use super::super::{AuditError, AuditSettings, Log, Outbox, Ward};
use super::outbox::Rows;
use super::tampering::{OPEN, finding, intact, log, trust};
use super::{Running, clock, event, opened, ward};
use crate::keys::LogKey;
use crate::model::id::{OriginId, ReleaseNumber};
use crate::model::record::{Actor, Lost};
use crate::model::time::Clock;
use crate::store::StoreError;
use crate::store::audit::tests::Shell;

pub(super) fn order(reason: &str) -> Order {
    Order {
        actor: Actor::Operator("root".to_owned()),
        reason: reason.to_owned(),
        checkpoints: Vec::new(),
        release: ReleaseNumber(3),
    }
}

/// A log whose last ten records are gone, with what vouched for them in the file, and all that was told of it.
pub(super) async fn shortened() -> (Arc<TempDir>, String, Vec<String>) {
    let (directory, url) = log().await;
    let mut shell = Shell::open(&url).await;
    let told = shell.texts("SELECT note FROM checkpoint ORDER BY place").await;
    shell.run(OPEN).await.unwrap();
    shell.run(CUT).await.unwrap();
    (directory, url, told)
}

pub(super) const CUT: &str = "DELETE FROM record WHERE place & 1099511627775 >= 30;
    DELETE FROM checkpoint WHERE place & 1099511627775 > 30";

/// With an anchor file that was told all of it.
pub(super) fn anchored(directory: &Path, told: &[String]) -> Ward {
    let mut ward = ward(directory);
    let file = directory.join("anchors.txt");
    std::fs::write(&file, told.join("\n")).unwrap();
    ward.places.file = Some(file);
    ward
}

pub(super) fn known(ward: &Ward) -> Trust {
    Trust { checkpoints: ward.places.notes().unwrap(), ..trust(7) }
}

/// Once nobody else has the right to write any more: of a file that is dropped, a thread gives it up.
pub(super) async fn accepted(url: &str, ward: &Ward, order: Order) -> Result<OriginId, AuditError> {
    accepted_at(&clock(), url, ward, order).await
}

pub(super) async fn accepted_at(
    clock: &Clock,
    url: &str,
    ward: &Ward,
    order: Order,
) -> Result<OriginId, AuditError> {
    loop {
        let first = std::future::ready(Ok(()));
        match accepted_after((clock, url), ward, first, order.clone()).await {
            Err(AuditError::Open(StoreError::InUse { .. })) => tokio::task::yield_now().await,
            other => return other,
        }
    }
}

async fn accepted_after(
    (clock, url): (&Clock, &str),
    ward: &Ward,
    first: impl Future<Output = Done>,
    order: Order,
) -> Result<OriginId, AuditError> {
    let changes = ("main", &Rows::default() as &dyn Outbox, first);
    Box::pin(accept(url, (clock.clone(), ward.clone()), changes, order)).await
}

/// Refused also while somebody else has the right to write.
async fn opened_at_once(url: &str, ward: &Ward) -> Result<Log, AuditError> {
    super::super::open(url, AuditSettings::default(), clock(), ward.clone()).await
}

/// One record more, told where the ward says.
pub(super) async fn one_more(url: &str, ward: &Ward) {
    let log = opened(url, ward.clone()).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let note = async {
        let _ = log.audit.noted(event("on")).await.unwrap();
        stop.cancel();
    };
    tokio::join!(log.writer.run(stop.clone()), note);
}

pub(super) fn lost(report: &Report) -> Vec<Lost> {
    report.accepted.iter().flat_map(|accepted| accepted.lost.clone()).collect()
}

#[tokio::test]
async fn loss_that_was_accepted_is_known_and_no_change_since() {
    let (directory, url, told) = shortened().await;
    let ward = anchored(directory.path(), &told);
    let found = finding(&url, known(&ward)).await;
    assert_eq!(found.cause, Cause::Truncated { vouched: 40, records: 30 });
    let old = found.origin;
    let origin = accepted(&url, &ward, order("The disk failed")).await.unwrap();
    one_more(&url, &ward).await;
    let report = intact(&url, known(&ward)).await;
    assert_eq!(lost(&report), [Lost { origin: old.to_string(), kept: 30, told: 40 }]);
    assert_eq!((report.uncompared.len(), report.accepted[0].checkpoints), (0, 1), "{report:?}");
    let said = report.accepted[0].to_string();
    for words in [
        &format!("records {old}-30 to {old}-39 as they were vouched for are lost"),
        "operator:root accepted",
        &format!("in record {origin}-0: The disk failed"),
    ] {
        assert!(said.contains(words), "{said}");
    }
    // A checkpoint that tells of more than was accepted.
    let key = LogKey::from_seed(&[7; 32]);
    let more = Checkpoint { origin: old, size: 41, root: [0; 32] }.note(&[&key]);
    let mut trust = known(&ward);
    trust.checkpoints.push(more);
    assert_eq!(finding(&url, trust).await.cause, Cause::Truncated { vouched: 41, records: 30 });
    // What was kept of the old log is still held to what was told.
    let other = Checkpoint { origin: old, size: 20, root: [0; 32] }.note(&[&key]);
    let mut trust = known(&ward);
    trust.checkpoints.push(other);
    assert_eq!(finding(&url, trust).await.cause, Cause::Forked { size: 20 });
    // So is what came since.
    let mut shell = Shell::open(&url).await;
    shell.run("DELETE FROM record WHERE place = (SELECT MAX(place) FROM record)").await.unwrap();
    let found = finding(&url, known(&ward)).await;
    assert_eq!((found.origin, found.first), (origin, 1), "{found}");
}

/// The old log ended in another way elsewhere, after the copy that is accepted was made.
#[tokio::test]
async fn history_that_was_accepted_may_not_be_exchanged_for_the_one_that_was_lost() {
    let (directory, url) = log().await;
    let there = Arc::new(TempDir::new().unwrap());
    let mut shell = Shell::open(&url).await;
    let mut told = shell.texts("SELECT note FROM checkpoint ORDER BY place").await;
    shell.run("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    std::fs::copy(directory.path().join("audit.db"), there.path().join("audit.db")).unwrap();
    let other = format!("sqlite://{}/audit.db", there.path().display());
    let ward_there = ward(there.path());
    one_more(&other, &ward_there).await;
    told.extend(ward_there.places.notes().unwrap());
    let ward = anchored(directory.path(), &told);
    one_more(&url, &ward).await;
    let found = finding(&url, known(&ward)).await;
    assert_eq!(found.cause, Cause::Forked { size: 41 });
    accepted(&url, &ward, order("Restored")).await.unwrap();
    let report = intact(&url, known(&ward)).await;
    let origin = found.origin.to_string();
    assert_eq!(lost(&report), [Lost { origin, kept: 40, told: 41 }]);
    let swap = format!(
        "ATTACH '{}' AS there; DELETE FROM record WHERE place & 1099511627775 = 40;
        DELETE FROM checkpoint WHERE place & 1099511627775 = 41;
        INSERT INTO record (place, body, principal, leaf_hash)
            SELECT place, body, principal, leaf_hash FROM there.record WHERE place & 1099511627775 = 40;
        INSERT INTO checkpoint SELECT * FROM there.checkpoint WHERE place & 1099511627775 = 41",
        there.path().join("audit.db").display()
    );
    shell.run(OPEN).await.unwrap();
    shell.run(swap.leak()).await.unwrap();
    assert_eq!(finding(&url, known(&ward)).await.cause, Cause::Unlike);
}

#[tokio::test]
async fn log_that_is_gone_as_a_whole_is_a_known_loss_once_that_was_accepted() {
    let (directory, url) = log().await;
    let ward = anchored(directory.path(), &[]);
    for file in ["audit.db", "audit.db-wal", "audit.db-shm"] {
        let _ = std::fs::remove_file(directory.path().join(file));
    }
    assert!(opened(&url, ward.clone()).await.is_err());
    let elsewhere = ward.places.notes().unwrap();
    accepted(&url, &ward, order("Lost")).await.unwrap();
    let report = intact(&url, Trust { checkpoints: elsewhere, ..trust(7) }).await;
    assert_eq!((report.uncompared.len(), lost(&report)[0].told), (0, 40), "{report:?}");
}

#[tokio::test]
async fn checkpoints_from_elsewhere_are_accepted_with_those_at_hand() {
    let (directory, url, told) = shortened().await;
    let ward = ward(directory.path());
    std::fs::remove_file(&ward.places.mark).unwrap();
    let order = Order { checkpoints: told.clone(), ..order("Restored") };
    accepted(&url, &ward, order).await.unwrap();
    let report = intact(&url, Trust { checkpoints: told, ..trust(7) }).await;
    assert_eq!((report.compared, report.accepted[0].checkpoints), (3, 1), "{report:?}");
}

/// Nothing but the acceptance before tells of what is gone now.
#[tokio::test]
async fn log_that_an_acceptance_named_is_accepted_as_it_is_once_more() {
    let (directory, url, _) = shortened().await;
    let ward = ward(directory.path());
    accepted(&url, &ward, order("The disk failed")).await.unwrap();
    let mut shell = Shell::open(&url).await;
    shell
        .run("DELETE FROM record WHERE place >> 40 = 1 AND place & 1099511627775 >= 20")
        .await
        .unwrap();
    shell
        .run("DELETE FROM checkpoint WHERE place >> 40 = 1 AND place & 1099511627775 > 20")
        .await
        .unwrap();
    assert_eq!(finding(&url, trust(7)).await.cause, Cause::OriginGone);
    accepted(&url, &ward, order("And again")).await.unwrap();
    let report = intact(&url, trust(7)).await;
    let lost: Vec<_> = lost(&report).iter().map(|lost| (lost.kept, lost.told)).collect();
    assert_eq!(lost, [(30, 40), (20, 30)]);
}

#[tokio::test]
async fn log_that_can_t_be_read_throughout_is_accepted_and_the_record_says_so() {
    let (directory, url, told) = shortened().await;
    let ward = anchored(directory.path(), &told);
    std::fs::write(&ward.places.mark, [0xff, 0xfe]).unwrap();
    let mut shell = Shell::open(&url).await;
    let damage = "PRAGMA ignore_check_constraints = ON;
        UPDATE record SET leaf_hash = zeroblob(5) WHERE place & 1099511627775 = 12;
        UPDATE checkpoint SET note = CAST(x'ff' AS TEXT) WHERE place & 1099511627775 = 30";
    shell.run(damage).await.unwrap();
    let origin = accepted(&url, &ward, order("As it is")).await.unwrap();
    let first = "SELECT CAST(body AS TEXT) FROM record ORDER BY place DESC LIMIT 1";
    let said: serde_json::Value =
        serde_json::from_str(&shell.texts(first).await.remove(0)).unwrap();
    assert_eq!(said["id"], format!("{origin}-0"));
    assert_eq!(
        (&said["known"], &said["root"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!((&said["lost"][0]["kept"], &said["lost"][0]["told"]), (&10.into(), &40.into()));
    assert!(
        said["logs"][0]["trouble"].as_str().is_some_and(|why| why.contains("checkpoints")),
        "{said}"
    );
}

/// Of what went with age nobody says that it is lost.
#[tokio::test]
async fn what_was_removed_with_age_is_not_lost() {
    let (directory, url, told) = shortened().await;
    let mut shell = Shell::open(&url).await;
    shell.run("DELETE FROM record WHERE place & 1099511627775 < 20").await.unwrap();
    shell.run("DELETE FROM checkpoint WHERE place & 1099511627775 < 20").await.unwrap();
    shell
        .run("UPDATE record SET leaf_hash = zeroblob(32) WHERE place & 1099511627775 = 22")
        .await
        .unwrap();
    accepted(&url, &anchored(directory.path(), &told), order("x")).await.unwrap();
    let first = "SELECT CAST(body AS TEXT) FROM record ORDER BY place DESC LIMIT 1";
    let said: serde_json::Value =
        serde_json::from_str(&shell.texts(first).await.remove(0)).unwrap();
    assert_eq!((&said["lost"][0]["kept"], &said["lost"][0]["told"]), (&20.into(), &40.into()));
}

/// Nothing but the mark tells of what is gone: what is there is not said to be lost.
#[tokio::test]
async fn records_that_are_there_and_that_nothing_contradicts_are_not_lost() {
    let (directory, url, _) = shortened().await;
    let ward = ward(directory.path());
    let elsewhere = ward.places.notes().unwrap();
    accepted(&url, &ward, order("Restored")).await.unwrap();
    let report = intact(&url, Trust { checkpoints: elsewhere, ..trust(7) }).await;
    let lost = lost(&report);
    assert_eq!((lost.len(), lost[0].kept, lost[0].told), (1, 30, 40), "{report:?}");
}

fn is_behind(refused: &AuditError) -> bool {
    matches!(refused, AuditError::WentBack { .. })
}

#[tokio::test]
async fn what_comes_first_is_done_while_nobody_else_writes_and_before_anything_is_accepted() {
    let (directory, url, _) = shortened().await;
    let ward = ward(directory.path());
    let origins = "SELECT id FROM origin";
    let first = Box::pin(async {
        let refused = opened_at_once(&url, &ward).await.unwrap_err();
        assert!(matches!(refused, AuditError::Open(StoreError::InUse { .. })), "{refused}");
        assert_eq!(Shell::open(&url).await.texts(origins).await.len(), 1);
        let file = directory.path().join("x");
        Err(StoreError::Gone { file, doing: "end all sessions" })
    });
    let refused = accepted_after((&clock(), &url), &ward, first, order("x")).await.unwrap_err();
    assert!(matches!(refused, AuditError::Open(StoreError::Gone { .. })), "{refused}");
    // As before: refused, and accepted anew.
    free(&url, &ward).await;
    assert_eq!(Shell::open(&url).await.texts(origins).await.len(), 1);
    accepted(&url, &ward, order("y")).await.unwrap();
    assert_eq!(intact(&url, trust(7)).await.origins.len(), 2);
}

/// Waits until nobody has the right to write any more; the log is refused then for what it is.
async fn free(url: &str, ward: &Ward) {
    let refused = async {
        loop {
            let refused = opened_at_once(url, ward).await.map(|_| ()).unwrap_err();
            if !matches!(refused, AuditError::Open(StoreError::InUse { .. })) {
                return refused;
            }
            tokio::task::yield_now().await;
        }
    };
    let refused = refused.await;
    assert!(is_behind(&refused), "{refused}");
}

#[tokio::test]
async fn acceptance_that_is_cut_off_before_its_record_leaves_the_log_refused() {
    let (directory, url, _) = shortened().await;
    let ward = ward(directory.path());
    let (reached, at) = oneshot::channel();
    let first = async {
        reached.send(()).unwrap();
        std::future::pending().await
    };
    let now = clock();
    tokio::select! {
        _ = accepted_after((&now, &url), &ward, first, order("x")) => panic!("it waits"),
        reached = at => reached.unwrap(),
    }
    free(&url, &ward).await;
    assert_eq!(intact(&url, trust(7)).await.origins.len(), 1);
    accepted(&url, &ward, order("y")).await.unwrap();
    opened(&url, ward.clone()).await.unwrap();
}

/// The mark fits here: only the database with the outbox is an older one.
#[tokio::test]
async fn outbox_that_went_back_is_not_taken_over_anew_by_an_acceptance_that_failed() {
    let rows = Rows::default();
    rows.add(3);
    let directory = Arc::new(TempDir::new().unwrap());
    let outbox: Box<dyn Outbox> = Box::new(rows.clone());
    let running = Running::within(directory, AuditSettings::default(), Some(outbox)).await;
    super::outbox::wait_until_taken(&running, 3).await;
    let url = running.url.clone();
    let directory = running.stop().await;
    let ward = ward(directory.path());
    let mut shell = Shell::open(&url).await;
    let outage = "CREATE TRIGGER outage BEFORE INSERT ON record
        BEGIN SELECT RAISE(ABORT, 'no room'); END";
    shell.run(outage).await.unwrap();
    let refused = accepted(&url, &ward, order("x")).await.unwrap_err();
    assert!(matches!(refused, AuditError::Unavailable { .. }), "{refused}");
    shell.run("DROP TRIGGER outage").await.unwrap();
    let log = opened(&url, ward.clone()).await.unwrap();
    let refused = log.writer.draining("main", Box::new(Rows::default())).await.unwrap_err();
    assert!(matches!(refused, AuditError::OutboxWentBack { taken: 3, .. }), "{refused}");
    accepted(&url, &ward, order("y")).await.unwrap();
    let log = opened(&url, ward.clone()).await.unwrap();
    log.writer.draining("main", Box::new(Rows::default())).await.unwrap();
}

#[tokio::test]
async fn acceptance_that_is_cut_off_behind_its_record_is_given_anew() {
    let (directory, url, _) = shortened().await;
    let ward = ward(directory.path());
    let aside = directory.path().join("log.mark-new");
    std::fs::create_dir(&aside).unwrap();
    let refused = accepted(&url, &ward, order("x")).await.unwrap_err();
    assert!(matches!(refused, AuditError::AcceptedUnmarked { .. }), "{refused}");
    free(&url, &ward).await;
    std::fs::remove_dir(&aside).unwrap();
    accepted(&url, &ward, order("y")).await.unwrap();
    opened(&url, ward.clone()).await.unwrap();
    let report = intact(&url, known(&ward)).await;
    let begun: Vec<_> = report.origins.iter().map(|log| log.restored.as_deref()).collect();
    assert_eq!(begun, [None, Some("x"), Some("y")]);
}
