//! Records leave exactly as they are, at least once, and wait in the log while they can't.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::super::custody;
use super::super::outlet::{Lag, Outlet, Place, Step};
use super::super::{AuditError, AuditSettings, Outbox};
use super::acceptance::order;
use super::export::{Format, exported};
use super::{Running, event, sample, ward};
use crate::model::record::Verdict;
use crate::store::audit::tests::Shell;

/// A log, and an outlet into a file beside it.
struct Leaving {
    running: Running,
    outlet: Outlet,
    lag: Lag,
}

impl Leaving {
    async fn start() -> Self {
        Self::of(Running::start().await)
    }

    fn of(running: Running) -> Self {
        let outlet = outlet(&running, place(&running)).unwrap();
        let lag = outlet.lag();
        Self { running, outlet, lag }
    }

    /// As after a crash: what the process knew is gone, what it wrote is not.
    fn again(self) -> Self {
        Self::of(self.running)
    }

    async fn record(&self, names: &[&str]) {
        for name in names {
            let _ = self.running.audit.noted(event(name)).await.unwrap();
        }
    }

    /// Lets everything leave.
    async fn leave(&mut self) -> Result<(), AuditError> {
        while self.outlet.step().await? == Step::Left {}
        Ok(())
    }

    fn file(&self) -> PathBuf {
        self.path("records.jsonl")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.running.directory.path().join(name)
    }

    fn position(&self) -> String {
        fs::read_to_string(self.path("audit.db.outlet")).unwrap()
    }
}

fn place(running: &Running) -> Place {
    Place::File(running.directory.path().join("records.jsonl"))
}

fn outlet(running: &Running, place: Place) -> Result<Outlet, AuditError> {
    let log = running.directory.path().join("audit.db");
    Outlet::beside(log, place, running.newest.clone())
}

/// The entries of the lines in a file, in order; `?` for what is no record.
fn entries(file: &Path) -> Vec<String> {
    let entry = |line: &str| {
        let body: Option<serde_json::Value> = serde_json::from_str(line).ok();
        body.map_or("?".to_owned(), |body| body["entry"].as_str().unwrap_or("-").to_owned())
    };
    fs::read_to_string(file).unwrap().lines().map(entry).collect()
}

#[tokio::test]
async fn records_leave_once_with_the_bytes_of_an_export() {
    let mut leaving = Leaving::start().await;
    for verdict in [Verdict::Allow, Verdict::Deny] {
        drop(leaving.running.audit.decided(sample::decision(verdict)).await.unwrap());
    }
    leaving.record(&["a", "b"]).await;
    leaving.leave().await.unwrap();
    leaving.leave().await.unwrap();
    let (text, _) = exported(&leaving.running, "", Format::Jsonl).await;
    let records: Vec<&str> = text.lines().filter(|line| line.starts_with("{\"v\":")).collect();
    assert_eq!(records.len(), 4);
    let left = fs::read_to_string(leaving.file()).unwrap();
    assert_eq!(left, records.join("\n") + "\n");
    let last: serde_json::Value = serde_json::from_str(records[3]).unwrap();
    assert_eq!(leaving.position().trim(), last["id"]);
}

#[tokio::test]
async fn records_leave_from_where_they_had_come_to_before() {
    let mut leaving = Leaving::start().await;
    leaving.record(&["a", "b"]).await;
    leaving.leave().await.unwrap();
    let mut leaving = leaving.again();
    leaving.record(&["c"]).await;
    leaving.leave().await.unwrap();
    assert_eq!(entries(&leaving.file()), ["a", "b", "c"]);
}

#[tokio::test]
async fn cut_off_before_the_position_was_noted_the_same_records_leave_again() {
    let mut leaving = Leaving::start().await;
    leaving.record(&["a"]).await;
    leaving.leave().await.unwrap();
    let noted = leaving.position();
    leaving.record(&["b", "c"]).await;
    leaving.leave().await.unwrap();
    fs::write(leaving.path("audit.db.outlet"), noted).unwrap();
    let mut leaving = leaving.again();
    leaving.leave().await.unwrap();
    assert_eq!(entries(&leaving.file()), ["a", "b", "c", "b", "c"]);
}

