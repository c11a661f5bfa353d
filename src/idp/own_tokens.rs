//! Tokens of our own for Microsoft Graph (RFC 6749 section 4.4), kept until shortly before they end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openidconnect::OAuth2TokenResponse;
use secrecy::SecretString;
use tokio::time::Instant;

use super::deadline::within;
use super::discovery::SHORT_PAUSE;
use super::error::IdpError;
use super::redeem::{Grant, Redeemer};
use crate::model::time::{Clock, Timestamp};

/// A token is given up this long before its end.
const RESERVE: Duration = Duration::from_mins(5);

/// The tokens, by the address that gives them: one per tenant, so that none waits for another's.
#[derive(Debug)]
pub(super) struct OwnTokens {
    clock: Clock,
    places: Mutex<BTreeMap<String, Arc<Place>>>,
}

/// Held while one is fetched, so that one fetch serves everybody who waits.
type Place = tokio::sync::Mutex<Held>;

/// What came of the last fetch.
#[derive(Debug, Default)]
struct Held {
    token: Option<(SecretString, Timestamp)>,
    failed: Option<(Timestamp, IdpError)>,
}

impl OwnTokens {
    /// Has none yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, places: Mutex::default() }
    }

    /// A token for `scope` from `endpoint`, had until then. A failure is shared by everybody who waits, and by whoever
    /// comes within a short pause.
    ///
    /// # Errors
    /// As [`Redeemer::ask`], or with what Entra says instead.
    pub(super) async fn get(
        &self,
        redeemer: &Redeemer,
        (endpoint, scope): (&str, &str),
        until: Instant,
    ) -> Result<SecretString, IdpError> {
        let (place, at) = (self.place(endpoint), redeemer.origin());
        let mut held = within(until, at, async { Ok(place.lock().await) }).await?;
        let now = self.clock.now();
        if let Some((token, end)) = &held.token
            && now < *end
        {
            return Ok(token.clone());
        }
        if let Some((failed_at, error)) = &held.failed
            && now.is_within(SHORT_PAUSE, *failed_at)
        {
            return Err(error.clone());
        }
        let asked = async {
            let answer = redeemer.ask(endpoint, Grant::Own { scope }).await?;
            answer.map_err(IdpError::from_token_endpoint)
        };
        let answer = within(until, at, asked).await.inspect_err(|error| {
            held.failed = Some((self.clock.now(), error.clone()));
        })?;
        let token = SecretString::from(answer.access_token().secret().clone());
        let life = answer.expires_in().unwrap_or_default().saturating_sub(RESERVE);
        *held = Held { token: Some((token.clone(), now.plus(life))), failed: None };
        Ok(token)
    }

    /// Gives up what `endpoint` gave: Graph does not take it any more.
    pub(super) async fn forget(&self, endpoint: &str) {
        self.place(endpoint).lock().await.token = None;
    }

    fn place(&self, endpoint: &str) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(endpoint.to_owned()).or_default())
    }
}
