//! Why the log did not take an entry.

use std::path::PathBuf;
use std::time::Duration;

use super::checkpoint::NoteError;
use crate::model::id::OriginId;
use crate::store::StoreError;

/// Why the log did not take an entry. Whatever it is, the request that the entry speaks of must be answered 503.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log, or the outbox that it drains, could not be opened.
    #[error("could not open the audit log and what it takes over")]
    Open(#[from] StoreError),
    /// An older copy of the file with the outbox took its place.
    #[error(
        "the outbox `{source_name}` ends before its change {taken}, which the audit log took over already: an older copy of the database took its place; put the right one back, or accept this one with `cedargate audit accept --reason …`, and the changes that it holds are recorded again"
    )]
    OutboxWentBack {
        /// Which outbox.
        source_name: &'static str,
        /// The last change taken over.
        taken: i64,
    },
    /// The newest checkpoint does not vouch for the log.
    #[error(
        "the audit log's newest checkpoint does not hold: {why}; `cedargate audit verify` finds the place, and `cedargate audit accept --reason …` begins a new origin behind what is there"
    )]
    BadCheckpoint {
        /// What is wrong with it.
        why: String,
    },
    /// Records and the newest checkpoint disagree about the log's size.
    #[error(
        "the audit log holds {records} records, but its newest checkpoint vouches for {vouched}: records were added or removed by somebody else; `cedargate audit verify` finds the place, and `cedargate audit accept --reason …` begins a new origin behind what is there"
    )]
    Unvouched {
        /// Records found.
        records: u64,
        /// Records vouched for.
        vouched: u64,
    },
    /// Records that are to be removed, or what says that they may be, are not what was signed.
    #[error(
        "the records of {origin} that are to be removed with age, or that say they may be, are not what was signed: they were changed by somebody else; `cedargate audit verify` finds the place, and `cedargate audit accept --reason …` begins a new origin behind what is there"
    )]
    Unproven {
        /// Whose records.
        origin: OriginId,
    },
    /// What the log is asked to do is signed with its key, and that is another one.
    #[error(
        "the log's key of these settings (`keys.directory`) is not the one that signs the audit log; ask with the settings of the gate that writes it"
    )]
    NotItsKey,
    /// A wish that the key so far signed would not stand under another.
    #[error(
        "somebody is still to be forgotten in the audit log, which the key so far asks for; start the gate, or run that `cedargate audit erase` again, and change the key when it is done"
    )]
    WishWaits,
    /// The log is shorter than it was, or is another one.
    #[error(
        "the audit log was at {known} when it was last seen, and is now at {found}: an older copy took its place, or it is not the log of this key; put the right one back, or accept this one with `cedargate audit accept --reason …`"
    )]
    WentBack {
        /// The mark beside the key, as `<origin>-<size>`.
        known: String,
        /// What the file has.
        found: String,
    },
    /// The log holds other records than it did.
    #[error(
        "the audit log does not continue what it was at {known}, when it was last seen: records were changed, or another copy took its place; `cedargate audit verify` finds the place, put the right one back, or accept this one with `cedargate audit accept --reason …`"
    )]
    OtherHistory {
        /// The mark beside the key, as `<origin>-<size>`.
        known: String,
    },
    /// Another key signs the log, and the mark does not say so.
    #[error(
        "the new key signs the audit log from here on, but `{path}` could not be written to say so; mend that, and give the command again"
    )]
    Unmarked {
        /// The file.
        path: PathBuf,
    },
    /// The log was accepted, and the mark does not say so.
    #[error(
        "the log was accepted, but `{path}` could not be written to say so; mend that, and give the command again"
    )]
    AcceptedUnmarked {
        /// The file.
        path: PathBuf,
    },
    /// The mark beside the key is not one.
    #[error(
        "`{path}` does not hold what was last known of the audit log: {why}; restore it, or accept the log as it is with `cedargate audit accept --reason …`"
    )]
    BadMark {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: NoteError,
    },
    /// A file beside the log can't be read or written.
    #[error(
        "can't {doing} `{path}`; its directory must be writable for the user that runs cedargate"
    )]
    File {
        /// What was attempted.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Records can't leave for another system.
    #[error("records can't leave for {place}")]
    Outlet {
        /// Where to.
        place: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Too much waits to be written.
    #[error(
        "the audit log has {entries} entries ({bytes} bytes) waiting to be written and takes no more"
    )]
    Full {
        /// Entries that wait.
        entries: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// It was not durable in time. It may become so later.
    #[error("the audit log did not make the entry durable within {} ms", .waited.as_millis())]
    Unavailable {
        /// How long it was waited for.
        waited: Duration,
    },
    /// The writer ended.
    #[error("the audit log takes no entries: its writer has ended")]
    Stopped,
    /// The entry can't be spelled as JSON.
    #[error("could not spell an entry of kind `{kind}` as JSON")]
    Spelling {
        /// Its kind.
        kind: &'static str,
        /// What failed.
        #[source]
        source: serde_json::Error,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no randomness")]
    Randomness,
}
