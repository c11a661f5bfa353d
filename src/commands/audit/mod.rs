//! `cedargate audit …`: the log on the command line, one file per verb.

pub mod accept;
pub mod erase;
pub mod export;
mod kept;
pub mod prove;
pub mod replay;
pub mod rotate_key;
pub mod search;
pub mod show;
pub mod verify;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::settings;
use crate::config::{self, Config};
use crate::groups::Groups;
use crate::model::query::Present;
use crate::model::record::{Actor, LogUseKind};
use crate::model::time::Clock;
use crate::store::{Author, Change, Store};

/// What can be done with the log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// One record, as it was written
    #[command(after_help = "Example: cedargate audit show 0v9k3m2q-1182")]
    Show(show::Options),
    /// Find records, newest first
    #[command(
        after_help = "Example: cedargate audit search 'effect:deny group:Finance at:-1d'\n\nKeys: kind, effect, user, group, role, route, app, host, path, method, reason, policy, grant, release, ip, mfa, session, request, id, door, ms, at. A word alone is part of a path, a route or a name; -key:value turns a condition around; a,b is either; fin* begins so; /finance/** is the path and what is below it."
    )]
    Search(search::Options),
    /// Check that nothing was changed, removed or added
    #[command(
        after_help = "Example: cedargate audit verify --checkpoint /mnt/anchors/cedargate.txt\n\nExit code 0: intact, or but for losses that were accepted, 1: tampered with, 2: can't tell."
    )]
    Verify(verify::Options),
    /// Take records away: as evidence that can be checked, or for a spreadsheet
    #[command(
        after_help = "Example: cedargate audit export 'route:payroll/* at:-30d' --output payroll.jsonl"
    )]
    Export(export::Options),
    /// Decide recorded decisions again: whether each falls the same, or who would gain or lose under other rules
    #[command(
        after_help = "Example: cedargate audit replay --draft rules/ --from 2026-11-01T00:00:00Z\n\nExit code 0: no difference, 1: a difference, 2: can't tell."
    )]
    Replay(replay::Options),
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
        store.note(&author, log_use(how, detail)).await?;
        store.close().await;
        Ok(())
    }
}

/// That somebody used the log, as the outbox keeps it.
pub(super) fn log_use(how: LogUseKind, detail: serde_json::Value) -> Change {
    let (action, object) = (how.kind().to_owned(), "log".to_owned());
    Change { action, object, before: serde_json::Value::Null, after: detail }
}

/// What queries are read against.
///
/// # Errors
/// When the rules can't be read.
async fn present(config: &Config) -> Result<Present> {
    let store = Store::open(&config.database_url).await?;
    let live = store.live().await?;
    let told = live.map(|live| live.rule_book.group_names).unwrap_or_default();
    let now = Clock::System.now();
    let names = Groups::load(&store, now).await?.names(&told);
    store.close().await;
    Ok(Present { now, names })
}

/// Does it.
///
/// # Errors
/// As each verb says.
pub async fn run(verb: &Audit) -> Result<ExitCode> {
    match verb {
        Audit::Show(options) => show::run(options).await,
        Audit::Search(options) => search::run(options).await,
        Audit::Verify(options) => verify::run(options).await,
        Audit::Export(options) => export::run(options).await,
        Audit::Prove(options) => prove::run(options).await,
        Audit::Replay(options) => Box::pin(replay::run(options)).await,
        Audit::Accept(options) => accept::run(options).await,
        Audit::Erase(options) => erase::run(options).await,
        Audit::RotateKey(options) => rotate_key::run(options).await,
    }
}
