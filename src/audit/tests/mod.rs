//! What doors may rely on: order, durability before the answer, refusal instead of silence, nothing twice.

mod acceptance;
mod aging;
mod anchors;
mod bytes;
mod checkpoint;
mod envelope;
mod export;
mod exported_losses;
mod forgery;
mod merkle;
mod notary;
mod outage;
mod outbox;
mod outlet;
mod releases;
mod rhythm;
mod sample;
mod search;
mod settling;
mod tampering;
mod trusted;
mod upkeep;
mod wishes;

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    Audit, AuditError, AuditSettings, Log, Outbox, Places, Recorded, Strictness, Ward, open,
};
use crate::keys::LogKey;
use crate::model::id::DecisionId;
use crate::model::record::{Entry, Event, Verdict};
use crate::model::time::{Clock, Timestamp};
use crate::store::StoreError;
use crate::store::audit::AuditReader;
use crate::store::audit::tests::Shell;

/// A log in a directory of its own, its writer running.
struct Running {
    audit: Audit,
    reader: AuditReader,
    /// The newest checkpoint, as whoever waits for commits learns of it.
    newest: watch::Receiver<String>,
    clock: Clock,
    url: String,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    directory: Arc<TempDir>,
}

impl Running {
    async fn start() -> Self {
        // What is seen must not depend on how busy this machine is.
        Self::with(AuditSettings { patience: Duration::from_mins(1), ..Default::default() }).await
    }

    async fn with(settings: AuditSettings) -> Self {
        Self::within(Arc::new(TempDir::new().unwrap()), settings, None).await
    }

    async fn within(
        directory: Arc<TempDir>,
        settings: AuditSettings,
        outbox: Option<Box<dyn Outbox>>,
    ) -> Self {
        let url = format!("sqlite://{}/audit.db", directory.path().display());
        let clock = clock();
        let log = super::open(&url, settings, clock.clone(), ward(directory.path())).await.unwrap();
        let Log { audit, mut writer, reader, .. } = log;
        if let Some(outbox) = outbox {
            writer = writer.draining("main", outbox).await.unwrap();
        }
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let newest = writer.newest();
        tasks.spawn(writer.run(stop.clone()));
        Self { audit, reader, newest, clock, url, stop, tasks, directory }
    }

    /// Stops the writer in order and gives the directory back.
    async fn stop(mut self) -> Arc<TempDir> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        // Until the last connection is closed, the WAL may still be moved into the file.
        self.reader.close().await;
        Arc::clone(&self.directory)
    }

    /// Bodies of all records, oldest first.
    async fn bodies(&self) -> Vec<serde_json::Value> {
        let lines = self.reader.recent(1_000, None).await.unwrap();
        lines.iter().rev().map(|line| serde_json::from_str(&line.body).unwrap()).collect()
    }
}

/// The number that a record says it has.
fn seq(body: &serde_json::Value) -> u64 {
    body["id"].as_str().unwrap().parse::<DecisionId>().unwrap().seq
}

/// Opens a log once nobody else has the right to write any more: of a file that is dropped, a thread gives it up.
pub(super) async fn opened(url: &str, ward: Ward) -> Result<Log, AuditError> {
    let free = async {
        loop {
            match open(url, AuditSettings::default(), clock(), ward.clone()).await {
                Err(AuditError::Open(StoreError::InUse { .. })) => tokio::task::yield_now().await,
                opened => return opened,
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), free).await.expect("somebody else writes it")
}

/// A key of its own, and the mark in `directory`.
pub(crate) fn ward(directory: &std::path::Path) -> Ward {
    let places = Places { mark: directory.join("log.mark"), file: None };
    Ward { key: LogKey::from_seed(&[7; 32]), successor: None, before: None, places }
}

fn clock() -> Clock {
    Clock::fixed(Timestamp::from_seconds(1_795_480_000))
}

fn event(entry: &str) -> Entry {
    Entry::Event(Box::new(Event::Abandoned { entry: entry.to_owned() }))
}

#[tokio::test]
async fn ids_are_gapless_and_in_order_under_many_callers() {
    let running = Running::start().await;
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let audit = running.audit.clone();
        callers.spawn(async move {
            let mut ids = Vec::new();
            for _ in 0..5 {
                ids.push(audit.decided(sample::decision(Verdict::Allow)).await.unwrap().id().seq);
            }
            ids
        });
    }
    let mut ids = Vec::new();
    while let Some(own) = callers.join_next().await {
        let own = own.unwrap();
        assert!(own.is_sorted(), "{own:?}");
        ids.extend(own);
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..1_000).collect::<Vec<_>>());
    let bodies = running.bodies().await;
    assert_eq!(bodies.iter().map(seq).collect::<Vec<_>>(), ids);
    let counters = running.audit.counters();
    assert_eq!((counters.records, counters.queued, counters.refused), (1_000, 0, 0));
    assert!(counters.commits < 500, "{counters:?}");
}

