//! How sessions meet Entra and the log: what [`Directory`] and [`Ledger`] ask for, answered by [`Idp`] and [`Audit`].

use secrecy::SecretString;

use super::needs::{Directory, Ledger, NotRecorded, Pending, Recheck, Renewed, Unavailable};
use crate::audit::Audit;
use crate::idp::{Idp, Recheck as Checked};
use crate::model::id::Subject;
use crate::model::record::{Entry, Event};
use crate::telemetry::Metrics;

/// Entra, with every re-check counted.
#[derive(Debug)]
pub struct Counted {
    /// Who is asked.
    pub idp: Idp,
    /// Where it is counted.
    pub metrics: Metrics,
}

impl Directory for Counted {
    fn recheck<'a>(
        &'a self,
        refresh_token: &'a SecretString,
        subject: &'a Subject,
    ) -> Pending<'a, Result<Recheck, Unavailable>> {
        Box::pin(async move {
            let found = Directory::recheck(&self.idp, refresh_token, subject).await;
            self.metrics.rechecked(match &found {
                Ok(Recheck::Renewed(_)) => "renewed",
                Ok(Recheck::Refused { .. }) => "refused",
                Err(_) => "unavailable",
            });
            found
        })
    }
}

impl Directory for Idp {
    fn recheck<'a>(
        &'a self,
        refresh_token: &'a SecretString,
        subject: &'a Subject,
    ) -> Pending<'a, Result<Recheck, Unavailable>> {
        Box::pin(async move {
            match Self::recheck(self, refresh_token, subject).await {
                Ok(Checked::Renewed(signed_in)) => {
                    let (identity, refresh_token) = (signed_in.identity, signed_in.refresh_token);
                    Ok(Recheck::Renewed(Box::new(Renewed { identity, refresh_token })))
                }
                Ok(Checked::Refused { detail }) => Ok(Recheck::Refused { detail }),
                Err(error) => Err(Unavailable { detail: error.to_string() }),
            }
        })
    }
}

impl Ledger for Audit {
    fn note(&self, event: Event) -> Pending<'_, Result<(), NotRecorded>> {
        Box::pin(async move {
            let noted = self.noted(Entry::Event(Box::new(event))).await;
            noted.map(drop).map_err(|error| NotRecorded { detail: error.to_string() })
        })
    }

    fn changed(&self) {
        self.changes_made();
    }
}
