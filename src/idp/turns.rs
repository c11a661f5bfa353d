//! How many people may be signing in at once, and how long one step may take: an Entra that is slow must not fill us up.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::error::{HttpError, IdpError};
use super::http::request_id;
use crate::model::host::Origin;

/// Far more than sign in within ten seconds anywhere, unless Entra hangs.
const AT_ONCE: usize = 64;

/// The turns of people who are signing in.
#[derive(Debug)]
pub(super) struct Turns {
    free: Semaphore,
    patience: Duration,
    at: Origin,
}

impl Turns {
    pub(super) fn new(patience: Duration, at: Origin) -> Self {
        Self { free: Semaphore::new(AT_ONCE), patience, at }
    }

    /// Does one step of a sign-in, in time.
    ///
    /// # Errors
    /// [`IdpError::Busy`] when all turns are taken, [`IdpError::Unavailable`] when the time is up, or what went wrong.
    pub(super) async fn take<T>(
        &self,
        step: impl Future<Output = Result<T, IdpError>>,
    ) -> Result<T, IdpError> {
        let _turn = self.free.try_acquire().map_err(|_| IdpError::Busy)?;
        let limit = self.patience;
        match tokio::time::timeout(limit, step).await {
            Ok(done) => done,
            Err(_) => Err(IdpError::Unavailable {
                endpoint: "sign-in endpoints",
                at: self.at.to_string(),
                request: request_id()?,
                cause: HttpError::Timeout { limit },
            }),
        }
    }
}
