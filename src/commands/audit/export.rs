//! `cedargate audit export`: takes records away, as evidence or for a spreadsheet.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::verify::progress;
use super::{Settings, present};
use crate::audit::export::{self, Manifest};
use crate::audit::verify::Unable;
use crate::model::query::{Comparison, Moment, Query, Range, Sense, Term, What};
use crate::model::record::LogUseKind;
use crate::model::time::Instant;
use crate::store::audit::{self as file, LogCopy};

/// What is exported, and how.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Which records, as in `effect:deny route:payroll/* at:-7d`; all of them when nothing is asked
    #[arg(value_name = "QUERY", default_value = "", allow_hyphen_values = true)]
    query: Query,
    /// JSON Lines, which can be checked, or comma-separated values
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// Not before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: Option<Instant>,
    /// Only before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Instant>,
    /// A new file instead of standard output; its manifest goes beside it, into FILE.manifest.json
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

impl From<Format> for export::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl,
            Format::Csv => Self::Csv,
        }
    }
}

/// Exports. The manifest goes beside the file, or to standard error.
///
/// # Errors
/// When the log can't be read, or the file is there already or can't be written.
#[expect(clippy::print_stderr, reason = "standard output is the export's")]
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let config = options.settings.read()?;
    let query = bounded(options);
    let book = present(&config).await?;
    let mut copy = LogCopy::open(&file::path(&config.audit.database_url)?).await?;
    let asked = (&query, &book);
    let format = options.format.into();
    let made = if let Some(path) = &options.output {
        let mut out = BufWriter::with_capacity(1 << 20, create(path)?);
        export::export(&mut copy, asked, (format, &mut out), progress("records")).await
    } else {
        let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout());
        export::export(&mut copy, asked, (format, &mut out), |_| {}).await
    };
    // One that broke off may have left with much already.
    let told = match &made {
        Ok(manifest) => detail(manifest),
        Err(error) => broken_off(format, &query, error),
    };
    options.settings.note(LogUseKind::Exported, told).await?;
    let manifest = made?;
    let text = serde_json::to_string_pretty(&manifest)?;
    match &options.output {
        Some(path) => beside(path, &text)?,
        None => eprintln!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The query with the bounds that were given beside it.
fn bounded(options: &Options) -> Query {
    let mut query = options.query.clone();
    let bounds = [(Comparison::From, options.from), (Comparison::Below, options.to)];
    for (comparison, at) in bounds {
        query.terms.extend(at.map(|Instant(at)| Term {
            sense: Sense::Is,
            what: What::At(vec![Range::Side(comparison, Moment::At(at))]),
        }));
    }
    query
}

/// A new file that nobody else may read.
fn create(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("can't make the new file `{}`", path.display()))
}

fn beside(path: &Path, manifest: &str) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".manifest.json");
    writeln!(create(Path::new(&name))?, "{manifest}")?;
    Ok(())
}

fn detail(manifest: &Manifest) -> serde_json::Value {
    let Manifest { format, query, records, first, last, sha256, .. } = manifest;
    serde_json::json!({
        "format": format, "query": query, "records": records, "first": first, "last": last, "sha256": sha256,
    })
}

fn broken_off(format: export::Format, query: &Query, error: &Unable) -> serde_json::Value {
    let (query, error) = (query.to_string(), error.to_string());
    serde_json::json!({ "format": format, "query": query, "broken_off": error })
}