#[tokio::test]
async fn cut_off_within_a_line_the_record_leaves_again_on_a_line_of_its_own() {
    let mut leaving = Leaving::start().await;
    leaving.record(&["a"]).await;
    leaving.leave().await.unwrap();
    let noted = leaving.position();
    leaving.record(&["b"]).await;
    leaving.leave().await.unwrap();
    let whole = fs::read(leaving.file()).unwrap();
    fs::write(leaving.file(), &whole[..whole.len() - 30]).unwrap();
    fs::write(leaving.path("audit.db.outlet"), noted).unwrap();
    let mut leaving = leaving.again();
    leaving.leave().await.unwrap();
    assert_eq!(entries(&leaving.file()), ["a", "?", "b"]);
}

#[tokio::test]
async fn a_file_that_was_moved_away_is_followed_by_a_new_one() {
    let mut leaving = Leaving::start().await;
    let moved = leaving.path("records.jsonl.1");
    leaving.record(&["a", "b"]).await;
    leaving.leave().await.unwrap();
    fs::rename(leaving.file(), &moved).unwrap();
    leaving.record(&["c"]).await;
    leaving.leave().await.unwrap();
    assert_eq!(
        (entries(&moved), entries(&leaving.file())),
        (vec!["a".into(), "b".into()], vec!["c".into()])
    );
    // Emptied in place, as `copytruncate` does it.
    fs::write(leaving.file(), "").unwrap();
    leaving.record(&["d"]).await;
    leaving.leave().await.unwrap();
    assert_eq!(entries(&leaving.file()), ["d"]);
}

