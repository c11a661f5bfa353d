//! The file: what it accepts, what it refuses, and what can be read back.

use std::path::Path;
use std::sync::Arc;

use sha2::Digest as _;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

use super::search::{Searcher, Step};
use super::{AuditFile, AuditReader, Batch, Begin, CopyRow, Fresh, Held, LogCopy, Row, Taken};
use crate::model::body::Head;
use crate::model::grant::Method;
use crate::model::id::{DecisionId, OriginId, RouteId};
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::time::Timestamp;
use crate::store::{StoreError, audit};

const FRESH: [u8; 5] = [1, 2, 3, 4, 5];

struct Place {
    url: String,
    _directory: TempDir,
}

fn place() -> Place {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    Place { url, _directory: directory }
}

fn fresh(id: [u8; 5]) -> Fresh {
    Fresh {
        id: OriginId::from_bytes(id),
        log_key: String::new(),
        at: Timestamp::from_seconds(0),
        begin: Begin::WhereEmpty,
    }
}

async fn open(place: &Place) -> AuditFile {
    audit::open(&place.url, &fresh(FRESH)).await.unwrap()
}

/// Gives the right to write up; dropping the file does so too, a moment later.
async fn close(file: AuditFile) {
    file.appender.close().await;
}

/// A record of this kind, made so many seconds after all others began, that also says what `rest` does.
fn spelled(seq: u64, kind: &'static str, rest: &str) -> Row {
    let at = Timestamp::from_seconds(1_800_000_000 + i64::try_from(seq).unwrap());
    let id = DecisionId { origin: OriginId::from_bytes(FRESH), seq };
    let mut body = Vec::new();
    Head { id, at: &at.to_string(), kind }.spell("", &mut body);
    body.extend_from_slice(rest.as_bytes());
    body.push(b'}');
    let leaf_hash = sha2::Sha256::digest(&body).into();
    Row { seq, body, leaf_hash, at, principal: None }
}

fn row(seq: u64, kind: &'static str) -> Row {
    spelled(seq, kind, "")
}

fn batch(seqs: std::ops::Range<u64>) -> Batch {
    Batch { rows: seqs.map(|seq| row(seq, "decision")).collect(), ..Batch::default() }
}

/// Another program with the file open, as an operator's SQLite shell would have it.
pub(crate) struct Shell(SqliteConnection);

impl Shell {
    pub(crate) async fn open(url: &str) -> Self {
        let options: SqliteConnectOptions = url.parse().unwrap();
        Self(options.connect().await.unwrap())
    }

    pub(crate) async fn run(&mut self, statements: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(statements).execute(&mut self.0).await.map(|_| ())
    }

    pub(crate) async fn run_owned(&mut self, statements: String) {
        let statements = sqlx::AssertSqlSafe(statements);
        sqlx::raw_sql(statements).execute(&mut self.0).await.unwrap();
    }

    pub(crate) async fn texts(&mut self, query: &'static str) -> Vec<String> {
        sqlx::query_scalar(query).fetch_all(&mut self.0).await.unwrap()
    }

    pub(crate) async fn rewrite(&mut self, seq: usize, body: Vec<u8>, leaf_hash: Vec<u8>) {
        let sql = "UPDATE record SET body = $1, leaf_hash = $2 WHERE place & 1099511627775 = $3";
        let query = sqlx::query(sql).bind(body).bind(leaf_hash).bind(i64::try_from(seq).unwrap());
        query.execute(&mut self.0).await.unwrap();
    }

    /// As [`Self::rewrite`], in one origin of several.
    pub(crate) async fn rewrite_in(
        &mut self,
        (origin, seq): (i64, u64),
        body: Vec<u8>,
        leaf_hash: Vec<u8>,
    ) {
        let place = (origin << 40) + i64::try_from(seq).unwrap();
        let sql = "UPDATE record SET body = $1, leaf_hash = $2 WHERE place = $3";
        let query = sqlx::query(sql).bind(body).bind(leaf_hash).bind(place);
        query.execute(&mut self.0).await.unwrap();
    }

