//! `cedargate audit search`: finds records, newest first.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{Settings, present};
use crate::model::id::DecisionId;
use crate::model::query::{Evidence, Present, Query};
use crate::model::record::{LogUseKind, RecordLine};
use crate::store::audit::search::{Counts, Exactness, Found, Period, Searcher, Wanted};
use crate::store::audit::{self as file};

/// What is looked for.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct Options {
    /// Which records, as in `effect:deny route:payroll/* at:-7d`; all of them when nothing is asked
    #[arg(value_name = "QUERY", default_value = "", allow_hyphen_values = true)]
    query: Query,
    /// At most this many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only what is older than this record
    #[arg(long, value_name = "ID")]
    before: Option<DecisionId>,
    /// Exactly what was written, a line for each record
    #[arg(long, conflicts_with = "count")]
    json: bool,
    /// How many there are in each minute, hour or day, instead of the records
    #[arg(long, value_enum, value_name = "PERIOD", conflicts_with = "before")]
    count: Option<Every>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Every {
    Minute,
    Hour,
    Day,
}

impl From<Every> for Period {
    fn from(every: Every) -> Self {
        match every {
            Every::Minute => Self::Minute,
            Every::Hour => Self::Hour,
            Every::Day => Self::Day,
        }
    }
}

/// Searches.
///
/// # Errors
/// When the log can't be read.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let config = options.settings.read()?;
    let known = present(&config).await?;
    let searcher = Searcher::new(&file::path(&config.audit.database_url)?);
    let query = options.query.clone();
    let detail = serde_json::json!({ "query": query.to_string() });
    match options.count {
        Some(every) => tell_counts(&searcher.count(query, known, every.into()).await?),
        None => list(&searcher, options, known).await?,
    }
    options.settings.note(LogUseKind::Read, detail).await?;
    Ok(ExitCode::SUCCESS)
}

/// Reads on until there are as many as were asked for, or no more.
#[expect(clippy::print_stderr, reason = "standard output is the records'")]
async fn list(searcher: &Searcher, options: &Options, known: Present) -> Result<()> {
    let (mut before, mut left) = (options.before, usize::try_from(options.limit)?);
    loop {
        let query = options.query.clone();
        let wanted = Wanted { query, known: known.clone(), before, after: None, limit: left };
        let Found { lines, older, .. } = searcher.find(wanted).await?;
        lines.iter().try_for_each(|line| tell(line, options))?;
        left = left.saturating_sub(lines.len());
        before = older;
        match older {
            Some(_) if left > 0 => {}
            Some(older) => {
                eprintln!("There may be more: --before {older}");
                return Ok(());
            }
            None => return Ok(()),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the records are what this command says")]
fn tell(line: &RecordLine, options: &Options) -> Result<()> {
    if options.json {
        println!("{}", line.body);
    } else {
        println!("{}", told(line)?);
    }
    Ok(())
}

/// A record in one line.
fn told(line: &RecordLine) -> Result<String> {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (body, who) = (json(&line.body), json(line.principal.as_deref().unwrap_or_default()));
    let mut text = format!("{}  {:12}", line.at, line.id);
    let RecordLine { id, at, kind, .. } = line;
    let (said, nobody) = ((&body).into(), serde_json_borrow::Value::Null);
    let record = Evidence { id: *id, at: *at, kind, body: &said, principal: &nobody };
    let effect = record.effect().map_or(kind.as_str(), |effect| effect.as_str());
    write!(text, "  {effect:8}")?;
    let field = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(printable);
    for value in ["method", "host", "path"].iter().filter_map(|name| field(&body, name)) {
        write!(text, "  {value}")?;
    }
    let names = ["user_name", "client"].iter().find_map(|name| field(&who, name));
    let reasons = ["reason", "refusal", "cause"].iter().find_map(|name| field(&body, name));
    for value in names.iter().chain(&reasons) {
        write!(text, "  {value}")?;
    }
    Ok(text)
}

/// What came from a request may hold what a terminal obeys.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the counts are what this command says"
)]
fn tell_counts(counts: &Counts) {
    println!("{:24} {:>9} {:>9} {:>9} {:>9}", "from (UTC)", "all", "allowed", "denied", "refused");
    for one in &counts.counted {
        let at = one.start.to_string();
        println!("{at:24} {:>9} {:>9} {:>9} {:>9}", one.all, one.allowed, one.denied, one.refused);
    }
    if counts.exactness == Exactness::AtMost {
        eprintln!("These are upper bounds: a condition of the query is too wide for the index.");
    }
}
