//! What keeps us from answering as we should: storage, the log, randomness. Nobody is let in then.

use axum::response::Response;

use super::answers;
use crate::audit::AuditError;
use crate::session::{NoRandomness, SessionError};
use crate::store::StoreError;
use crate::web::exchange::Exchange;
use crate::web::fault::Fault;

/// Why a step of signing in or out could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("a sign-in could not be kept or read")]
    Store(#[from] StoreError),
    #[error("a session could not be read or changed")]
    Session(#[from] SessionError),
    #[error("a sign-in could not be recorded")]
    Audit(#[from] AuditError),
    #[error("a secret could not be made")]
    Randomness(#[from] NoRandomness),
}

impl Trouble {
    /// Logs it, once, and answers 503.
    pub(super) fn answer(&self, exchange: &Exchange) -> Response {
        let cause = std::error::Error::source(self).map(ToString::to_string);
        tracing::error!(request.id = %exchange.facts.request, error = %self, cause, "A sign-in or sign-out failed here.");
        answers::quiet(answers::fault(exchange, &self.fault()))
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Audit(_) | Self::Session(SessionError::NotRecorded(_)) => Fault::unrecorded(),
            Self::Store(_) | Self::Session(_) | Self::Randomness(_) => Fault::unready(),
        }
    }
}