    /// Puts a record where there is none, as somebody else's commit would.
    pub(crate) async fn put(&mut self, seq: i64, body: Vec<u8>, leaf_hash: Vec<u8>) {
        let sql = "INSERT INTO record (place, body, leaf_hash) VALUES (1099511627776 + $1, $2, $3)";
        let query = sqlx::query(sql).bind(seq).bind(body).bind(leaf_hash);
        query.execute(&mut self.0).await.unwrap();
    }

    pub(crate) async fn renote(&mut self, size: i64, note: String) {
        let sql = "UPDATE checkpoint SET note = $1 WHERE place & 1099511627775 = $2";
        sqlx::query(sql).bind(note).bind(size).execute(&mut self.0).await.unwrap();
    }

    /// Gives every principal this content, and the hash of it.
    pub(crate) async fn impersonate(&mut self, content: &str) {
        let hash = crate::model::principal::PrincipalHash::of(content.as_bytes()).0;
        let sql = "UPDATE principal_snapshot SET body = $1, hash = $2";
        let query = sqlx::query(sql).bind(content).bind(hash.to_vec());
        query.execute(&mut self.0).await.unwrap();
    }

    pub(crate) async fn rename_origin(&mut self, id: &str) {
        sqlx::query("UPDATE origin SET id = $1").bind(id).execute(&mut self.0).await.unwrap();
    }

    pub(crate) async fn number(&mut self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&mut self.0).await.unwrap()
    }
}

/// Makes a named pipe, which whoever opens it waits at.
pub(crate) fn make_pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[tokio::test]
async fn rows_of_every_statement_size_come_back_in_order() {
    let place = place();
    let file = open(&place).await;
    // 64 + 64 + 8 + 8 + 1 + 1 + 1
    file.appender.append(batch(0..147).into()).await.unwrap();
    let lines = file.reader.recent(1_000, None).await.unwrap();
    let seqs: Vec<u64> = lines.iter().map(|line| line.id.seq).collect();
    assert_eq!(seqs, (0..147).rev().collect::<Vec<_>>());
    assert_eq!(lines[0].body.as_bytes(), row(146, "decision").body);
    assert_eq!((lines[0].at, lines[0].kind.as_str()), (row(146, "decision").at, "decision"));
    assert_eq!(lines[0].id.origin, OriginId::from_bytes(FRESH));
}

#[tokio::test]
async fn pages_go_on_before_the_last_line() {
    let place = place();
    let file = open(&place).await;
    file.appender.append(batch(0..4).into()).await.unwrap();
    let origin = file.appender.origin();
    let check = async |before: Option<u64>, expected: &[u64]| {
        let before = before.map(|seq| DecisionId { origin, seq });
        let lines = file.reader.recent(2, before).await.unwrap();
        assert_eq!(lines.iter().map(|line| line.id.seq).collect::<Vec<_>>(), expected);
    };
    check(None, &[3, 2]).await;
    check(Some(2), &[1, 0]).await;
    check(Some(0), &[]).await;
    let stranger = DecisionId { origin: OriginId::from_bytes([9; 5]), seq: 3 };
    assert_eq!(file.reader.recent(2, Some(stranger)).await.unwrap(), []);
    assert_eq!(file.reader.record(stranger).await.unwrap(), None);
    let far = DecisionId { origin, seq: u64::MAX };
    assert_eq!(file.reader.record(far).await.unwrap(), None);
}

/// What changes no page is no commit, and syncs nothing.
#[tokio::test]
async fn settling_is_a_commit_of_its_own_each_time() {
    let place = place();
    let file = open(&place).await;
    file.appender.append(batch(0..1).into()).await.unwrap();
    let name = format!("{}-wal", place.url.trim_start_matches("sqlite://"));
    let wal = || std::fs::metadata(&name).unwrap().len();
    for _ in 0..3 {
        let before = wal();
        file.appender.settle().await.unwrap();
        assert!(wal() > before);
    }
}

