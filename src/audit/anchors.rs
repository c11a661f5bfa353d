//! Anchors: the newest checkpoint, told to places that whoever writes the database can't reach.
//!
//! Once a minute and at the end: as a line of the process's log, at the end of a file that only grows, and as the mark
//! beside the key. Only committed checkpoints get here. At a start the mark is compared with what the file has: a log that
//! is shorter than it was, or does not continue what it was, is not written on.
//!
//! A place that hangs holds up neither the others nor the end of the process: each is told on a thread of its own, for
//! which nobody waits longer than [`PATIENCE`].

use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::beginning::{Grown, grow, tree_over};
use super::checkpoint::{Checkpoint, NoteError, notes};
use super::error::AuditError;
use super::tail;
use crate::keys::LogPublicKey;
use crate::model::id::OriginId;
use crate::model::time::Timestamp;
use crate::store::audit::{Head, LogCopy};

/// So often. What somebody with database and key could still take back is what is newer.
const EVERY: Duration = Duration::from_mins(1);

/// How long a place may take.
const PATIENCE: Duration = Duration::from_secs(5);

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
        let mut file = tail::read(path)?;
        let facts = file.metadata()?;
        file.seek(SeekFrom::Start(facts.len().saturating_sub(READ_MAX)))?;
        let mut bytes = Vec::new();
        file.take(READ_MAX).read_to_end(&mut bytes)?;
        let since = facts.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok::<_, io::Error>((bytes, Timestamp::from_micros(0).plus(since)))
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
    newest: watch::Receiver<String>,
    mark: Hand,
    file: Option<Hand>,
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
        let Places { mark, file } = places;
        let file = file.map(|file| Hand::to(file, "append to the anchor file", append));
        Self { newest, mark: Hand::to(mark, "write the mark", mark_whole), file }
    }

    /// Anchors the first checkpoint at once and then one a minute. Never ends; dropping the future stops it.
    pub(super) async fn run(&mut self, heartbeat: impl Fn()) {
        // An error means that the writer is gone, and with it this future.
        let _ = self.newest.changed().await;
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first is due at once.
        tick.tick().await;
        Box::pin(self.anchor()).await;
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
        Box::pin(self.anchor()).await;
        Pulse::Busy
    }

    /// Tells the newest checkpoint everywhere. A place that can't be reached keeps no other from being told.
    pub(super) async fn anchor(&mut self) {
        let note = self.newest.borrow_and_update().clone();
        if note.is_empty() {
            return;
        }
        tracing::info!(checkpoint = note, "The audit log vouches for all that is recorded.");
        // The mark first: the next start needs it.
        for hand in std::iter::once(&mut self.mark).chain(&mut self.file) {
            if let Err(error) = hand.tell(note.clone()).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "A checkpoint of the audit log could not be anchored."
                );
            }
        }
    }
}

/// Tells one place.
#[derive(Debug)]
struct Hand {
    path: PathBuf,
    doing: &'static str,
    write: fn(&Path, &str) -> io::Result<()>,
    /// The answer to what was told last, as long as nobody has it.
    last: Option<oneshot::Receiver<io::Result<()>>>,
}

impl Hand {
    fn to(path: PathBuf, doing: &'static str, write: fn(&Path, &str) -> io::Result<()>) -> Self {
        Self { path, doing, write, last: None }
    }

    async fn tell(&mut self, note: String) -> Result<(), AuditError> {
        let failed = failed(self.doing, &self.path);
        let told = tokio::time::timeout(PATIENCE, self.take_turn(note)).await;
        let hangs = |_| Err(io::Error::new(ErrorKind::TimedOut, "it hangs"));
        told.unwrap_or_else(hangs).map_err(failed)
    }

    /// Behind what was told before, whose answer nobody may have waited for: the newest must stand last.
    async fn take_turn(&mut self, note: String) -> io::Result<()> {
        if let Some(last) = &mut self.last {
            // How it ended was said then, or does not matter any more.
            let _ = last.await;
        }
        let (answer, answered) = oneshot::channel();
        let (path, write) = (self.path.clone(), self.write);
        let work = move || {
            // Whoever asked may have left.
            let _ = answer.send(write(&path, &note));
        };
        self.last = None;
        std::thread::Builder::new().name("audit-anchor".to_owned()).spawn(work)?;
        let told = self.last.insert(answered).await;
        self.last = None;
        told.map_err(|_| io::Error::other("the thread that wrote it is gone"))?
    }
}

fn append(path: &Path, note: &str) -> io::Result<()> {
    tail::append(path, format!("{note}\n").as_bytes())
}

/// Writes the mark whole or not at all.
fn mark_whole(path: &Path, note: &str) -> io::Result<()> {
    let aside = path.with_extension("mark-new");
    let mut file = std::fs::File::create(&aside)?;
    file.write_all(note.as_bytes())?;
    file.sync_data()?;
    std::fs::rename(&aside, path)?;
    tail::sync_folder(path)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AuditError + use<> {
    let path = path.to_owned();
    move |source| AuditError::File { doing, path, source }
}

/// What the mark says, which may be no text of ours; none when there is none.
///
/// # Errors
/// When it can't be read.
pub(super) fn known(path: &Path) -> Result<Option<String>, AuditError> {
    match std::fs::read(path) {
        Ok(note) => Ok(Some(String::from_utf8_lossy(&note).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read the mark", path)(error)),
    }
}

/// Compares what was known with what is in the file. The mark may be of any of the keys: a change of them may have been cut
/// off before it was written anew.
///
/// # Errors
/// When the log has gone back behind the mark or does not continue it, or the mark is none.
pub(super) async fn check(
    mark: &Path,
    keys: &[LogPublicKey],
    file: &Path,
    (origin, head): (OriginId, Option<&Head>),
) -> Result<(), AuditError> {
    let Some(note) = known(mark)? else { return Ok(()) };
    let marked =
        opened(&note, keys).map_err(|why| AuditError::BadMark { path: mark.to_owned(), why })?;
    let size = head.map_or(0, |head| head.size);
    let known = format!("{}-{}", marked.origin, marked.size);
    if marked.origin != origin || marked.size > size {
        return Err(AuditError::WentBack { known, found: format!("{origin}-{size}") });
    }
    let newest = head.and_then(|head| Checkpoint::unverified(&head.note).ok());
    match newest {
        Some(newest) if !continues(file, &marked, &newest).await? => {
            Err(AuditError::OtherHistory { known })
        }
        Some(_) | None => Ok(()),
    }
}

fn opened(note: &str, keys: &[LogPublicKey]) -> Result<Checkpoint, NoteError> {
    let mut refused = None;
    for key in keys {
        match Checkpoint::open(note, key) {
            Ok(marked) => return Ok(marked),
            // What is told is what the first of them says.
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    Err(refused.unwrap_or(NoteError::Form("there is no key to check it with")))
}

/// Whether the records that the mark vouches for are still those, and the newest checkpoint stands over them and what came
/// since.
async fn continues(
    file: &Path,
    marked: &Checkpoint,
    newest: &Checkpoint,
) -> Result<bool, AuditError> {
    let mut copy = LogCopy::open(file).await?;
    let origins = copy.origins().await?;
    let Some(origin) = origins.iter().find(|origin| origin.id == marked.origin) else {
        return Ok(false);
    };
    let Some(mut tree) = tree_over(&mut copy, origin, marked.size).await? else {
        return Ok(false);
    };
    if tree.root() != marked.root {
        return Ok(false);
    }
    let grown = grow(&mut copy, origin, (&mut tree, newest.size)).await?;
    Ok(grown == Grown::Whole && tree.root() == newest.root)
}