#[tokio::test]
async fn while_records_can_not_leave_they_wait_and_nobody_else_does() {
    let mut leaving = Leaving::start().await;
    leaving.record(&["a"]).await;
    leaving.leave().await.unwrap();
    assert_eq!(leaving.lag.records(), 0);
    let aside = leaving.path("aside");
    fs::rename(leaving.file(), &aside).unwrap();
    fs::create_dir(leaving.file()).unwrap();
    leaving.record(&["b", "c"]).await;
    assert_eq!(leaving.lag.records(), 2);
    let error = leaving.leave().await.unwrap_err();
    assert!(error.to_string().contains("records can't leave for `"), "{error}");
    assert_eq!(leaving.lag.records(), 2);
    leaving.record(&["d"]).await;
    assert_eq!(leaving.lag.records(), 3);
    fs::remove_dir(leaving.file()).unwrap();
    fs::rename(&aside, leaving.file()).unwrap();
    leaving.leave().await.unwrap();
    assert_eq!(leaving.lag.records(), 0);
    assert_eq!(entries(&leaving.file()), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn without_a_known_position_all_records_leave_from_the_oldest() {
    for lost in [None, Some("nonsense\n"), Some("0v9k3m2q-1\n"), Some("\u{0}\u{0}")] {
        let mut leaving = Leaving::start().await;
        leaving.record(&["a", "b"]).await;
        leaving.leave().await.unwrap();
        match lost {
            None => fs::remove_file(leaving.path("audit.db.outlet")).unwrap(),
            Some(text) => fs::write(leaving.path("audit.db.outlet"), text).unwrap(),
        }
        let said = Said::default();
        let mut leaving = said.during(|| leaving.again());
        leaving.leave().await.unwrap();
        assert_eq!(entries(&leaving.file()), ["a", "b", "a", "b"], "{lost:?}");
        let of_another_log = lost.is_some_and(|text| text.starts_with("0v9k"));
        assert!(of_another_log || said.count("all of them leave, from the oldest") == 1);
    }
}

#[tokio::test]
async fn records_of_a_log_begun_behind_another_follow_it() {
    let mut leaving = Leaving::start().await;
    leaving.record(&["a"]).await;
    leaving.leave().await.unwrap();
    leaving.record(&["b"]).await;
    let (url, clock) = (leaving.running.url.clone(), leaving.running.clock.clone());
    let directory = leaving.running.stop().await;
    let order = order("-");
    let nothing = super::outbox::Rows::default();
    let ward = ward(directory.path());
    let changes = ("main", &nothing as &dyn Outbox, std::future::ready(Ok(())));
    custody::accept(&url, (clock, ward), changes, order).await.unwrap();
    let running = Running::within(directory, AuditSettings::default(), None).await;
    let mut leaving = Leaving::of(running);
    leaving.record(&["c"]).await;
    leaving.leave().await.unwrap();
    assert_eq!(entries(&leaving.file()), ["a", "b", "-", "c"]);
    assert_eq!(leaving.lag.records(), 0);
}

#[tokio::test]
async fn of_an_erased_record_nothing_leaves() {
    let mut leaving = Leaving::start().await;
    leaving.record(&["a", "b", "c"]).await;
    let mut shell = Shell::open(&leaving.running.url).await;
    let erase = "INSERT INTO audit_mode VALUES ('erase', 1);
                 UPDATE record SET body = NULL WHERE place & 1099511627775 > 0";
    shell.run(erase).await.unwrap();
    leaving.leave().await.unwrap();
    assert_eq!(entries(&leaving.file()), ["a"]);
    assert!(leaving.position().trim().ends_with("-2"), "{}", leaving.position());
}

#[tokio::test]
async fn what_takes_no_lines_is_refused_at_the_start() {
    let running = Running::start().await;
    let folder = running.directory.path();
    for (path, says) in [
        (PathBuf::from("/dev/null"), "not a regular file"),
        (folder.to_owned(), "not a regular file"),
        (folder.join("nowhere/records.jsonl"), "No such file"),
    ] {
        let place = Place::File(path);
        assert!(place.look().unwrap_err().to_string().contains(says));
        let error = outlet(&running, place).unwrap_err();
        let AuditError::Outlet { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains(says), "{error}: {source}");
    }
    fs::create_dir(folder.join("audit.db.outlet")).unwrap();
    let error = outlet(&running, place(&running)).unwrap_err();
    assert!(error.to_string().contains("audit.db.outlet"), "{error}");
    // To look makes nothing.
    let new = folder.join("new.jsonl");
    Place::File(new.clone()).look().unwrap();
    assert!(!new.exists());
}

#[tokio::test]
async fn it_is_said_once_that_records_can_not_leave_and_once_that_they_do_again() {
    let mut leaving = Leaving::start().await;
    let (said, failed) = (Said::default(), AuditError::Stopped);
    said.during(|| {
        for outcome in [None, Some(&failed), Some(&failed), None, None] {
            leaving.outlet.tell(outcome);
        }
    });
    assert_eq!((said.count("Records can't leave"), said.count("Records leave again")), (1, 1));
}

#[tokio::test]
async fn it_ends_behind_the_writer_once_everything_has_left() {
    let Leaving { running, outlet, lag } = Leaving::start().await;
    let file = running.directory.path().join("records.jsonl");
    let outlet = async { outlet.run().await };
    let work = async {
        let _ = running.audit.noted(event("a")).await.unwrap();
        let _ = running.audit.noted(event("b")).await.unwrap();
        running.stop().await
    };
    let ((), _directory) = tokio::join!(outlet, work);
    assert_eq!((entries(&file), lag.records()), (vec!["a".to_owned(), "b".to_owned()], 0));
}

/// What is said in the process's log.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut said = self.0.lock().map_err(|_| std::io::Error::other("a test failed"))?;
        said.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Said {
    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let to = self.clone();
        let lines = tracing_subscriber::fmt().with_writer(move || to.clone()).finish();
        tracing::subscriber::with_default(lines, work)
    }

    fn count(&self, words: &str) -> usize {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().matches(words).count()
    }
}
