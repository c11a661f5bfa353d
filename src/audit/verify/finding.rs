//! What a check of the log finds wrong, and where.

use std::fmt;

use crate::audit::checkpoint::NoteError;
use crate::model::id::{OriginId, ReleaseNumber};

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose records.
    pub origin: OriginId,
    /// The first that may be concerned.
    pub first: u64,
    /// The last that may be concerned.
    pub last: u64,
    /// When the last sound record before them was made; none when there is none.
    pub after: Option<String>,
    /// What is wrong.
    pub cause: Cause,
}

/// What can be wrong with a log. Each continues "record … ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// A number is not there.
    #[error("missing: the next one that is there is {next}")]
    Missing {
        /// The number found instead.
        next: u64,
    },
    /// A number is there twice, or out of order.
    #[error("there again")]
    Again,
    /// The bytes are not those that were hashed.
    #[error("changed: its content does not fit its hash")]
    Changed,
    /// The bytes are no record.
    #[error("changed: its content can't be read as a record")]
    Unreadable,
    /// A record of another place.
    #[error("another one: its content says that it is {0}")]
    Moved(String),
    /// A searchable column does not say what the record says.
    #[error("changed: its column `{column}` does not say what its content says")]
    Column {
        /// Which.
        column: &'static str,
    },
    /// The content is gone without a trace.
    #[error("blanked, and no record says that it was erased")]
    Blanked,
    /// The content of a principal is gone or not what it was.
    #[error("no longer whole: the content of principal {principal} is {what}")]
    Principal {
        /// Its hash, or its key where that is all that is known.
        principal: String,
        /// `missing`, `changed`, or `named by none of them`.
        what: &'static str,
    },
    /// A checkpoint can't be read or is signed by somebody else.
    #[error("not vouched for: a checkpoint over them does not hold, because {0}")]
    Checkpoint(NoteError),
    /// A checkpoint is signed for another log or size.
    #[error("not vouched for: a checkpoint over them was made for {0}")]
    Misplaced(String),
    /// The root is another one.
    #[error(
        "changed, removed or added: they are not those that the checkpoint over {size} records vouches for"
    )]
    Root {
        /// Its size.
        size: u64,
    },
    /// What is kept beside a checkpoint is not of its tree.
    #[error(
        "vouched for, but the peaks that the file keeps beside the checkpoint over {size} records are not those of its tree: nothing can go on from them"
    )]
    Peaks {
        /// Its size.
        size: u64,
    },
    /// Nothing vouches for the end.
    #[error("added by somebody else: no checkpoint vouches for them")]
    Unvouched,
    /// A key takes over that the one before did not name.
    #[error("not vouched for: the key changes, but {0}")]
    Rotation(&'static str),
    /// All was signed by somebody else.
    #[error("signed by {found}, which is none of the keys that the log is checked with")]
    OtherKey {
        /// The key found, as C2SP verifier key.
        found: String,
    },
    /// The end is gone.
    #[error("gone: a checkpoint vouches for {vouched} records, and the log has {records}")]
    Truncated {
        /// Records vouched for.
        vouched: u64,
        /// Records found.
        records: u64,
    },
    /// A log is gone as a whole.
    #[error(
        "gone: a checkpoint vouches for {vouched} records of their log, and nothing of it is here"
    )]
    NoLog {
        /// Records vouched for.
        vouched: u64,
    },
    /// A checkpoint from outside vouches for other records.
    #[error(
        "changed, removed or added: they are not those that a checkpoint from outside over {size} records vouches for"
    )]
    Forked {
        /// Its size.
        size: u64,
    },
    /// The beginning is gone without a trace.
    #[error("missing, and no record says that they were removed with age")]
    CutOff,
    /// What it was decided by is gone or not what it was.
    #[error("one that names release {release}, which in the database of rules is {what}")]
    Release {
        /// Which.
        release: ReleaseNumber,
        /// `not there`, `not what was published`, or `not what its hash says`.
        what: &'static str,
    },
    /// It was published before, and was another one.
    #[error("one that says that release {release} was published with another content than before")]
    Republished {
        /// Which.
        release: ReleaseNumber,
    },
    /// A log that another one names is gone.
    #[error("missing: a later log was begun behind them")]
    OriginGone,
    /// A log that another one names is another one.
    #[error("changed, removed or added: they are not those that a later log was begun behind")]
    Unlike,
}

impl Cause {
    /// The release that is wrong, where it is no record that is.
    pub fn release(&self) -> Option<ReleaseNumber> {
        if let Self::Release { release, .. } = self { Some(*release) } else { None }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, first, last, after, cause } = self;
        if first == last {
            write!(f, "record {origin}-{first} is {cause}")?;
        } else {
            write!(f, "records {origin}-{first} to {origin}-{last} are {cause}")?;
        }
        match after {
            Some(at) => write!(f, " (the record before is of {at})"),
            None => Ok(()),
        }
    }
}
