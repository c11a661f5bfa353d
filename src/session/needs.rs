//! What sessions need from others: somebody who reads groups again, and somebody who keeps records.

use std::fmt;
use std::pin::Pin;

use secrecy::SecretString;

use crate::model::id::Subject;
use crate::model::record::Event;
use crate::model::session::Identity;

/// An answer that takes time.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Reads a person's groups and roles again.
pub trait Directory: Send + Sync + fmt::Debug {
    /// Redeems the refresh token of `subject`. `Err` means that nobody could be asked: nothing is known then.
    fn recheck<'a>(
        &'a self,
        refresh_token: &'a SecretString,
        subject: &'a Subject,
    ) -> Pending<'a, Result<Recheck, Unavailable>>;
}

/// What a re-check found.
#[derive(Debug)]
pub enum Recheck {
    /// The person as they are now.
    Renewed(Box<Renewed>),
    /// The person may not be signed in any more.
    Refused {
        /// Why, for the operator.
        detail: String,
    },
}

/// The person as they are now, and the token for the next time.
#[derive(Debug)]
pub struct Renewed {
    /// Everything that the new token says.
    pub identity: Identity,
    /// None: the present one stays good.
    pub refresh_token: Option<SecretString>,
}

/// Nobody could be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("groups can't be read again: {detail}")]
pub struct Unavailable {
    /// What failed, without tokens.
    pub detail: String,
}

/// Keeps records of what happens to sessions.
pub trait Ledger: Send + Sync + fmt::Debug {
    /// Puts an event on record and comes back when it is durable.
    fn note(&self, event: Event) -> Pending<'_, Result<(), NotRecorded>>;

    /// Learns that the outbox of the database holds something new for the record.
    fn changed(&self);
}

/// The event is not on record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event could not be recorded: {detail}")]
pub struct NotRecorded {
    /// What failed.
    pub detail: String,
}
