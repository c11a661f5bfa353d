//! One limit around several steps that lead to one answer.

use tokio::time::{Instant, timeout_at};

use super::error::{HttpError, IdpError};
use super::http::request_id;
use crate::model::host::Origin;

/// What came of `asked`, unless it takes longer than `until`.
///
/// # Errors
/// [`IdpError::Unavailable`] when the time is up, or what went wrong.
pub(super) async fn within<T>(
    until: Instant,
    at: &Origin,
    asked: impl Future<Output = Result<T, IdpError>>,
) -> Result<T, IdpError> {
    let limit = until.saturating_duration_since(Instant::now());
    match timeout_at(until, asked).await {
        Ok(outcome) => outcome,
        Err(_) => Err(IdpError::Unavailable {
            endpoint: "sign-in endpoints",
            at: at.to_string(),
            request: request_id()?,
            cause: HttpError::Timeout { limit },
        }),
    }
}
