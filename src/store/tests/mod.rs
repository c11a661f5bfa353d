//! The store over files that exist for one test.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::sqlite::is_sound;
use super::*;
use crate::model::host::Host;
use crate::model::id::{ReleaseNumber, SessionId};
use crate::model::record::ClientAddress;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

mod crowding;
mod pending;
mod releases;
mod sessions;

/// A store in a directory of its own.
struct Scene {
    directory: tempfile::TempDir,
    store: Store,
}

async fn scene() -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&directory)).await.unwrap();
    Scene { directory, store }
}

fn url(directory: &tempfile::TempDir) -> String {
    format!("sqlite://{}/data/cedargate.db", directory.path().display())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + seconds)
}

fn author(seconds: i64) -> Author {
    Author { by: "operator:olive".to_owned(), at: at(seconds) }
}

async fn refusal(url: &str) -> String {
    Store::open(url).await.unwrap_err().to_string()
}

#[test]
fn engines_that_lose_writes_are_refused() {
    let check = |version: &str, sound: bool| assert_eq!(is_sound(version), sound, "{version}");
    check("3.51.3", true);
    check("3.53.0", true);
    check("4.0.0", true);
    check("3.51.2", false);
    check("3.7.17", false);
    check("2.99.99", false);
    check("3.51", false);
    check("3.51.3.1", false);
    check("3.51.x", false);
    check("", false);
}

#[tokio::test]
async fn every_connection_syncs_its_commits() {
    let scene = scene().await;
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut connection = scene.store.pool.acquire().await.unwrap();
        let level: i64 =
            sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.unwrap();
        let journal: String =
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.unwrap();
        let keys: i64 =
            sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *connection).await.unwrap();
        assert_eq!((level, journal.as_str(), keys), (2, "wal", 1));
        held.push(connection);
    }
}

#[tokio::test]
async fn file_and_directory_are_made_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = scene().await;
    let mode = |name: &str| {
        let path = scene.directory.path().join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("data"), 0o700);
    assert_eq!(mode("data/cedargate.db"), 0o600);
    assert_eq!(mode("data/cedargate.db-wal"), 0o600);
}

#[tokio::test]
async fn addresses_that_keep_nothing_are_refused() {
    for url in [
        "sqlite::memory:",
        "sqlite://data/x.db?mode=ro",
        "postgres://db/cedargate",
        "data/x.db",
        "sqlite://",
        "",
    ] {
        let said = refusal(url).await;
        assert!(said.contains("is not a database address"), "{url}: {said}");
    }
}

#[tokio::test]
async fn file_of_another_kind_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    let file = directory.path().join("data/cedargate.db");
    std::fs::write(&file, "this is a letter, not a database\n".repeat(100)).unwrap();
    let said = refusal(&url(&directory)).await;
    assert!(said.contains("is not a SQLite database"), "{said}");
    assert!(said.contains("data/cedargate.db"), "{said}");
}

#[tokio::test]
async fn directory_in_place_of_the_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("data/cedargate.db")).unwrap();
    let said = refusal(&url(&directory)).await;
    assert!(said.contains("could not open the database"), "{said}");
}

#[tokio::test]
async fn file_in_place_of_the_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("data"), "x").unwrap();
    let said = refusal(&url(&directory)).await;
    assert!(said.contains("could not create"), "{said}");
}

#[tokio::test]
async fn schema_of_a_newer_program_is_refused() {
    let scene = scene().await;
    sqlx::query(
        r"
        INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (20991231000000, 'future', 1, x'00', 0)
        ",
    )
    .execute(&scene.store.pool)
    .await
    .unwrap();
    scene.store.close().await;
    let said = refusal(&url(&scene.directory)).await;
    assert!(said.contains("20991231000000") && said.contains("newer Cedargate"), "{said}");
}

#[tokio::test]
async fn database_that_another_program_holds_is_named_as_locked() {
    let scene = scene().await;
    let held = sqlite::begin(&scene.store.pool, "hold it").await.unwrap();
    let said = scene.store.raise_session_epoch().await.unwrap_err().to_string();
    assert!(said.contains("stayed locked") && said.contains("cedargate.db"), "{said}");
    drop(held);
    scene.store.raise_session_epoch().await.unwrap();
}

#[tokio::test]
async fn write_that_is_not_allowed_is_named_as_read_only() {
    let scene = scene().await;
    let mut connection = scene.store.pool.acquire().await.unwrap();
    sqlx::query("PRAGMA query_only = 1").execute(&mut *connection).await.unwrap();
    let error = sqlx::query("DELETE FROM setting").execute(&mut *connection).await.unwrap_err();
    let said = sqlite::failed(&scene.store.pool, "try")(error).to_string();
    assert!(said.contains("is read-only") && said.contains("write access"), "{said}");
}

#[tokio::test]
async fn reopened_database_keeps_its_rows() {
    let scene = scene().await;
    let (empty, one) = (RuleBook::default(), releases::book(&[]));
    scene.store.save_draft(Edit { from: &empty, to: &one }, &author(0)).await.unwrap();
    scene.store.close().await;
    let again = Store::open(&url(&scene.directory)).await.unwrap();
    assert_eq!(again.outbox_after(0, 10).await.unwrap().len(), 4);
}