#[tokio::test]
async fn the_table_has_no_index_besides_its_own_order() {
    let place = place();
    let _file = open(&place).await;
    let mut shell = Shell::open(&place.url).await;
    let indexes = shell
        .number("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'record'")
        .await;
    assert_eq!(indexes, 0);
    let plan: (i64, i64, i64, String) =
        sqlx::query_as("EXPLAIN QUERY PLAN SELECT body FROM record WHERE place = 5")
            .fetch_one(&mut shell.0)
            .await
            .unwrap();
    assert!(plan.3.starts_with("SEARCH record USING INTEGER PRIMARY KEY"), "{}", plan.3);
}

#[tokio::test]
async fn records_can_neither_be_changed_nor_deleted() {
    let place = place();
    let file = open(&place).await;
    let taken = Some(Taken { source: "main", id: 5 });
    file.appender.append(Batch { taken, ..batch(0..2) }.into()).await.unwrap();
    let mut shell = Shell::open(&place.url).await;
    for statement in [
        "UPDATE record SET body = x'00'",
        "UPDATE record SET body = NULL",
        "UPDATE record SET principal = 5",
        "UPDATE record SET remains = '{}'",
        "UPDATE record SET place = place + 9",
        "DELETE FROM record",
        "INSERT INTO record (place, body, leaf_hash) SELECT place, body, leaf_hash FROM record",
        "INSERT INTO principal_snapshot (hash, reference, body, seen_us) VALUES (zeroblob(32), '{}', '{}', 0);
         UPDATE principal_snapshot SET body = '[]'",
        "UPDATE principal_snapshot SET reference = '[]'",
        "UPDATE principal_snapshot SET key = key + 1",
        "DELETE FROM principal_snapshot",
        "UPDATE taken SET id = 4",
    ] {
        let refused = shell.run(statement).await;
        let refused = refused.expect_err(statement).to_string();
        let known = ["append-only", "UNIQUE", "once"].iter().any(|word| refused.contains(word));
        assert!(known, "{statement}: {refused}");
    }
    assert_eq!(file.reader.recent(9, None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_erasure_may_blank_a_body_and_nothing_else() {
    let place = place();
    let file = open(&place).await;
    file.appender.append(batch(0..2).into()).await.unwrap();
    let mut shell = Shell::open(&place.url).await;
    let allow = "INSERT INTO audit_mode (name, value) VALUES ('erase', 1)";
    shell.run(allow).await.unwrap();
    for refused in [
        "UPDATE record SET body = x'00'",
        "UPDATE record SET body = NULL, principal = 5",
        "UPDATE record SET body = NULL, leaf_hash = zeroblob(32)",
        "DELETE FROM record",
    ] {
        shell.run(refused).await.expect_err(refused);
    }
    let first = row(0, "decision").body;
    let blank = "UPDATE record SET body = NULL WHERE seq = 1";
    shell.run(blank).await.unwrap();
    let lines = file.reader.recent(9, None).await.unwrap();
    let bodies: Vec<_> = lines.iter().map(|line| line.body.as_bytes()).collect();
    assert_eq!(bodies, [b"", first.as_slice()]);
}

#[tokio::test]
async fn a_written_batch_is_told_from_none_and_from_another() {
    let place = place();
    let file = open(&place).await;
    assert_eq!(file.appender.held(&batch(0..3)).await.unwrap(), Held::Nothing);
    file.appender.append(batch(0..3).into()).await.unwrap();
    assert_eq!(file.appender.held(&batch(0..3)).await.unwrap(), Held::All);
    assert_eq!(file.appender.held(&batch(0..4)).await.unwrap(), Held::Other);
    let mut other = batch(0..3);
    other.rows[1].leaf_hash = [9; 32];
    assert_eq!(file.appender.held(&other).await.unwrap(), Held::Other);
    file.appender.append(batch(2..4).into()).await.expect_err("a place is taken once");
    assert_eq!(file.appender.held(&batch(3..4)).await.unwrap(), Held::Nothing);
    file.appender.append(batch(3..4).into()).await.unwrap();
}

#[tokio::test]
async fn a_second_writer_is_refused_and_a_reader_is_not() {
    let place = place();
    let file = open(&place).await;
    file.appender.append(batch(0..1).into()).await.unwrap();
    let other = fresh([9; 5]);
    let second = audit::open(&place.url, &other);
    let refused = second.await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("end it first"), "{refused}");
    let reader = AuditReader::open(&place.url).await.unwrap();
    assert_eq!(reader.recent(9, None).await.unwrap().len(), 1);
    close(file).await;
    let again = open(&place).await;
    assert_eq!(again.appender.next_seq(), 1);
}

#[tokio::test]
async fn the_origin_stays_when_the_file_is_opened_again() {
    let place = place();
    close(open(&place).await).await;
    let other = fresh([9; 5]);
    let again = audit::open(&place.url, &other);
    assert_eq!(again.await.unwrap().appender.origin(), OriginId::from_bytes(FRESH));
}

#[tokio::test]
async fn the_wal_is_taken_in_beside_the_writer() {
    let place = place();
    let file = open(&place).await;
    let mut seq = 0;
    while file.appender.wal_bytes() <= 4 << 20 {
        let mut batch = batch(seq..seq + 64);
        for row in &mut batch.rows {
            row.body = vec![b'x'; 4_096];
        }
        file.appender.append(batch.into()).await.unwrap();
        seq += 64;
    }
    let before = file.appender.wal_bytes();
    file.wal_keeper.once().await.unwrap();
    assert!(before > 4 << 20 && file.appender.wal_bytes() == 0, "{before}");
}

/// Both work as fast as they can: SQLite alone would let the file grow for as long as that lasts.
#[tokio::test]
async fn the_wal_stays_bounded_when_the_writer_never_pauses() {
    let place = place();
    let file = open(&place).await;
    let wal =
        std::path::PathBuf::from(format!("{}-wal", place.url.trim_start_matches("sqlite://")));
    let writes = async {
        for first in (0..150).map(|i| i * 256) {
            let mut batch = batch(first..first + 256);
            for row in &mut batch.rows {
                row.body = vec![b'x'; 4_000];
            }
            file.appender.append(batch.into()).await.unwrap();
        }
    };
    tokio::select! {
        () = writes => {}
        () = file.wal_keeper.run() => {}
    }
    // 150 MB were written; a page of slack per row, and what passes while a checkpoint runs.
    let size = || std::fs::metadata(&wal).unwrap().len();
    assert!(size() < 70 << 20, "{}", size());
    // Nobody starts the gate anew to have the room back.
    let quiet = async {
        while size() > 4 << 20 {
            tokio::task::yield_now().await;
        }
    };
    let given_back = async {
        tokio::select! {
            () = quiet => {}
            () = file.wal_keeper.run() => {}
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), given_back).await.unwrap();
}

const TENANT: &str = "7f2c3a10-0000-4000-8000-000000000001";

/// A person with this number and name.
fn person(number: u8, name: &str) -> Arc<PrincipalSnapshot> {
    let user = serde_json::json!({
        "kind": "user", "subject": format!("{TENANT}.7f2c3a10-0000-4000-8000-0000000000{number:02x}"),
        "user_name": "u", "name": name, "email": null, "guest": "member", "groups": [], "roles": [],
    });
    PrincipalSnapshot::new(serde_json::from_value(user).unwrap())
}

/// A decision about a person on `shop/<route>`, made at this second.
fn decided(seq: u64, who: &Arc<PrincipalSnapshot>, about: (&str, &str, &str)) -> Row {
    let (method, route, verdict) = about;
    let rest = format!(r#","method":"{method}","route":"shop/{route}","verdict":"{verdict}""#);
    let row = spelled(seq, "decision", &rest);
    Row { principal: Some(Arc::clone(who)), ..row }
}

async fn append(file: &AuditFile, rows: Vec<Row>) {
    file.appender.append(Batch { rows, ..Batch::default() }.into()).await.unwrap();
}

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

#[tokio::test]
async fn people_are_told_as_they_were_last_and_nobody_is_not() {
    let place = place();
    let file = open(&place).await;
    let (before, after, other) = (person(1, "Uma"), person(1, "Uma Umarov"), person(2, "Rob"));
    let nobody = PrincipalSnapshot::new(Principal::Anonymous);
    for (seq, who) in [&before, &nobody, &after, &other].into_iter().enumerate() {
        let row = decided(u64::try_from(seq).unwrap(), who, ("GET", "home", "allow"));
        append(&file, vec![row]).await;
    }
    let people = file.reader.people().await.unwrap();
    let told: Vec<_> = people.iter().map(|one| (one.content.display_name(), one.seen_at)).collect();
    let expected = [("Rob".to_owned(), second(3)), ("Uma Umarov".to_owned(), second(2))];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn last_use_counts_what_was_let_in_with_these_methods() {
    let place = place();
    let file = open(&place).await;
    let (uma, rob) = (person(1, "Uma"), person(2, "Rob"));
    let decisions = vec![
        decided(0, &uma, ("GET", "finance", "allow")),
        decided(1, &uma, ("POST", "finance", "allow")),
        decided(2, &uma, ("GET", "finance", "deny")),
        decided(3, &uma, ("GET", "home", "allow")),
        decided(4, &rob, ("HEAD", "finance", "allow")),
    ];
    append(&file, decisions).await;
    let [uma, rob] = [&uma, &rob].map(|who| who.subject().unwrap().clone());
    let [finance, home]: [RouteId; 2] =
        ["shop/finance", "shop/home"].map(|route| route.parse().unwrap());
    let searcher = Searcher::new(&file.reader.file());
    let mut indexer = searcher.indexer();
    // The same without the index, and with all of it filed.
    for filed in [0, 5] {
        if filed > 0 {
            assert_eq!(indexer.step().unwrap(), Step::Filed(filed));
        }
        let users = searcher.users_of(&finance, &[Method::Get, Method::Head]).await.unwrap();
        assert_eq!(users.at, [(uma.clone(), second(0)), (rob.clone(), second(4))].into());
        assert_eq!(users.since, Some(second(0)));
        let used = searcher.used_by(&uma, &[Method::Get]).await.unwrap();
        assert_eq!(used.at, [(finance.clone(), second(0)), (home.clone(), second(3))].into());
        let newest = searcher.decisions_of(&uma, 2).await.unwrap();
        assert_eq!(newest.iter().map(|line| line.id.seq).collect::<Vec<_>>(), [3, 2]);
    }
}

/// Pages are read ahead; whoever then asks for something else, or in a folder with any name, gets what was asked for.
#[tokio::test]
async fn pages_hold_what_was_asked_for_however_it_is_asked() {
    let place = place();
    let file = open(&place).await;
    file.appender.append(batch(0..5_000).into()).await.unwrap();
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("a %20?ř#&=1");
    std::fs::create_dir(&folder).unwrap();
    for name in ["audit.db", "audit.db-wal"] {
        let from = place.url.trim_start_matches("sqlite://").replace("audit.db", name);
        std::fs::copy(from, folder.join(name)).unwrap();
    }
    let mut copy = LogCopy::open(&folder.join("audit.db")).await.unwrap();
    let origin = copy.origins().await.unwrap().remove(0);
    for (asked, found) in [
        ((0, 5_000), 0..2_048),
        ((2_048, 5_000), 2_048..4_096),
        ((4_096, 5_000), 4_096..5_000),
        ((0, 5_000), 0..2_048),
        // Another one than what was read ahead.
        ((7, 9), 7..9),
        ((0, 5_000), 0..2_048),
        ((2_048, 2_050), 2_048..2_050),
        ((4_999, 9_999), 4_999..5_000),
        ((5_000, 9_999), 5_000..5_000),
    ] {
        let rows = copy.rows(&origin, asked).await.unwrap();
        assert_eq!(rows.iter().map(CopyRow::seq).collect::<Vec<_>>(), found.collect::<Vec<_>>());
    }
}
