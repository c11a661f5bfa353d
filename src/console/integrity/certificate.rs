//! What a check of the log found, for printing: with everything that it takes to repeat it elsewhere.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use super::told::{CheckRow, command, key_id, took};
use super::verdict::{releases, unended};
use crate::audit::verify::{Answer, OriginVerdict, Verdict};
use crate::console::Console;
use crate::console::answers::Answer as Answered;
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::log::checked::Check;
use crate::console::log::fact::Fact;
use crate::console::log::told::Names;
use crate::console::printed::PrintHead;
use crate::console::sections::Section;
use crate::console::urls;
use crate::console::words::grouped;
use crate::model::id::DecisionId;
use crate::store::StoreError;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

/// What a check found.
#[derive(Debug, Clone, Template)]
#[template(path = "console/integrity/certificate.html")]
pub struct CertificatePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The page about the log.
    pub up: Link,
    /// What is printed above it.
    pub head: PrintHead,
    /// What it found.
    pub verdict: Notice,
    /// The check itself.
    pub facts: Vec<Fact>,
    /// What holds of each log, oldest first.
    pub logs: Vec<Vec<Fact>>,
    /// What it does not say.
    pub limits: String,
    /// The same check, without this gate.
    pub command: String,
}

/// Answers with what the check found whose record this is.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answered {
    let nothing = || Box::new(asked.no_page());
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let id: DecisionId = asked.param("check").parse().map_err(|_| nothing())?;
    let line = console.reader.record(id).await.map_err(failed)?;
    let check = line.and_then(Check::of).ok_or_else(nothing)?;
    let shown = asked.shown(&console).await?;
    let known = known(&console).await.map_err(failed)?;
    let names = Names { shown: &shown, known: &known };
    let page = CertificatePage {
        frame: shown.framed(asked.frame("Certificate", Section::Integrity)?),
        up: urls::integrity(),
        head: PrintHead::new(&console, &asked, ("Integrity of the audit log", Vec::new())),
        verdict: verdict(&check),
        facts: facts(&check, names),
        logs: check.verdict.logs.iter().map(of_log).collect(),
        limits: limits(&check.verdict),
        command: command(check.verdict.logs.first().map_or("", |log| log.key.as_str())),
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn verdict(check: &Check) -> Notice {
    let finding = check.verdict.finding.clone().unwrap_or_default();
    let (tone, text) = match check.verdict.result {
        Answer::Intact if check.verdict.accepted.is_empty() => {
            (Tone::Good, "Verified. Nothing was changed, removed or added.".to_owned())
        }
        Answer::Intact => {
            let losses: Vec<_> = check.verdict.accepted.iter().map(|loss| unended(loss)).collect();
            let losses = losses.join("; and ");
            (Tone::Careful, format!("Verified, but for what was accepted as lost: {losses}."))
        }
        Answer::Tampered => (Tone::Bad, format!("Broken: {finding}.")),
        Answer::Unknown => (Tone::Careful, format!("It can't be told: {finding}.")),
        Answer::Cancelled => (Tone::Plain, "The check was ended before it was done.".to_owned()),
    };
    Notice { tone, text }
}

fn facts(check: &Check, names: Names<'_>) -> Vec<Fact> {
    let row = CheckRow::of(check, names);
    let verdict = &check.verdict;
    vec![
        Fact::prose("Checked", &row.at.full()),
        Fact::prose("Asked for by", &row.who.name),
        Fact::prose("Records read", &row.read),
        Fact::prose("Compared with", &compared(verdict)),
        Fact::prose("Releases compared", &releases_compared(verdict)),
        Fact::prose("Took", &took(verdict.took_ms)),
        Fact::prose("Program", &format!("Cedargate {}", verdict.version)),
        Fact::code("Record of the check", &check.line.id.to_string()),
    ]
}

/// `The mark beside the key, and 1 checkpoint of an anchor file`
fn compared(verdict: &Verdict) -> String {
    let elsewhere = match verdict.elsewhere() {
        0 => "no checkpoint kept elsewhere".to_owned(),
        1 => "1 checkpoint of an anchor file".to_owned(),
        all => format!("{} checkpoints of an anchor file", grouped(all)),
    };
    match verdict.beside_key {
        0 => elsewhere.replacen("no", "No", 1),
        _ => format!("The mark beside the key, and {elsewhere}"),
    }
}

/// `Yes. The 3 releases that decided are kept as published.`
fn releases_compared(verdict: &Verdict) -> String {
    let is_compared = verdict.releases.is_some() || verdict.lost_release.is_some();
    format!("{}. {}", if is_compared { "Yes" } else { "No" }, releases(verdict))
}

fn of_log(log: &OriginVerdict) -> Vec<Fact> {
    let last = log.records.saturating_sub(1);
    let time = |at: &Option<String>| at.clone().unwrap_or_default();
    let mut facts = vec![
        Fact::code("Records", &format!("{0}-{1} to {0}-{last}", log.origin, log.first)),
        Fact::prose("Made", &format!("{} to {}", time(&log.from), time(&log.to))),
        Fact::code("Root over all of them", &log.root),
        Fact::code("Key that signed", &key_id(&log.key)),
        Fact::code("The whole key", &log.key),
    ];
    facts.retain(|fact| !fact.value.is_empty());
    facts
}

/// What does not follow where no checkpoint was kept elsewhere.
const NO_END: &str = "Whether records at the end were removed together with what vouched for them can't be told without a checkpoint that was kept elsewhere.";

/// What follows from it, and what does not.
fn limits(verdict: &Verdict) -> String {
    match verdict.result {
        Answer::Intact => intact_limits(verdict),
        Answer::Tampered | Answer::Unknown | Answer::Cancelled => {
            "This says nothing good of the log. The command below repeats the check on a copy."
                .to_owned()
        }
    }
}

fn intact_limits(verdict: &Verdict) -> String {
    let is_whole = verdict.accepted.is_empty();
    let vouched = if is_whole {
        "Each record is what was written, in its place, and signed checkpoints vouch for all of them."
    } else {
        "Each record that is here is what was written, in its place, and signed checkpoints vouch for it. What was accepted as lost is not among them: nothing here vouches for it."
    };
    let end = match (verdict.elsewhere(), is_whole) {
        (0, _) => NO_END,
        (_, true) => "Those of an anchor file say the same.",
        (_, false) => "Those of an anchor file say the same, but for what was accepted as lost.",
    };
    let said = format!("{vouched} {end}");
    if verdict.releases.is_none() { format!("{said} {}", releases(verdict)) } else { said }
}
