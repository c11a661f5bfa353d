//! Looking at what happened: events in the log, bytes in the files, headers of our own pages.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cedargate::model::record::RecordLine;
use cedargate::store::audit::AuditReader;
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use super::{Answer, World};

impl World {
    /// The events of one kind, newest first.
    pub(crate) async fn events(&self, kind: &str) -> Vec<Value> {
        let is_of_kind = |record: &Value| record["event"] == kind;
        self.records().await.into_iter().filter(is_of_kind).collect()
    }

    /// The newest event of one kind, as soon as there is one: events that nobody waits for come a little later.
    pub(crate) async fn event_to_come(&self, kind: &str) -> Value {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if let Some(event) = self.events(kind).await.into_iter().next() {
                return event;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no event `{kind}` within 20 s")
    }

    /// Waits until the log has taken over what waits in the outbox, or can't be expected to.
    pub(crate) async fn outbox_is_taken(&self) {
        let url = self.url("cedargate.db");
        let mut file = SqliteConnection::connect(&url).await.unwrap();
        let waiting = "SELECT COUNT(*) FROM outbox WHERE taken_at IS NULL";
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            let count: i64 = sqlx::query_scalar(waiting).fetch_one(&mut file).await.unwrap();
            if count == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The log, to be read again and again.
    pub(crate) async fn log(&self) -> AuditReader {
        AuditReader::open(&self.url("audit.db")).await.unwrap()
    }

    /// A connection to the log's file that is none of the gate's.
    pub(crate) async fn log_file(&self) -> SqliteConnection {
        SqliteConnection::connect(&self.url("audit.db")).await.unwrap()
    }

    /// The same to the file of the sessions.
    pub(crate) async fn main_file(&self) -> SqliteConnection {
        SqliteConnection::connect(&self.url("cedargate.db")).await.unwrap()
    }

    /// Every file of the databases with its bytes.
    pub(crate) fn database_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = std::fs::read_dir(self.data.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).map(|path| (path.clone(), read(path))).collect()
    }
}

fn read(path: PathBuf) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// The newest decision or refusal.
pub(crate) async fn newest(log: &AuditReader) -> Value {
    let lines = log.recent(1_000, None).await.unwrap();
    serde_json::from_str(&lines.iter().find(|line| is_request(line)).unwrap().body).unwrap()
}

/// Whether a record is a decision or a refusal.
pub(crate) fn is_request(line: &RecordLine) -> bool {
    ["decision", "refusal"].contains(&line.kind.as_str())
}

impl Answer {
    /// The session cookie that this answer sets; none when it sets none or takes it away.
    pub(crate) fn session_cookie(&self) -> Option<String> {
        let lines = self.headers.get_all("set-cookie").into_iter();
        let mut lines =
            lines.filter_map(|line| line.to_str().unwrap().strip_prefix("gate_session="));
        lines
            .find_map(|line| line.split(';').next().filter(|value| !value.is_empty()))
            .map(str::to_owned)
    }

    /// Whether this answer takes the session cookie away.
    pub(crate) fn clears_session(&self) -> bool {
        let mut lines = self.headers.get_all("set-cookie").into_iter();
        lines.any(|line| {
            let line = line.to_str().unwrap();
            line.starts_with("gate_session=;") && line.contains("Max-Age=0")
        })
    }

    /// Fails unless this is an answer of ours that nobody keeps, frames or guesses at.
    #[track_caller]
    pub(crate) fn assert_sealed(&self) {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(self.header(name), value, "{name} of {}", self.url);
        }
    }

    /// Fails unless this is a page of ours with every header that guards it.
    #[track_caller]
    pub(crate) fn assert_page(&self) {
        self.assert_sealed();
        assert!(self.header("content-type").starts_with("text/html"), "{}", self.text());
        let policy = self.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
    }

    /// Fails unless this is JSON of ours with an id to quote and no way to another place; gives the JSON.
    #[track_caller]
    pub(crate) fn assert_data(&self) -> Value {
        self.assert_sealed();
        assert_eq!(self.header("content-type"), "application/json", "{}", self.text());
        assert_eq!(self.header("location"), "", "{}", self.url);
        self.json()
    }
}
