//! Changes are taken over once, whatever happens between.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use super::super::{AuditError, AuditSettings, Outbox, OutboxFuture};
use super::{Running, event};
use crate::model::id::ReleaseNumber;
use crate::model::time::Timestamp;
use crate::store::{Author, Change, OutboxRow, Publication, Store};

/// An outbox that forgets nothing: it offers all its rows again to whoever asks from the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows(Arc<Mutex<Vec<OutboxRow>>>);

impl Rows {
    pub(super) fn add(&self, count: i64) {
        let mut rows = self.0.lock().unwrap();
        for _ in 0..count {
            let id = i64::try_from(rows.len()).unwrap() + 1;
            rows.push(OutboxRow {
                id,
                author: Author {
                    by: "operator:root".to_owned(),
                    at: Timestamp::from_seconds(1_795_000_000),
                },
                change: Change {
                    action: "grant_added".to_owned(),
                    object: format!("grant:g-{id}"),
                    before: Value::Null,
                    after: serde_json::json!({ "id": format!("g-{id}") }),
                },
            });
        }
    }
}

impl Outbox for Rows {
    fn after(&self, id: i64, limit: u32) -> OutboxFuture<'_, Vec<OutboxRow>> {
        let rows = self.0.lock().unwrap();
        let limit = usize::try_from(limit).unwrap();
        let page = rows.iter().filter(|row| row.id > id).take(limit).cloned().collect();
        Box::pin(std::future::ready(Ok(page)))
    }

    fn taken(&self, _: i64, _: Timestamp) -> OutboxFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

async fn start(directory: Arc<TempDir>, rows: &Rows) -> Running {
    Running::within(directory, AuditSettings::default(), Some(Box::new(rows.clone()))).await
}

async fn taken(running: &Running) -> Vec<i64> {
    let bodies = running.bodies().await;
    bodies.iter().filter_map(|body| body["outbox"].as_i64()).collect()
}

pub(super) async fn wait_until_taken(running: &Running, count: usize) {
    while taken(running).await.len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn outbox_rows_are_taken_exactly_once_across_a_restart() {
    let rows = Rows::default();
    rows.add(100);
    let running = start(Arc::new(TempDir::new().unwrap()), &rows).await;
    wait_until_taken(&running, 100).await;
    rows.add(5);
    running.audit.changes_made();
    wait_until_taken(&running, 105).await;
    // The file goes away in the middle of things: the writer is dropped, not stopped.
    let Running { directory, mut tasks, reader, .. } = running;
    tasks.shutdown().await;
    drop(reader);
    rows.add(3);
    let running = start(directory, &rows).await;
    wait_until_taken(&running, 108).await;
    running.audit.changes_made();
    let _ = running.audit.noted(event("x")).await.unwrap();
    let directory = running.stop().await;
    let running = start(directory, &rows).await;
    let _ = running.audit.noted(event("y")).await.unwrap();
    assert_eq!(taken(&running).await, (1..=108).collect::<Vec<_>>());
    let bodies = running.bodies().await;
    assert_eq!(bodies[0]["kind"], "change");
    assert_eq!(bodies[0]["actor"], "operator:root");
    assert_eq!(bodies[0]["after"]["id"], "g-1");
    assert_eq!(bodies[0]["changed_at"], 1_795_000_000_000_000_i64);
}

#[tokio::test]
async fn a_stopping_writer_takes_what_the_outbox_still_has() {
    let rows = Rows::default();
    let running = start(Arc::new(TempDir::new().unwrap()), &rows).await;
    let _ = running.audit.noted(event("x")).await.unwrap();
    rows.add(70);
    let directory = running.stop().await;
    let running = Running::within(directory, AuditSettings::default(), None).await;
    assert_eq!(taken(&running).await, (1..=70).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_outbox_that_went_back_is_refused() {
    let rows = Rows::default();
    rows.add(3);
    let running = start(Arc::new(TempDir::new().unwrap()), &rows).await;
    wait_until_taken(&running, 3).await;
    let directory = running.stop().await;
    rows.0.lock().unwrap().pop();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let log = super::super::open(
        &url,
        AuditSettings::default(),
        super::clock(),
        super::ward(directory.path()),
    )
    .await
    .unwrap();
    let refused = log.writer.draining("main", Box::new(rows)).await.unwrap_err();
    assert!(matches!(refused, AuditError::OutboxWentBack { taken: 3, .. }), "{refused}");
}

#[tokio::test]
async fn changes_of_the_store_become_records_and_are_marked() {
    let directory = Arc::new(TempDir::new().unwrap());
    let url = format!("sqlite://{}/cedargate.db", directory.path().display());
    let store = Store::open(&url).await.unwrap();
    let rule_book = serde_json::from_value(serde_json::json!({
        "apps": [{ "id": "payroll", "name": "Payroll", "origins": ["https://payroll.example"] }],
    }));
    let publication = Publication {
        based_on: ReleaseNumber(0),
        rule_book: rule_book.unwrap(),
        cedar: String::new(),
        schema: "{}".to_owned(),
        note: "first".to_owned(),
        by: "operator:root".to_owned(),
        at: Timestamp::from_seconds(1),
        draft: None,
    };
    store.publish(publication).await.unwrap();
    let outbox: Box<dyn Outbox> = Box::new(store.clone());
    let running = Running::within(directory, AuditSettings::default(), Some(outbox)).await;
    running.stop.cancel();
    let Running { mut tasks, reader, .. } = running;
    tasks.join_next().await.unwrap().unwrap();
    let lines = reader.recent(9, None).await.unwrap();
    assert!(lines.iter().any(|line| line.body.contains("release_published")), "{lines:#?}");
    let rows = store.outbox_after(0, 9).await.unwrap();
    assert_eq!((lines.len(), rows.len()), (2, 2));
    let far = Timestamp::from_seconds(1 << 40);
    // The newest row stays for good; all others were marked, and so can go.
    assert_eq!(store.prune_outbox(far).await.unwrap(), 1);
}
