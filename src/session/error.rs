//! Why nothing can be said about a session. None of these lets anybody in.

use super::needs::NotRecorded;
use super::token::NoRandomness;
use crate::keys::KeysError;
use crate::store::StoreError;

/// Why a session could not be loaded, started or ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The database failed.
    #[error("could not read or write sessions")]
    Store(#[from] StoreError),
    /// What happened could not be put on record.
    #[error("what happened to a session could not be recorded")]
    NotRecorded(#[from] NotRecorded),
    /// No randomness for a token.
    #[error("could not make a session token")]
    Randomness(#[from] NoRandomness),
    /// A re-check did not come to its end in time, or was broken off: whether the groups still hold is not known.
    #[error("a re-check did not come to its end")]
    Unsettled,
    /// The refresh token could not be sealed.
    #[error("could not seal a refresh token")]
    Seal(#[from] KeysError),
}
