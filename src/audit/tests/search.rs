//! The search index finds what reading every record finds, whatever it has and has not filed yet.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::upkeep::kept;
use super::wishes::wished;
use super::{Running, event, sample};
use crate::audit::AuditSettings;
use crate::model::id::{DecisionId, ReleaseNumber};
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::query::{Evidence, Known, Query};
use crate::model::record::{ClientAddress, Entry, Reason, RecordLine, Verdict};
use crate::model::time::Timestamp;
use crate::store::audit::AuditReader;
use crate::store::audit::search::{
    Counts, Exactness, Found, Indexer, Period, Searcher, Step, Wanted, index_of,
};

#[derive(Clone)]
struct Present;

impl Known for Present {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_490_000)
    }

    fn group_names(&self, id: &str) -> Vec<String> {
        let finance = id == "7f2c3a10-0000-4000-8000-0000000000f1";
        finance.then(|| "Finance Team".to_owned()).into_iter().collect()
    }
}

const PATHS: [&str; 5] = ["/", "/finance", "/finance/Q3", "/reports/2026", "/Admin/users"];
const QUERIES: [&str; 40] = [
    "",
    "effect:allow",
    "effect:deny,refused",
    "-effect:allow",
    "kind:decision -effect:deny",
    "user:uma@contoso.example",
    "user:UMA*",
    "user:person-3@contoso.example path:/finance/**",
    "-user:uma*",
    "group:\"finance team\"",
    "-group:\"finance team\" kind:decision",
    "group:7f2c3a10-0000-4000-8000-0000000000f1",
    "role:nobody",
    "path:/finance/**",
    "path:/FINANCE/q3",
    "path:/fin*,/admin*",
    "-path:/ method:GET",
    "route:payroll/*",
    "app:payroll -route:payroll/finance",
    "finance",
    "uma",
    "admin -uma",
    "\"person 3\"",
    "ip:192.0.2.3",
    "ip:192.0.2.0/30",
    "-ip:192.0.2.0/24",
    "ms:>5",
    "ms:0..2",
    "release:3",
    "release:>3",
    "reason:no_grant,too_long",
    "grant:g-1",
    "session:s-1 effect:deny",
    "request:r-7f3k-17",
    "-request:r-7f3k-17",
    "at:>=2026-11-24T14:30:00Z",
    "at:2026-11-24T14:28:00Z..2026-11-24T14:31:10Z effect:allow",
    "-at:2026-11-24T14:28:00Z..2026-11-24T14:31:00Z",
    "mfa:no door:proxy",
    "nothing-is-called-so",
];

/// A decision, a refusal or an event, as the number says.
fn entry(number: u64) -> Entry {
    let pick = |of: usize| usize::try_from(number.wrapping_mul(2_654_435_761) >> 7).unwrap() % of;
    if number % 11 == 7 {
        return event("x");
    }
    if number % 13 == 5 {
        let mut refusal = sample::refusal();
        PATHS[pick(5)].clone_into(&mut refusal.facts.path);
        return Entry::Refusal(Box::new(refusal));
    }
    let verdict = if pick(3) == 0 { Verdict::Deny } else { Verdict::Allow };
    let mut decision = sample::decision(verdict);
    if verdict == Verdict::Deny {
        (decision.reason, decision.rules) = (Reason::NoGrant, Vec::new());
    }
    decision.facts.request = format!("r-7f3k-{number}").parse().unwrap();
    PATHS[pick(5)].clone_into(&mut decision.facts.path);
    decision.facts.client = ClientAddress::Known([192, 0, 2, (number % 9) as u8].into());
    decision.route = Some(["payroll/finance", "payroll/root"][pick(2)].parse().unwrap());
    decision.release = ReleaseNumber(3 + i64::try_from(number % 2).unwrap());
    decision.duration_us = number % 9 * 1_000;
    if number.is_multiple_of(3)
        && let Principal::User(mut user) = sample::principal()
    {
        let one = number % 5;
        user.subject =
            format!("{}.00000000-0000-4000-8000-00000000000{one}", sample::TENANT).parse().unwrap();
        user.user_name = format!("person-{one}@contoso.example");
        user.name = format!("Person {one}");
        user.groups.clear();
        decision.principal = PrincipalSnapshot::new(Principal::User(user));
    }
    Entry::Decision(Box::new(decision))
}

struct Searched {
    running: Running,
    searcher: Searcher,
    indexer: Indexer,
}

impl Searched {
    async fn with(records: u64) -> Self {
        let running = Running::start().await;
        let searcher = Searcher::new(Path::new(running.url.trim_start_matches("sqlite://")));
        let indexer = searcher.indexer();
        let mut fresh = Self { running, searcher, indexer };
        fresh.write(0..records).await;
        fresh
    }