#[tokio::test]
async fn an_answer_comes_only_when_another_connection_can_read_the_record() {
    let running = Running::start().await;
    let other = AuditReader::open(&running.url).await.unwrap();
    for _ in 0..20 {
        let id = running.audit.decided(sample::decision(Verdict::Allow)).await.unwrap().id();
        let line = other.record(id).await.unwrap().expect("durable before the answer");
        assert_eq!((line.id, line.kind.as_str()), (id, "decision"));
    }
}

#[tokio::test]
async fn a_deny_gives_a_receipt_and_never_a_permit() {
    for strictness in [Strictness::Strict, Strictness::StrictAllow] {
        let running = Running::with(AuditSettings { strictness, ..Default::default() }).await;
        let denied = running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap();
        assert!(matches!(denied, Recorded::Denied(_)), "{denied:?}");
        let allowed = running.audit.decided(sample::decision(Verdict::Allow)).await.unwrap();
        assert!(matches!(allowed, Recorded::Allowed(_)), "{allowed:?}");
        let Recorded::Allowed(permit) = allowed else { unreachable!() };
        let line = running.reader.record(permit.decision_id()).await.unwrap().unwrap();
        assert!(line.body.contains(r#""verdict":"allow""#), "{}", line.body);
    }
}

#[tokio::test]
async fn a_receipt_finds_its_record() {
    let running = Running::start().await;
    let receipt = running.audit.noted(event("x")).await.unwrap();
    let line = running.reader.record(receipt.id()).await.unwrap().unwrap();
    let body: serde_json::Value = serde_json::from_str(&line.body).unwrap();
    assert_eq!(body["id"], receipt.id().to_string());
    assert_eq!(body["id"].as_str().unwrap().parse::<DecisionId>().unwrap(), receipt.id());
    assert_eq!(line.kind, "abandoned");
}

#[tokio::test]
async fn numbers_go_on_when_the_log_is_opened_again() {
    let running = Running::start().await;
    let first = running.audit.noted(event("first")).await.unwrap().id();
    let directory = running.stop().await;
    let running = Running::within(directory, AuditSettings::default(), None).await;
    let second = running.audit.noted(event("second")).await.unwrap().id();
    assert_eq!((second.origin, second.seq), (first.origin, first.seq + 1));
    let bodies = running.bodies().await;
    assert_ne!(bodies[0]["salt"], bodies[1]["salt"]);
}

#[tokio::test]
async fn a_second_process_on_the_same_log_is_refused() {
    let running = Running::start().await;
    let refused = super::open(
        &running.url,
        AuditSettings::default(),
        clock(),
        ward(running.directory.path()),
    )
    .await
    .unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.contains("another process writes the log"), "{cause}");
}

#[tokio::test]
async fn a_principal_is_kept_once_and_read_with_each_record() {
    let running = Running::start().await;
    for _ in 0..3 {
        let id = running.audit.decided(sample::decision(Verdict::Allow)).await.unwrap().id();
        let line = running.reader.record(id).await.unwrap().unwrap();
        assert_eq!(line.principal, Some(sample::principal().to_json()));
    }
    let directory = running.stop().await;
    let running = Running::within(directory, AuditSettings::default(), None).await;
    let _ = running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap();
    let mut shell = Shell::open(&running.url).await;
    let count = shell.number("SELECT COUNT(*) FROM principal_snapshot").await;
    assert_eq!(count, 1);
}

#[tokio::test]
async fn what_has_queued_is_written_before_the_writer_ends() {
    let settings = AuditSettings { strictness: Strictness::StrictAllow, ..Default::default() };
    let running = Running::with(settings.clone()).await;
    for _ in 0..600 {
        let _ = running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap();
    }
    let audit = running.audit.clone();
    let directory = running.stop().await;
    let stopped = audit.decided(sample::decision(Verdict::Deny)).await.unwrap_err();
    assert!(matches!(stopped, AuditError::Stopped), "{stopped}");
    let running = Running::within(directory, settings, None).await;
    assert_eq!(running.bodies().await.len(), 600);
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_nobody_waiting() {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let log =
        super::open(&url, AuditSettings::default(), clock(), ward(directory.path())).await.unwrap();
    let waiting = log.audit.noted(event("x"));
    let (answer, ()) = tokio::join!(biased; waiting, async { drop(log.writer) });
    assert!(matches!(answer.unwrap_err(), AuditError::Stopped));
    let later = tokio::time::timeout(Duration::from_secs(1), log.audit.noted(event("y"))).await;
    assert!(matches!(later.unwrap().unwrap_err(), AuditError::Stopped));
}
