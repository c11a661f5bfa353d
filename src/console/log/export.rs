//! Taking records away: exactly what was found, streamed, and on record.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use axum::response::Response;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::asking::{Address, Asked, List};
use crate::audit::export::{self, Format, Manifest};
use crate::audit::verify::Unable;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::streamed::{self, PIECE, Pipe};
use crate::model::id::Subject;
use crate::model::query::{Present, Query};
use crate::model::record::LogUseKind;
use crate::store::audit::LogCopy;
use crate::store::{Author, Change};

/// The form, as it was sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    q: String,
    range: String,
    format: FormatEntry,
}

/// As which file, in forms.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::console) enum FormatEntry {
    /// JSON Lines, with everything that proves them.
    Jsonl,
    /// Comma-separated values.
    #[default]
    Csv,
}

impl From<FormatEntry> for Format {
    fn from(entry: FormatEntry) -> Self {
        match entry {
            FormatEntry::Jsonl => Self::Jsonl,
            FormatEntry::Csv => Self::Csv,
        }
    }
}

/// Answers with a file of the decisions that match.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: Entry = asked.form().await?;
    let address = Address { q: entry.q, range: entry.range, ..Address::default() };
    let wanted = Asked::read(&address, List::Requests)
        .map_err(|_wrong| Box::new(asked.said().unreadable()))?;
    taken(console, &asked, (wanted.query(), entry.format.into(), "decisions")).await
}

/// A file of what a query finds.
pub(in crate::console) async fn taken(
    console: Arc<Console>,
    asked: &Admitted,
    (query, format, name): (Query, Format, &str),
) -> Result<Response, Box<Response>> {
    let by = asked.caller.principal.subject().cloned().ok_or_else(|| Box::new(asked.no_page()))?;
    let shown = asked.shown(&console).await?;
    let known = Present { now: asked.exchange.at, names: shown.names };
    let (kind, ending) = match format {
        Format::Jsonl => ("application/jsonl", "jsonl"),
        Format::Csv => (CSV, "csv"),
    };
    let stamp = stamp(asked);
    let name = format!("{name}_v{}_{stamp}.{ending}", export::CSV_VERSION);
    let job = Job { console, query, known, format, by };
    let runtime = tokio::runtime::Handle::current();
    Ok(streamed::file((&name, kind), move |pipe| runtime.block_on(job.run(pipe))))
}

/// The type of comma-separated values.
pub(in crate::console) const CSV: &str = "text/csv; charset=utf-8; header=present";

/// The moment of a request, for the name of a file.
pub(in crate::console) fn stamp(asked: &Admitted) -> String {
    asked.exchange.at.to_jiff().strftime("%Y-%m-%dT%H%M%SZ").to_string()
}

/// An export under way.
struct Job {
    console: Arc<Console>,
    query: Query,
    known: Present,
    format: Format,
    by: Subject,
}

impl Job {
    async fn run(self, pipe: Pipe) {
        let mut out = BufWriter::with_capacity(PIECE, pipe.clone());
        let done = self.write(&mut out).await;
        let detail = match &done {
            Ok(manifest) => detail(manifest),
            // What went out until then is on record as well.
            Err(_) => serde_json::json!({ "query": self.query.to_string(), "cut_off": true }),
        };
        drop(out);
        if let Err(error) = &done {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "An export of the log broke off."
            );
        }
        if self.note(detail).await.is_err() || done.is_err() {
            pipe.break_off();
        }
    }

    async fn write(&self, out: &mut impl Write) -> Result<Manifest, Unable> {
        let mut copy = LogCopy::open(self.console.searcher.log()).await?;
        let asked = (&self.query, &self.known);
        export::export(&mut copy, asked, (self.format, out), |_| {}).await
    }

    async fn note(&self, detail: serde_json::Value) -> Result<(), crate::store::StoreError> {
        let author = Author { by: self.by.to_string(), at: self.console.clock.now() };
        let change = Change {
            action: LogUseKind::Exported.kind().to_owned(),
            object: "log".to_owned(),
            before: serde_json::Value::Null,
            after: detail,
        };
        let noted = self.console.store.note(&author, change).await;
        if let Err(error) = &noted {
            tracing::error!(error = %error, "An export of the log could not be recorded.");
        }
        self.console.doorkeeper.audit.changes_made();
        noted
    }
}

fn detail(manifest: &Manifest) -> serde_json::Value {
    let Manifest { format, query, records, first, last, sha256, .. } = manifest;
    serde_json::json!({
        "format": format, "query": query, "records": records, "first": first, "last": last, "sha256": sha256,
    })
}
