//! Tokens of our own for Microsoft Graph (RFC 6749 section 4.4), kept until shortly before they end.

use std::collections::BTreeMap;
use std::time::Duration;

use openidconnect::OAuth2TokenResponse;
use secrecy::SecretString;
use tokio::sync::Mutex;

use super::error::IdpError;
use super::redeem::{Grant, Redeemer};
use crate::model::time::{Clock, Timestamp};

/// A token is given up this long before its end.
const RESERVE: Duration = Duration::from_mins(5);

/// The tokens, by the address that gave them: one per tenant.
#[derive(Debug)]
pub(super) struct OwnTokens {
    clock: Clock,
    /// Held while one is fetched, so that one fetch serves everybody who waits.
    held: Mutex<BTreeMap<String, (SecretString, Timestamp)>>,
}

impl OwnTokens {
    /// Has none yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, held: Mutex::default() }
    }

    /// A token for `scope` from `endpoint`.
    ///
    /// # Errors
    /// As [`Redeemer::ask`], or with what Entra says instead.
    pub(super) async fn get(
        &self,
        redeemer: &Redeemer,
        endpoint: &str,
        scope: &str,
    ) -> Result<SecretString, IdpError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if let Some((token, until)) = held.get(endpoint)
            && now < *until
        {
            return Ok(token.clone());
        }
        let answer = redeemer.ask(endpoint, Grant::Own { scope }).await?;
        let answer = answer.map_err(IdpError::from_token_endpoint)?;
        let token = SecretString::from(answer.access_token().secret().clone());
        let life = answer.expires_in().unwrap_or_default().saturating_sub(RESERVE);
        held.insert(endpoint.to_owned(), (token.clone(), now.plus(life)));
        Ok(token)
    }

    /// Gives up what `endpoint` gave: Graph does not take it any more.
    pub(super) async fn forget(&self, endpoint: &str) {
        self.held.lock().await.remove(endpoint);
    }
}
