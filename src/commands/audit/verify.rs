//! `cedargate audit verify`: checks the log, a copy of it, an export or a proof, and says what is wrong where.

use std::fs::File;
use std::io::{BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::Settings;
use super::kept::kept;
use crate::app::places;
use crate::audit::checkpoint::parse_verifier_key;
use crate::audit::proof::Proof;
use crate::audit::verify::copy::{self, Outcome};
use crate::audit::verify::{
    Accepted, Finding, OriginReport, Report, Trust, Unable, Verdict, export, releases,
};
use crate::keys::{Keys, LogPublicKey};
use crate::model::record::LogUseKind;
use crate::model::time::Clock;
use crate::store::audit::{self as file, LogCopy};

/// What is checked, and with what.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct Options {
    /// A copy of the audit database instead of the one that the settings lead to
    #[arg(long, value_name = "FILE", conflicts_with_all = ["export", "proof"])]
    database: Option<PathBuf>,
    /// An export in JSON Lines
    #[arg(long, value_name = "FILE", conflicts_with = "proof")]
    export: Option<PathBuf>,
    /// A proof of one record, as `audit prove` makes it
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Checkpoints that were kept elsewhere: an anchor file, or lines of the process's log; may be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// A copy of cedargate.db, which must have the releases that records name; the gate's own is at hand without
    #[arg(long, value_name = "FILE", conflicts_with = "proof")]
    releases: Option<PathBuf>,
    /// The log's public key, as the gate printed it; without one, that of the key directory; may be given several times
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

impl Options {
    /// Whether it is the log that the settings lead to.
    fn is_of_the_gate(&self) -> bool {
        self.export.is_none() && self.database.is_none() && self.proof.is_none()
    }
}

/// Checks; exit code 0: intact, 1: tampered with, 2: can't tell.
///
/// # Errors
/// When it can't be told: nothing to read, no key, an unreadable checkpoint.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let trust = Trust { keys: keys(options)?, checkpoints: checkpoints(options)? };
    if let Some(path) = &options.proof {
        return proof(path, &trust.keys);
    }
    let begun = Clock::System.passed();
    let outcome = checked(options, trust).await?;
    if options.is_of_the_gate() {
        let verdict = Verdict::of(&outcome, Clock::System.passed().saturating_sub(begun));
        let beside_key = places(&options.settings.read()?).in_mark()?.notes.len();
        let verdict = verdict.with_beside_key(beside_key as u64);
        options.settings.note(LogUseKind::Verified, serde_json::to_value(verdict)?).await?;
    }
    tell(&outcome?, options)
}

/// How it ended is the inner result: the outer one says that there is nothing to check.
async fn checked(options: &Options, trust: Trust) -> Result<Result<Outcome, Unable>> {
    let outcome = if let Some(path) = &options.export {
        let lines = File::open(path)
            .with_context(|| format!("can't read the export `{}`", path.display()))?;
        export::check(BufReader::with_capacity(1 << 20, lines), trust, progress("lines"))
    } else {
        let mut log = LogCopy::open(&database(options)?).await?;
        copy::check(&mut log, trust, progress("records")).await
    };
    Ok(match (outcome, rules(options)?) {
        (Ok(outcome), Some(file)) => releases::compare(outcome, &file).await,
        (outcome, _) => outcome,
    })
}

/// The database of rules, where one is at hand.
fn rules(options: &Options) -> Result<Option<PathBuf>> {
    match &options.releases {
        Some(path) => Ok(Some(path.clone())),
        None if options.is_of_the_gate() => {
            Ok(Some(file::path(&options.settings.read()?.database_url)?))
        }
        None => Ok(None),
    }
}

fn database(options: &Options) -> Result<PathBuf> {
    match &options.database {
        Some(path) => Ok(path.clone()),
        None => Ok(file::path(&options.settings.read()?.audit.database_url)?),
    }
}

fn keys(options: &Options) -> Result<Vec<LogPublicKey>> {
    if options.key.is_empty() {
        let directory = options.settings.read()?.keys.directory;
        let key = Keys::existing_log(&directory)?;
        let key = key.with_context(|| {
            format!(
                "`{}` holds no key of a log; give the public key that the gate printed at its start with --key",
                directory.display()
            )
        })?;
        return Ok(vec![key.public()]);
    }
    let read = |text: &String| {
        let read = parse_verifier_key(text).map(|(_, key)| key);
        read.with_context(|| format!("`{text}` is not a key of a log (cedargate/audit/…+…+…)"))
    };
    options.key.iter().map(read).collect()
}

/// Those that were given; of the gate's own log also what it told the places at hand.
fn checkpoints(options: &Options) -> Result<Vec<String>> {
    let mut all = Vec::new();
    if options.is_of_the_gate() {
        all.extend(places(&options.settings.read()?).notes()?);
    }
    all.extend(kept(&options.checkpoint)?);
    Ok(all)
}

/// Shows how far a long check is, on a terminal.
pub(super) fn progress(what: &'static str) -> impl FnMut(u64) {
    let shown = std::io::stderr().is_terminal();
    let mut next = 500_000;
    move |count| {
        if shown && count >= next {
            next = count.saturating_add(500_000);
            // Nobody depends on it.
            let _ = write!(std::io::stderr(), "\r{count} {what} checked");
        }
    }
}

