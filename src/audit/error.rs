//! Why the log did not take an entry.

use std::time::Duration;

use crate::store::StoreError;

/// Why the log did not take an entry. Whatever it is, the request that the entry speaks of must be answered 503.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log, or the outbox that it drains, could not be opened.
    #[error("could not open the audit log and what it takes over")]
    Open(#[from] StoreError),
    /// An older copy of the file with the outbox took its place.
    #[error(
        "the outbox `{source_name}` ends before its change {taken}, which the audit log took over already: an older copy of the database took its place; put the right one back, or remove the row `{source_name}` from the table `taken` of the audit database to have the changes that it holds recorded again"
    )]
    OutboxWentBack {
        /// Which outbox.
        source_name: &'static str,
        /// The last change taken over.
        taken: i64,
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