    async fn write(&mut self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            match entry(number) {
                Entry::Decision(decision) => {
                    drop(self.running.audit.decided(*decision).await.unwrap());
                }
                other @ (Entry::Refusal(_) | Entry::Event(_)) => {
                    let _ = self.running.audit.noted(other).await.unwrap();
                }
            }
            self.running.clock.advance(Duration::from_secs(3));
        }
    }

    /// Files all there is; whether the index was begun anew.
    fn file(&mut self) -> bool {
        let mut anew = false;
        loop {
            match self.indexer.step().unwrap() {
                Step::Idle => return anew,
                Step::Filed(_) => {}
                Step::BegunAnew => anew = true,
            }
        }
    }

    async fn page(&self, asked: &str, before: Option<DecisionId>, limit: usize) -> Found {
        let query = asked.parse().unwrap();
        self.searcher
            .find(Wanted { query, known: Present, before, after: None, limit })
            .await
            .unwrap()
    }

    /// Ids of all that is found, in pages of seven.
    async fn found(&self, query: &str) -> Vec<String> {
        let (mut ids, mut before) = (Vec::new(), None);
        loop {
            let page = self.page(query, before, 7).await;
            assert!(page.lines.len() <= 7);
            ids.extend(page.lines.iter().map(|line| line.id.to_string()));
            before = page.older;
            if before.is_none() {
                return ids;
            }
        }
    }

    async fn lines(&self) -> Vec<RecordLine> {
        self.running.reader.recent(1_000, None).await.unwrap()
    }

    /// The same by reading every record.
    async fn read(&self, query: &str) -> Vec<RecordLine> {
        let wanted: Query = query.parse().unwrap();
        let mut lines = self.lines().await;
        lines.retain(|line| !line.body.is_empty());
        lines.retain(|line| {
            let body = serde_json::from_str(&line.body).unwrap();
            let principal = serde_json::from_str(line.principal.as_deref().unwrap_or("null"));
            let (id, at, kind) = (line.id, line.at, line.kind.as_str());
            let (body, principal) = (&body, &principal.unwrap());
            wanted.finds(&Evidence { id, at, kind, body, principal }, &Present)
        });
        lines
    }

    async fn check_all(&self) {
        for query in QUERIES {
            let read: Vec<_> =
                self.read(query).await.iter().map(|line| line.id.to_string()).collect();
            assert_eq!(self.found(query).await, read, "{query}");
        }
    }

    async fn counts(&self, query: &str, period: Period) -> Counts {
        self.searcher.count(query.parse().unwrap(), Present, period).await.unwrap()
    }
}

#[tokio::test]
async fn whatever_is_filed_yet_the_same_is_found() {
    let mut searched = Searched::with(120).await;
    searched.indexer.step().unwrap();
    searched.check_all().await;
    searched.write(120..200).await;
    searched.check_all().await;
    assert!(searched.page("", None, 1).await.behind > 0);
    assert!(!searched.file());
    searched.check_all().await;
    let page = searched.page("", None, 1).await;
    assert_eq!((page.behind, page.lines.len()), (0, 1));
    let id = page.lines[0].id;
    for after in [id.seq - 3, 3] {
        let after = DecisionId { seq: after, ..id };
        let query = Query::default();
        let wanted = Wanted { query, known: Present, before: None, after: Some(after), limit: 500 };
        let newer = searched.searcher.find(wanted).await.unwrap();
        assert_eq!(newer.lines.len() as u64, id.seq - after.seq);
        assert!(newer.older.is_none());
    }
    assert_eq!(searched.found(&format!("id:{id}")).await, [id.to_string()]);
}

#[tokio::test]
async fn counts_say_what_is_found_in_each_period() {
    let mut searched = Searched::with(200).await;
    searched.file();
    for query in
        QUERIES.iter().filter(|query| !query.contains("at:") && !query.contains("request:"))
    {
        let lines = searched.read(query).await;
        for period in Period::ALL {
            let counts = searched.counts(query, period).await;
            assert_eq!(counts.exactness, Exactness::Exact, "{query}");
            let mut expected = std::collections::BTreeMap::<i64, [u64; 4]>::new();
            for line in &lines {
                let slot = expected.entry(period.start(line.at)).or_default();
                slot[0] += 1;
                let body: Value = serde_json::from_str(&line.body).unwrap();
                let which = match (line.kind.as_str(), body["verdict"].as_str()) {
                    ("refusal", _) => Some(3),
                    (_, Some("allow")) => Some(1),
                    (_, Some("deny")) => Some(2),
                    _ => None,
                };
                if let Some(which) = which {
                    slot[which] += 1;
                }
            }
            let counted: Vec<_> = counts
                .counted
                .iter()
                .map(|one| {
                    (
                        one.start.as_micros() / 1_000_000,
                        [one.all, one.allowed, one.denied, one.refused],
                    )
                })
                .collect();
            assert_eq!(counted, expected.into_iter().collect::<Vec<_>>(), "{query}, {period:?}");
        }
    }
    let counts = searched.counts("request:r-7f3k-17", Period::Day).await;
    assert_eq!(counts.exactness, Exactness::AtMost);
}

