//! `cedargate audit replay`: decides recorded decisions again, under their own releases or under other rules.

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::super::placing::by_file;
use super::Settings;
use crate::app::terms;
use crate::authz::compile::compile;
use crate::authz::snapshot::Snapshot;
use crate::config::Config;
use crate::model::id::ReleaseNumber;
use crate::model::record::LogUseKind;
use crate::model::time::Instant;
use crate::replay::{Against, Check, Impact, Releases, Replay, Scope, Trial};
use crate::rule_files;
use crate::store::Store;
use crate::store::audit as file;

/// What is decided again, and under which rules.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct Options {
    /// Under this release, instead of the one that decided
    #[arg(long, value_name = "N", group = "other")]
    release: Option<i64>,
    /// Under the rules in this folder
    #[arg(long, value_name = "DIR", group = "other")]
    draft: Option<PathBuf>,
    /// Under the draft in the database
    #[arg(long, group = "other")]
    draft_in_work: bool,
    /// What answers under other rules are compared with: those on record, or those of the live release
    #[arg(long, value_enum, default_value = "recorded", requires = "other")]
    compare_with: Baseline,
    /// Not before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: Option<Instant>,
    /// Only before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Instant>,
    /// At most so many decisions, spread evenly; the same ones each time
    #[arg(long, value_name = "N")]
    sample: Option<NonZeroU64>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Baseline {
    Recorded,
    Live,
}

/// Decides again; exit code 0: no difference, 1: a difference, 2: can't tell.
///
/// # Errors
/// When the log can't be read, or the other rules are not there or don't compile.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let config = options.settings.read()?;
    let store = Store::open(&config.database_url).await?;
    let answer = answer(options, &config, &store).await;
    store.close().await;
    let answer = answer?;
    options.settings.note(LogUseKind::Replayed, answer.detail(options)).await?;
    answer.tell(options)
}

async fn answer(options: &Options, config: &Config, store: &Store) -> Result<Answer> {
    let mut releases = Releases::new(store.clone(), terms(config));
    let trial = trial(options, (config, store), &mut releases).await?;
    let scope = Scope {
        from: options.from.map(|Instant(at)| at),
        to: options.to.map(|Instant(at)| at),
        sample: options.sample,
    };
    let replay = Replay::open(&file::path(&config.audit.database_url)?, scope).await?;
    let answer = match trial {
        None => Answer::Check(Box::new(replay.check(releases, progress()).await?)),
        Some(trial) => Answer::Impact(Box::new(replay.measure(trial, progress()).await?)),
    };
    Ok(answer)
}

/// The other rules that were named.
async fn trial(
    options: &Options,
    (config, store): (&Config, &Store),
    releases: &mut Releases,
) -> Result<Option<Trial>> {
    let Some(rules) = rules(options, (config, store), releases).await? else { return Ok(None) };
    let against = match options.compare_with {
        Baseline::Recorded => Against::Record,
        Baseline::Live => {
            let live = releases.get(store.live_number().await?).await;
            Against::Rules(live.map_err(|why| anyhow!(why))?)
        }
    };
    Ok(Some(Trial { rules, against }))
}

async fn rules(
    options: &Options,
    (config, store): (&Config, &Store),
    releases: &mut Releases,
) -> Result<Option<Arc<Snapshot>>> {
    let next = ReleaseNumber(store.live_number().await?.0.saturating_add(1));
    let rules = if let Some(number) = options.release {
        releases.get(ReleaseNumber(number)).await
    } else if let Some(dir) = &options.draft {
        let (book, places) = rule_files::read_with_places(dir)?;
        let compiled = compile(&book, next, &terms(config));
        Ok(Arc::new(compiled.map_err(|error| by_file(&error, &places))?))
    } else if options.draft_in_work {
        let draft = releases.compiled(store.draft().await?, next).await;
        draft.map_err(|why| format!("the draft is not fit to be tried: {why}"))
    } else {
        return Ok(None);
    };
    rules.map(Some).map_err(|why| anyhow!(why))
}

/// What came of it.
enum Answer {
    Check(Box<Check>),
    Impact(Box<Impact>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Same,
    Differs,
    Unknown,
}

impl Answer {
    fn outcome(&self) -> Outcome {
        let (same, untold) = match self {
            Self::Check(check) => (check.differing == 0, check.untold.count),
            Self::Impact(impact) => (impact.is_none(), impact.untold.count),
        };
        match (same, untold) {
            (false, _) => Outcome::Differs,
            (true, 0) => Outcome::Same,
            (true, _) => Outcome::Unknown,
        }
    }

    /// What is kept on record of it.
    fn detail(&self, options: &Options) -> serde_json::Value {
        let (decided, untold) = match self {
            Self::Check(check) => (check.decided, check.untold.count),
            Self::Impact(impact) => (impact.decided, impact.untold.count),
        };
        let draft = options.draft.as_ref().map(|dir| dir.display().to_string());
        serde_json::json!({
            "result": self.outcome(), "decided": decided, "untold": untold, "release": options.release,
            "draft": draft, "draft_in_work": options.draft_in_work, "from": options.from, "to": options.to,
            "sample": options.sample,
        })
    }

    #[expect(clippy::print_stdout, reason = "the answer is what this command says")]
    fn tell(&self, options: &Options) -> Result<ExitCode> {
        let outcome = self.outcome();
        if options.json {
            let report = match self {
                Self::Check(check) => serde_json::to_value(check)?,
                Self::Impact(impact) => serde_json::to_value(impact)?,
            };
            let answer = serde_json::json!({ "result": outcome, "report": report });
            println!("{}", serde_json::to_string_pretty(&answer)?);
        } else {
            let lines = match self {
                Self::Check(check) => check.lines(),
                Self::Impact(impact) => in_words(impact, options),
            };
            println!("{}", lines.join("\n"));
        }
        Ok(match outcome {
            Outcome::Same => ExitCode::SUCCESS,
            Outcome::Differs => ExitCode::from(1),
            Outcome::Unknown => ExitCode::from(2),
        })
    }
}

fn in_words(impact: &Impact, options: &Options) -> Vec<String> {
    let mut lines = impact.lines(usize::MAX);
    let against = match options.compare_with {
        Baseline::Recorded => "the verdicts on record",
        Baseline::Live => "the live release",
    };
    let none = if impact.is_none() { ": nobody gains or loses" } else { "" };
    lines.push(format!("{} decisions compared with {against}{none}", impact.decided));
    if impact.pages > 0 {
        lines.push(format!(
            "{} on the console and the portal were left out: no release decides on those",
            impact.pages
        ));
    }
    if impact.erased > 0 {
        lines.push(format!("{} were erased; there is nothing to decide on", impact.erased));
    }
    lines
}

/// Shows how far a long replay is, on a terminal.
fn progress() -> impl FnMut(u64) {
    let shown = std::io::stderr().is_terminal();
    let mut next = 20_000;
    move |count| {
        if shown && count >= next {
            next = count.saturating_add(20_000);
            // Nobody depends on it.
            let _ = write!(std::io::stderr(), "\r{count} decisions read");
        }
    }
}