#[expect(clippy::print_stdout, reason = "the answer is what this command says")]
fn tell(outcome: &Outcome, options: &Options) -> Result<ExitCode> {
    let (code, word) = match outcome {
        Outcome::Tampered(_) => (1, "tampered"),
        Outcome::Intact(report) if !report.uncompared.is_empty() => (2, "unknown"),
        // Nothing is wrong, and yet not all is there.
        Outcome::Intact(report) if !report.accepted.is_empty() => (0, "accepted_losses"),
        Outcome::Intact(_) => (0, "intact"),
    };
    if options.json {
        let answer = match outcome {
            Outcome::Intact(report) => serde_json::json!({ "result": word, "report": report }),
            Outcome::Tampered(finding) => {
                serde_json::json!({ "result": word, "finding": in_json(finding) })
            }
        };
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        match outcome {
            Outcome::Intact(report) => print!("{}", in_words(report)),
            Outcome::Tampered(finding) => println!("Tampered with: {finding}."),
        }
    }
    Ok(ExitCode::from(code))
}

fn in_json(finding: &Finding) -> serde_json::Value {
    let Finding { origin, first, last, after, cause } = finding;
    serde_json::json!({
        "origin": origin.to_string(), "first": first, "last": last, "after": after, "cause": cause.to_string(),
    })
}

fn in_words(report: &Report) -> String {
    let mut lines: Vec<String> = report.origins.iter().map(one_log).collect();
    for point in &report.uncompared {
        lines.push(format!(
            "Can't tell: the checkpoint over {point} could not be compared, because these records are not here."
        ));
    }
    lines.extend(report.accepted.iter().map(accepted));
    lines.extend(report.warnings.iter().map(|warning| format!("Warning: {warning}.")));
    if report.uncompared.is_empty() {
        let but =
            if report.accepted.is_empty() { "" } else { ", but for what was accepted as lost" };
        lines.push(format!("Intact{but}."));
    }
    lines.extend(of_releases(report));
    if report.compared == 0 {
        lines.push(
            "Whether records at the end were removed together with what vouched for them can't be told without a checkpoint that was kept elsewhere (--checkpoint)."
                .to_owned(),
        );
    }
    lines.join("\n") + "\n"
}

/// What was lost before, and how much of that is told elsewhere.
fn accepted(accepted: &Accepted) -> String {
    let told = match accepted.checkpoints {
        0 => String::new(),
        1 => " (a checkpoint from outside tells of it)".to_owned(),
        all => format!(" ({all} checkpoints from outside tell of it)"),
    };
    format!("Known loss: {accepted}{told}.")
}

/// What is known of what decided.
fn of_releases(report: &Report) -> Option<String> {
    if report.releases.is_none() {
        return match report.releases_named {
            0 => None,
            named => Some(format!(
                "Whether {} still kept was not checked: that takes a copy of cedargate.db (--releases).",
                named_releases("the", (named, "that records name"))
            )),
        };
    }
    let lost = report.accepted.iter().any(|accepted| !accepted.releases.is_empty());
    let which = if lost { "that records name beside those lost" } else { "that records name" };
    let (own, named) =
        (report.releases_by_own_hash, named_releases("The", (report.releases_named, which)));
    Some(match (report.releases_named, own) {
        (0, _) => "No record names a release that must be kept.".to_owned(),
        (_, 0) => format!("{named} kept as published."),
        (_, own) => format!(
            "{named} kept, {own} of them only as the hash beside the content says: the record of the publication was removed with age."
        ),
    })
}

/// `The release that records name is`, `the 3 releases that records name are`
fn named_releases(the: &str, (count, which): (u64, &str)) -> String {
    match count {
        1 => format!("{the} release {which} is"),
        many => format!("{the} {many} releases {which} are"),
    }
}

pub(super) fn one_log(report: &OriginReport) -> String {
    let OriginReport { origin, first, records, read, blanked, checkpoints, key, .. } = report;
    let span = match (&report.from, &report.to) {
        (Some(from), Some(to)) => format!(", {from} to {to}"),
        _ => String::new(),
    };
    let mut parts = vec![
        format!("{origin}: {}, {read} read{span}", counted(*records, ("record", "records"))),
        counted(*checkpoints, ("checkpoint holds", "checkpoints hold")),
    ];
    let rest = [
        (*first, ("removed with age", "removed with age")),
        (*blanked, ("erased", "erased")),
        (report.crashes, ("start after a crash", "starts after a crash")),
    ];
    let rest = rest.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(rest.map(|(count, words)| counted(count, words)));
    let begun = report.restored.as_ref();
    parts.extend(begun.map(|reason| format!("begun behind another log: {reason}")));
    format!("{}\n  signed by {key}", parts.join("; "))
}

/// `1 checkpoint holds`, `2 checkpoints hold`
fn counted(number: u64, (one, many): (&str, &str)) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[expect(clippy::print_stdout, reason = "the answer is what this command says")]
fn proof(path: &Path, keys: &[LogPublicKey]) -> Result<ExitCode> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read the proof `{}`", path.display()))?;
    let proof = Proof::parse(&text).with_context(|| format!("`{}`", path.display()))?;
    let mut refused = None;
    for key in keys {
        match proof.check(key) {
            Ok(point) => {
                println!("{}", String::from_utf8_lossy(&proof.body));
                println!(
                    "Proven: this is record {}-{}, one of {point}.",
                    point.origin, proof.index
                );
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => refused = Some(error),
        }
    }
    if let Some(error) = refused {
        println!("Not proven: {error}.");
    }
    Ok(ExitCode::from(1))
}