#[tokio::test]
async fn an_index_of_another_log_or_form_is_made_anew() {
    let mut searched = Searched::with(40).await;
    searched.file();
    let log = searched.searcher.clone();
    let file = index_of(Path::new(searched.running.url.trim_start_matches("sqlite://")));
    // Another log's.
    let other = {
        let mut other = Searched::with(90).await;
        other.file();
        let from = index_of(Path::new(other.running.url.trim_start_matches("sqlite://")));
        searched.indexer = log.indexer();
        std::fs::remove_file(&file).unwrap();
        drop(std::fs::remove_file(file.with_extension("db-wal")));
        drop(std::fs::remove_file(file.with_extension("db-shm")));
        drop(other.indexer);
        std::fs::copy(from, &file).unwrap();
        other.running
    };
    drop(other);
    assert!(searched.file());
    searched.check_all().await;
    // No database at all.
    searched.indexer = log.indexer();
    std::fs::write(&file, "not a database, but long enough to be taken for one".repeat(40))
        .unwrap();
    drop(std::fs::remove_file(file.with_extension("db-wal")));
    assert!(searched.file());
    searched.check_all().await;
}

#[tokio::test]
async fn who_was_erased_is_not_in_the_index_any_more() {
    let mut searched = Searched::with(60).await;
    searched.file();
    let subject = format!("{}.{}", sample::TENANT, sample::UMA).parse().unwrap();
    let wish = AuditReader::open(&searched.running.url).await.unwrap();
    let (url, clock) = (searched.running.url.clone(), searched.running.clock.clone());
    wished(&wish, &subject).await;
    let directory = searched.running.stop().await;
    kept((&directory, &url, &clock), Duration::from_hours(24 * 400), async |upkeep| {
        upkeep.forget_people().await.unwrap();
    })
    .await;
    let settings = AuditSettings::default();
    searched.running = Running::within(directory, settings, None).await;
    assert!(searched.file());
    assert!(searched.found("user:uma*").await.is_empty());
    let file = index_of(Path::new(searched.running.url.trim_start_matches("sqlite://")));
    let bytes = std::fs::read(&file).unwrap();
    let wal = std::fs::read(file.with_extension("db-wal")).unwrap_or_default();
    for bytes in [bytes, wal] {
        assert!(!bytes.windows(4).any(|at| at == b"uma@"), "her name is still in the index");
    }
    searched.check_all().await;
    // It is not made anew again and again.
    assert!(!searched.file());
}

/// The scheduling policy of each thread of this process that is called so, as the kernel says it.
#[cfg(target_os = "linux")]
fn policies(name: &str) -> Vec<String> {
    let threads =
        std::fs::read_dir("/proc/self/task").unwrap().map(|thread| thread.unwrap().path());
    let called = threads.filter(|thread| {
        // One that has ended meanwhile is called nothing.
        std::fs::read_to_string(thread.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    });
    let policy = |thread: std::path::PathBuf| {
        let stat = std::fs::read_to_string(thread.join("stat")).ok()?;
        let behind_name = stat.rsplit_once(')')?.1;
        behind_name.split_whitespace().nth(38).map(str::to_owned)
    };
    called.filter_map(policy).collect()
}

/// Whoever files stands back, and holds no read of the log meanwhile: the WAL would grow for as long as it waits.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_reads_the_log_for_the_index_stands_back_for_nobody() {
    let (directory, url) = super::tampering::log().await;
    let file = std::path::PathBuf::from(url.trim_start_matches("sqlite://"));
    let searcher = crate::store::audit::search::Searcher::new(&file);
    let keeper = super::super::search::IndexKeeper::new(&searcher);
    let stop = tokio_util::sync::CancellationToken::new();
    let seen = async {
        // Idle, as `sched(7)` numbers it; 0 is how everybody else goes.
        let idle = async {
            while !policies("audit-index").contains(&"5".to_owned()) {
                tokio::task::yield_now().await;
            }
        };
        let stands_back = tokio::time::timeout(std::time::Duration::from_mins(1), idle).await;
        stands_back
            .expect("a system that lets a thread go idle (`sched_setscheduler`, SCHED_IDLE)");
        let reading = policies("audit-index-log");
        assert!(!reading.is_empty() && reading.iter().all(|policy| policy == "0"), "{reading:?}");
        stop.cancel();
    };
    tokio::join!(seen, keeper.run(stop.clone()));
    drop(directory);
}
