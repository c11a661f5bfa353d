//! Access tokens on their way in: checked once, kept by their SHA-256 until they expire.
//!
//! What is kept counts only as long as the keys are those that it was checked with: when they were fetched anew, each
//! token is checked again with what is published then, so that a withdrawn key lets nobody in for longer than keys are
//! kept. Refusals are not kept.

use std::fmt;
use std::sync::Arc;

use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::access_token::{self, BearerCaller, BearerRefusal, Holder};
use super::discovery::{Discovery, Provider};
use super::entra::{self, TokenGroups};
use super::error::IdpError;
use super::jwt::{Checks, Verified};
use super::settings::{ApiSettings, EntraSettings};
use crate::model::time::{Clock, Timestamp};

/// Tokens that are kept; those that are used least are checked again.
const KEPT: usize = 4096;

/// The access tokens that are meant for one audience.
pub(super) struct Bearers {
    pub(super) settings: Arc<EntraSettings>,
    pub(super) api: ApiSettings,
    pub(super) clock: Clock,
    /// Metadata and keys of the version that is accepted.
    pub(super) discovery: Arc<Discovery>,
    kept: Cache<[u8; 32], Kept>,
}

impl fmt::Debug for Bearers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearers").field("api", &self.api).finish_non_exhaustive()
    }
}

/// A token that was accepted.
#[derive(Debug, Clone)]
struct Kept {
    caller: Arc<BearerCaller>,
    until: Timestamp,
    /// The keys that it was checked with.
    provider: Arc<Provider>,
}

impl Kept {
    fn counts(&self, provider: &Arc<Provider>, now: Timestamp) -> bool {
        now < self.until && Arc::ptr_eq(&self.provider, provider)
    }
}

impl Bearers {
    /// Nothing kept yet.
    pub(super) fn new(
        (settings, api): (Arc<EntraSettings>, ApiSettings),
        clock: Clock,
        discovery: Arc<Discovery>,
    ) -> Self {
        Self { settings, api, clock, discovery, kept: Cache::new(KEPT) }
    }

    /// Whether this very token was accepted before and has not expired since.
    pub(super) fn knows(&self, token: &SecretString) -> bool {
        let kept = self.kept.peek(&name(token));
        kept.is_some_and(|kept| self.clock.now() < kept.until)
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`BearerRefusal`]; whoever sent it gets nothing then, not even what is open to everybody.
    pub(super) async fn caller(
        &self,
        token: &SecretString,
    ) -> Result<Arc<BearerCaller>, BearerRefusal> {
        let name = name(token);
        let provider = self.discovery.provider().await.map_err(|error| told(&error))?;
        let now = self.clock.now();
        drop(self.kept.remove_if(&name, |kept| !kept.counts(&provider, now)));
        // Whoever comes with the same token meanwhile waits for the same answer.
        Ok(self.kept.get_or_insert_async(&name, self.check(token, provider)).await?.caller)
    }

    async fn check(
        &self,
        token: &SecretString,
        provider: Arc<Provider>,
    ) -> Result<Kept, BearerRefusal> {
        let unverified = access_token::read(token)?;
        let provider = self
            .discovery
            .provider_with_key(provider, unverified.kid())
            .await
            .map_err(|error| told(&error))?;
        let now = self.clock.now();
        let (settings, audience) = (&*self.settings, self.api.audience.as_str());
        let checks = Checks { settings, provider: &provider, audience, now };
        let token = unverified.verify(checks)?;
        let caller = match access_token::holder(&token, &self.api.scope)? {
            Holder::Service => access_token::service(&token)?,
            Holder::Person => self.person(&token)?,
        };
        let until = caller.expires_at;
        Ok(Kept { caller: Arc::new(caller), until, provider })
    }

    fn person(&self, token: &Verified) -> Result<BearerCaller, BearerRefusal> {
        match entra::groups(token).map_err(|error| told(&error))? {
            TokenGroups::All(groups) => {
                access_token::person(token, groups, self.api.mfa_context.as_deref())
            }
            TokenGroups::Overage => Err(told(&IdpError::GroupsUnavailable {
                reason: "a token for us opens nothing there".to_owned(),
            })),
        }
    }
}

/// The name under which a token is kept: what is in memory for long must not open anything.
fn name(token: &SecretString) -> [u8; 32] {
    Sha256::digest(token.expose_secret()).into()
}

/// What is not the sender's fault is a matter for the operator too.
fn told(error: &IdpError) -> BearerRefusal {
    let refusal = BearerRefusal::from(error.clone());
    if matches!(refusal, BearerRefusal::Unsettled { .. }) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(error = %error, cause, "An access token could not be checked.");
    }
    refusal
}
