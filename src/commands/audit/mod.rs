//! `cedargate audit …`: the log on the command line, one file per verb.

pub mod accept;
pub mod erase;
pub mod export;
pub mod prove;
pub mod rotate_key;
pub mod show;
pub mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::settings;
use crate::config::{self, Config};
use crate::groups::Groups;
use crate::model::group::GroupNames;
use crate::model::query::Known;
use crate::model::record::{Actor, LogUseKind};
use crate::model::time::{Clock, Timestamp};
use crate::store::{Author, Change, Store};

/// What can be done with the log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// One record, as it was written
    #[command(after_help = "Example: cedargate audit show 0v9k3m2q-1182")]
    Show(show::Options),
    /// Check that nothing was changed, removed or added
    #[command(
        after_help = "Example: cedargate audit verify --checkpoint /mnt/anchors/cedargate.txt\n\nExit code 0: intact, 1: tampered with, 2: can't tell."
    )]
    Verify(verify::Options),
    /// Take records away: as evidence that can be checked, or for a spreadsheet
    #[command(
        after_help = "Example: cedargate audit export 'route:payroll/* at:-30d' --output payroll.jsonl"
    )]
    Export(export::Options),
    /// Prove to a third party that a record is in the log (C2SP tlog-proof)
    #[command(after_help = "Example: cedargate audit prove 0v9k3m2q-1182 > 1182.tlog-proof")]
    Prove(prove::Options),
    /// Go on behind a log that is not what it was, such as a restored backup; all sessions end
    #[command(
        after_help = "Example: cedargate audit accept --reason \"Restored the backup of Monday\""
    )]
    Accept(accept::Options),
    /// Forget a person: blank what the log holds about them, and leave the hashes
    #[command(
        after_help = "Example: cedargate audit erase --user 1111…5555.6666…0000 --reason \"Request 2026-17\""
    )]
    Erase(erase::Options),
    /// Let another key sign the log from here on; the gate must not run
    #[command(after_help = "Example: cedargate audit rotate-key")]
    RotateKey(rotate_key::Options),
}

/// Where the log is.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The settings file; `cedargate.toml` in this folder where it exists
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Settings {
    fn read(&self) -> Result<Config> {
        settings(self.config.as_deref())
    }

    /// Leaves on record that somebody used the log from here.
    async fn note(&self, how: LogUseKind, detail: serde_json::Value) -> Result<()> {
        let store = Store::open(&self.read()?.database_url).await?;
        let by = Actor::Operator(config::system_user()).to_string();
        let author = Author { by, at: Clock::System.now() };
        let (action, object) = (how.kind().to_owned(), "log".to_owned());
        let done = Change { action, object, before: serde_json::Value::Null, after: detail };
        store.note(&author, done).await?;
        store.close().await;
        Ok(())
    }
}

/// What queries are read against: the present, and the names of groups.
struct Book {
    now: Timestamp,
    names: GroupNames,
}

impl Book {
    async fn open(config: &Config) -> Result<Self> {
        let store = Store::open(&config.database_url).await?;
        let live = store.live().await?;
        let told = live.map(|live| live.rule_book.group_names).unwrap_or_default();
        let now = Clock::System.now();
        let book = Groups::load(&store, now).await?;
        store.close().await;
        Ok(Self { now, names: book.names(&told) })
    }
}

impl Known for Book {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn group_names(&self, id: &str) -> Vec<String> {
        let name = id.parse().ok().and_then(|id| self.names.name(&id).map(str::to_owned));
        name.into_iter().collect()
    }
}

/// Does it.
///
/// # Errors
/// As each verb says.
pub async fn run(verb: &Audit) -> Result<ExitCode> {
    match verb {
        Audit::Show(options) => show::run(options).await,
        Audit::Verify(options) => verify::run(options).await,
        Audit::Export(options) => export::run(options).await,
        Audit::Prove(options) => prove::run(options).await,
        Audit::Accept(options) => accept::run(options).await,
        Audit::Erase(options) => erase::run(options).await,
        Audit::RotateKey(options) => rotate_key::run(options).await,
    }
}
