//! What runs in the background: metadata and keys are renewed before they are old, files of credentials looked at.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::credentials::CredentialReport;
use super::discovery::Reach;
use super::oidc::Idp;
use crate::model::time::Timestamp;

/// How often it is looked whether something is to be done. After an outage people can sign in again this soon.
const EVERY: Duration = Duration::from_secs(10);

/// How things stand with Entra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// When the metadata and keys in use were fetched; none before the first success.
    pub metadata_at: Option<Timestamp>,
    /// How the last fetch of them went, and that of those for access tokens.
    pub reach: Reach,
    /// Requests to Microsoft Graph since the start.
    pub graph_requests: u64,
    /// Those of them that Graph answered with "later".
    pub graph_throttled: u64,
}

impl Idp {
    /// Keeps everything fresh until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            if stop.run_until_cancelled(self.renew()).await.is_none() {
                return;
            }
        }
    }

    /// Does what is due.
    pub(super) async fn renew(&self) {
        self.shared.discovery.renew().await;
        if let Some(bearers) = &self.shared.bearers {
            bearers.discovery.renew().await;
        }
        self.shared.redeemer.credentials.look().await;
    }

    /// How our own credentials stand as far as this machine can tell: their files are read, Entra is not asked.
    pub async fn look_at_credentials(&self) -> Vec<CredentialReport> {
        self.shared.redeemer.credentials.look().await;
        self.credentials()
    }

    /// How things stand. Nothing is asked of anybody.
    pub fn standing(&self) -> Standing {
        let (metadata_at, own) = self.shared.discovery.standing();
        let bearers = self.shared.bearers.as_ref();
        let of_bearers = bearers.map_or(own, |bearers| bearers.discovery.standing().1);
        let reach = if own == Reach::Reached { of_bearers } else { own };
        let (graph_requests, graph_throttled) = self.shared.counters.read();
        Standing { metadata_at, reach, graph_requests, graph_throttled }
    }
}
