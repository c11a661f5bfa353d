//! Taking decisions away: exactly what was found, streamed, and on record.

use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Sender};

use super::asking::{Address, Asked, List};
use crate::audit::export::{self, Format, Manifest};
use crate::audit::verify::Unable;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::model::id::Subject;
use crate::model::query::{Present, Query};
use crate::model::record::LogUseKind;
use crate::store::audit::LogCopy;
use crate::store::{Author, Change};
use crate::web::fault::seal;

/// Pieces that wait for the browser to take them.
const PIECES: usize = 8;
/// The size of a piece.
const PIECE: usize = 64 * 1024;

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

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormatEntry {
    Jsonl,
    Csv,
}

type Piece = Result<Bytes, std::io::Error>;

/// Answers with a file of the decisions that match.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: Entry = asked.form().await?;
    let address = Address { q: entry.q, range: entry.range, before: String::new() };
    let wanted = Asked::read(&address, List::Requests)
        .map_err(|_wrong| Box::new(asked.said().unreadable()))?;
    let by = asked.caller.principal.subject().cloned().ok_or_else(|| Box::new(asked.no_page()))?;
    let shown = asked.shown(&console).await?;
    let known = Present { now: asked.exchange.at, names: shown.names.clone() };
    let (format, kind, ending) = match entry.format {
        FormatEntry::Jsonl => (Format::Jsonl, "application/jsonl", "jsonl"),
        FormatEntry::Csv => (Format::Csv, "text/csv; charset=utf-8; header=present", "csv"),
    };
    let (pieces, taken) = mpsc::channel(PIECES);
    let job = Job { console, query: wanted.query(), known, format, by };
    // Reading the log waits for the disk, and writing for the browser.
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(job.run(pieces)));
    let stamp = asked.exchange.at.to_jiff().strftime("%Y-%m-%dT%H%M%SZ");
    let name =
        format!("attachment; filename=\"decisions_v{}_{stamp}.{ending}\"", export::CSV_VERSION);
    let flow = stream::unfold(taken, |mut taken: mpsc::Receiver<Piece>| async move {
        taken.recv().await.map(|piece| (piece, taken))
    });
    let mut response = Response::new(Body::from_stream(flow));
    let headers = response.headers_mut();
    seal(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
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
    async fn run(self, pieces: Sender<Piece>) {
        let mut out = BufWriter::with_capacity(PIECE, Pipe(pieces.clone()));
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
            let broken = std::io::Error::other("the export broke off");
            // The browser may have left.
            drop(pieces.send(Err(broken)).await);
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

/// Hands what is written to whoever takes it, and waits for them: on a thread that may wait.
struct Pipe(Sender<Piece>);

/// Between looks whether a full pipe has room again.
const ROOM: Duration = Duration::from_millis(1);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut piece = Ok(Bytes::copy_from_slice(bytes));
        loop {
            match self.0.try_send(piece) {
                Ok(()) => return Ok(bytes.len()),
                Err(TrySendError::Full(back)) => piece = back,
                Err(TrySendError::Closed(_)) => {
                    return Err(std::io::ErrorKind::BrokenPipe.into());
                }
            }
            // A future that waits can't be waited for here: the export itself is one.
            std::thread::sleep(ROOM);
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
