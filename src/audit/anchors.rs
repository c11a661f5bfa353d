//! Anchors: the newest checkpoint, told to places that whoever writes the database can't reach.
//!
//! Once a minute and at the end: as a line of the process's log, at the end of a file that only grows, and as the mark
//! beside the key. Only committed checkpoints get here. At a start the mark is compared with what the file has: a log that
//! is shorter than it was is not written on.

use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::fs;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;

use super::checkpoint::{Checkpoint, notes};
use super::error::AuditError;
use crate::keys::LogPublicKey;
use crate::model::time::Timestamp;
use crate::store::audit::Head;

/// So often. What somebody with database and key could still take back is what is newer.
const EVERY: Duration = Duration::from_mins(1);

/// Where checkpoints are told.
#[derive(Debug, Clone)]
pub struct Places {
    /// The mark: the newest checkpoint that was anchored, in a file beside the key.
    pub mark: PathBuf,
    /// A file that checkpoints are appended to.
    pub file: Option<PathBuf>,
}

/// The most of an anchor file that is read back: the newest two weeks of it, at a checkpoint a minute.
const READ_MAX: u64 = 4 << 20;

/// What a place keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub path: PathBuf,
    /// Its notes, oldest first; of a long file the newest.
    pub notes: Vec<String>,
    /// When something was last told it.
    pub at: Option<Timestamp>,
}

impl Places {
    /// What the mark keeps.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn in_mark(&self) -> Result<Kept, AuditError> {
        kept(&self.mark)
    }

    /// What the anchor file keeps, where there is one.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn in_file(&self) -> Option<Result<Kept, AuditError>> {
        self.file.as_deref().map(kept)
    }

    /// All notes that can be read back.
    ///
    /// # Errors
    /// When a place can't be read.
    pub fn notes(&self) -> Result<Vec<String>, AuditError> {
        let mut notes = self.in_mark()?.notes;
        if let Some(file) = self.in_file() {
            notes.extend(file?.notes);
        }
        Ok(notes)
    }
}

/// A file that is not there yet keeps nothing.
fn kept(path: &Path) -> Result<Kept, AuditError> {
    let read = || {
        let mut file = std::fs::File::open(path)?;
        let facts = file.metadata()?;
        file.seek(SeekFrom::Start(facts.len().saturating_sub(READ_MAX)))?;
        let mut bytes = Vec::new();
        file.take(READ_MAX).read_to_end(&mut bytes)?;
        let since = facts.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok::<_, std::io::Error>((bytes, Timestamp::from_micros(0).plus(since)))
    };
    let path = path.to_owned();
    match read() {
        Ok((bytes, at)) => {
            let mut notes = notes(&String::from_utf8_lossy(&bytes));
            // The first may be the end of one, and the last one that is being written.
            notes.retain(|note| Checkpoint::unverified(note).is_ok());
            Ok(Kept { path, notes, at: Some(at) })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(Kept { path, notes: Vec::new(), at: None })
        }
        Err(error) => Err(failed("read back what was anchored in", &path)(error)),
    }
}

/// Anchors checkpoints as they come.
#[derive(Debug)]
pub(super) struct Anchors {
    places: Places,
    newest: watch::Receiver<String>,
}

/// Whether anything was recorded since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulse {
    /// Something was.
    Busy,
    /// Nothing was.
    Quiet,
}

impl Anchors {
    pub(super) fn new(places: Places, newest: watch::Receiver<String>) -> Self {
        Self { places, newest }
    }

    /// Anchors the first checkpoint at once and then one a minute. Never ends; dropping the future stops it.
    pub(super) async fn run(&mut self, heartbeat: impl Fn()) {
        // An error means that the writer is gone, and with it this future.
        let _ = self.newest.changed().await;
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first is due at once.
        tick.tick().await;
        self.anchor().await;
        loop {
            tick.tick().await;
            match self.look().await {
                Pulse::Busy => {}
                Pulse::Quiet => heartbeat(),
            }
        }
    }

    async fn look(&mut self) -> Pulse {
        if !self.newest.has_changed().unwrap_or(false) {
            return Pulse::Quiet;
        }
        self.anchor().await;
        Pulse::Busy
    }

    /// Tells the newest checkpoint everywhere. A place that can't be reached keeps no other from being told.
    pub(super) async fn anchor(&mut self) {
        let note = self.newest.borrow_and_update().clone();
        if note.is_empty() {
            return;
        }
        tracing::info!(checkpoint = note, "The audit log vouches for all that is recorded.");
        let told = [
            append(self.places.file.as_deref(), &note).await,
            mark(&self.places.mark, &note).await,
        ];
        for error in told.into_iter().filter_map(Result::err) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "A checkpoint of the audit log could not be anchored."
            );
        }
    }
}

async fn append(path: Option<&Path>, note: &str) -> Result<(), AuditError> {
    let Some(path) = path else { return Ok(()) };
    let failed = failed("append to the anchor file", path);
    let written = async {
        let mut file =
            fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).await?;
        file.write_all(format!("{note}\n").as_bytes()).await?;
        file.sync_data().await
    };
    written.await.map_err(failed)
}

/// Writes the mark whole or not at all.
pub(super) async fn mark(path: &Path, note: &str) -> Result<(), AuditError> {
    let aside = path.with_extension("mark-new");
    let written = async {
        let mut file = fs::File::create(&aside).await?;
        file.write_all(note.as_bytes()).await?;
        file.sync_data().await?;
        fs::rename(&aside, path).await
    };
    written.await.map_err(failed("write the mark", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> AuditError {
    let path = path.to_owned();
    move |source| AuditError::File { doing, path, source }
}

/// What the mark says; none when there is none.
///
/// # Errors
/// When it can't be read.
pub(super) fn known(path: &Path) -> Result<Option<String>, AuditError> {
    match std::fs::read_to_string(path) {
        Ok(note) => Ok(Some(note)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read the mark", path)(error)),
    }
}

/// Compares what was known with what is there.
///
/// # Errors
/// When the log has gone back behind the mark, or the mark is none.
pub(super) fn check(
    places: &Places,
    key: &LogPublicKey,
    found: (crate::model::id::OriginId, Option<&Head>),
) -> Result<(), AuditError> {
    let Some(note) = known(&places.mark)? else { return Ok(()) };
    let bad = |why| AuditError::BadMark { path: places.mark.clone(), why };
    let marked = Checkpoint::open(&note, key).map_err(bad)?;
    let (origin, head) = found;
    let size = head.map_or(0, |head| head.size);
    let same_size = head.filter(|head| head.size == marked.size);
    let root = same_size.and_then(|head| Checkpoint::unverified(&head.note).ok());
    let forked = root.is_some_and(|newest| newest.root != marked.root);
    if marked.origin != origin || marked.size > size || forked {
        let known = format!("{}-{}", marked.origin, marked.size);
        return Err(AuditError::WentBack { known, found: format!("{origin}-{size}") });
    }
    Ok(())
}
