//! `cedargate audit erase`: forgets a person in the log.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::app::ward;
use crate::audit::upkeep::Upkeep;
use crate::audit::wish::{self, Request};
use crate::audit::{self, AuditError, AuditSettings};
use crate::config::{self, Config};
use crate::model::id::Subject;
use crate::model::record::{Actor, Entry, Event};
use crate::model::time::Clock;
use crate::store::StoreError;
use crate::store::audit::AuditReader;

/// Who is forgotten, and why.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The person: tenant id, a dot, and object id
    #[arg(long, value_name = "ID")]
    user: Subject,
    /// Why: it stays in the log, so it must not name the person
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    settings: Settings,
}

/// How long a running gate may take; it goes on after that.
const PATIENCE: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Asks for it, and waits until the running gate has done it; without one it is done here.
///
/// # Errors
/// When the log can't be opened, or the gate does not do it in time.
#[expect(clippy::print_stdout, reason = "what was done is what this command says")]
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let reason = options.reason.trim();
    ensure!(!reason.is_empty() && reason.len() <= 1_000, "--reason: 1 to 1,000 characters");
    let config = options.settings.read()?;
    let reader = AuditReader::open(&config.audit.database_url).await?;
    let by = Actor::Operator(config::system_user()).to_string();
    let request = Request {
        subject: options.user.clone(),
        reason: reason.to_owned(),
        asked_by: by,
        asked: Clock::System.now(),
    };
    let asked = wish::ask(&reader, ward(&config)?, request).await?;
    if !here(&config).await? {
        wait(&reader, asked.id).await?;
    }
    ensure!(
        !wish::is_left(&reader, &asked).await?,
        "the log still holds something about this person: the wish was not fulfilled; if it was refused, a record of kind `erasure_refused` says so (`cedargate audit search kind:erasure_refused`)"
    );
    println!(
        "All that the log held about this person is gone; numbers and hashes of the records stay, and what came in since."
    );
    Ok(ExitCode::SUCCESS)
}

/// Does it in this process; false when a gate runs, which does it.
async fn here(config: &Config) -> Result<bool> {
    let url = &config.audit.database_url;
    let opened = audit::open(url, AuditSettings::default(), Clock::System, ward(config)?).await;
    let log = match opened {
        Err(AuditError::Open(StoreError::InUse { .. })) => return Ok(false),
        opened => opened?,
    };
    let upkeep = Upkeep::of(&log, url, Clock::System, config.audit.retention)?;
    log.audit.note_ending(log.ending);
    let stop = CancellationToken::new();
    let work = async {
        let done = upkeep.forget_people().await;
        let stopped = log.audit.noted(Entry::Event(Box::new(Event::Stopped))).await;
        stop.cancel();
        done.and(stopped.map(|_receipt| ()))
    };
    let (done, ()) = tokio::join!(work, log.writer.run(stop.clone()));
    done?;
    Ok(true)
}

async fn wait(reader: &AuditReader, wish: i64) -> Result<()> {
    let waiting = async {
        while reader.erasure_waits(wish).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok::<_, StoreError>(())
    };
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(done) => Ok(done?),
        Err(_) => bail!(
            "the running gate has not finished; it goes on, and this command need not be repeated"
        ),
    }
}
