//! Access tokens on their way in: checked once, kept by their SHA-256 until they expire.
//!
//! What is kept counts only as long as the keys are those that it was checked with: when they were fetched anew, each
//! token is checked again with what is published then, so that a withdrawn key lets nobody in for longer than keys are
//! kept. Refusals are not kept, but for a person whose groups could not be had: everybody would wait for Graph otherwise.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::access_token::{self, BearerCaller, BearerRefusal, GROUPS_UNTOLD, Holder};
use super::counters::Silence;
use super::discovery::Discovery;
use super::entra::{self, TokenGroups};
use super::error::{IdpError, whole};
use super::jwt::{Checks, Verified};
use super::provider::Provider;
use super::settings::{ApiSettings, EntraSettings};
use crate::model::entra::GroupSource;
use crate::model::id::{GroupId, Subject};
use crate::model::record::MfaState;
use crate::model::time::{Clock, Timestamp};

/// Tokens that are kept; those that are used least are checked again.
const KEPT: usize = 4096;

/// Groups that came from Graph are asked for again after this long, as for people with a session.
const GROUPS_FRESH: Duration = Duration::from_mins(15);
/// After a failure Graph is left alone for this long.
const GROUPS_PAUSE: Duration = Duration::from_secs(10);

/// Knows the groups of people whose tokens leave them out.
pub(super) trait Directory: Sync {
    /// All of them, or an error; never a part.
    fn groups_of(
        &self,
        subject: &Subject,
    ) -> impl Future<Output = Result<BTreeSet<GroupId>, IdpError>> + Send;
}

/// The access tokens that are meant for one audience.
pub(super) struct Bearers {
    pub(super) settings: Arc<EntraSettings>,
    pub(super) api: ApiSettings,
    pub(super) clock: Clock,
    /// Metadata and keys of the version that is accepted.
    pub(super) discovery: Arc<Discovery>,
    kept: Cache<[u8; 32], Kept>,
    silence: Silence,
}

impl fmt::Debug for Bearers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearers").field("api", &self.api).finish_non_exhaustive()
    }
}

/// What came of a token.
#[derive(Debug, Clone)]
struct Kept {
    outcome: Result<Arc<BearerCaller>, BearerRefusal>,
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
        Self {
            settings,
            api,
            clock,
            discovery,
            kept: Cache::new(KEPT),
            silence: Silence::default(),
        }
    }

    /// Whether this very token was accepted before and has not expired since.
    pub(super) fn knows(&self, token: &SecretString) -> bool {
        let kept = self.kept.peek(&name(token));
        kept.is_some_and(|kept| kept.outcome.is_ok() && self.clock.now() < kept.until)
    }

    /// Whose token this is. `directory` tells the groups of a person whose token leaves them out.
    ///
    /// # Errors
    /// [`BearerRefusal`]; whoever sent it gets nothing then, not even what is open to everybody.
    pub(super) async fn caller(
        &self,
        token: &SecretString,
        directory: &impl Directory,
    ) -> Result<Arc<BearerCaller>, BearerRefusal> {
        let name = name(token);
        let provider = self.discovery.provider().await.map_err(|error| told(&error))?;
        let now = self.clock.now();
        drop(self.kept.remove_if(&name, |kept| !kept.counts(&provider, now)));
        // Whoever comes with the same token meanwhile waits for the same answer.
        let check = self.check(token, provider, directory);
        self.kept.get_or_insert_async(&name, check).await?.outcome
    }

    async fn check(
        &self,
        token: &SecretString,
        provider: Arc<Provider>,
        directory: &impl Directory,
    ) -> Result<Kept, BearerRefusal> {
        let unverified = access_token::read(token)?;
        let fetched = self.discovery.provider_with_key(provider, unverified.kid()).await;
        let provider = fetched.map_err(|error| told(&error))?;
        let now = self.clock.now();
        let (settings, audience) = (&*self.settings, self.api.audience.as_str());
        let checks = Checks { settings, provider: &provider, audience, now };
        let (token, provider) = match unverified.verify(checks) {
            // Another key may have come under a name that was in use before.
            Err(IdpError::BadToken { check: "signature" }) => {
                let fetched = self.discovery.provider_after(Arc::clone(&provider)).await;
                let provider = fetched.map_err(|error| told(&error))?;
                let checks = Checks { provider: &provider, ..checks };
                (access_token::read(token)?.verify(checks)?, provider)
            }
            other => (other?, provider),
        };
        let (outcome, until) = match access_token::holder(&token, &self.api.scope)? {
            Holder::Service => kept(access_token::service(&token)?),
            Holder::Person => self.person(&token, directory).await?,
        };
        Ok(Kept { outcome, until, provider })
    }

    /// The person in these `groups`, as the token describes them now: its authentication contexts count for a while only.
    fn described(
        &self,
        token: &Verified,
        groups: BTreeSet<GroupId>,
    ) -> Result<BearerCaller, BearerRefusal> {
        let mfa = self.api.mfa_context.as_deref();
        let mut caller = access_token::person(token, groups, mfa)?;
        let end = access_token::contexts_end(token, self.api.step_up).min(caller.expires_at);
        if caller.auth_contexts.is_empty() {
            return Ok(caller);
        }
        if self.clock.now() < end {
            caller.contexts_end = Some(end);
        } else {
            caller.auth_contexts.clear();
            caller.mfa = MfaState::NotMet;
        }
        Ok(caller)
    }

    /// What came of a person's token, and until when that is so.
    async fn person(
        &self,
        token: &Verified,
        directory: &impl Directory,
    ) -> Result<Outcome, BearerRefusal> {
        let now = self.clock.now();
        let read = match entra::groups(token) {
            Err(error @ IdpError::GroupNames) => {
                return Ok((Err(told(&error)), now.plus(GROUPS_PAUSE)));
            }
            other => other?,
        };
        match (read, self.settings.groups) {
            (TokenGroups::All(groups), GroupSource::Token | GroupSource::GraphOnOverage) => {
                if entra::is_silent_on_groups(token) {
                    self.silence.noted("Access");
                }
                Ok(kept(self.described(token, groups)?))
            }
            (TokenGroups::Overage, GroupSource::Token) => {
                Ok((Err(told(&IdpError::TooManyGroups)), now.plus(GROUPS_PAUSE)))
            }
            (TokenGroups::Overage, GroupSource::GraphOnOverage) | (_, GroupSource::Graph) => {
                let asked = directory.groups_of(&token.subject).await;
                let now = self.clock.now();
                match asked {
                    Ok(groups) => {
                        let (caller, until) = kept(self.described(token, groups)?);
                        Ok((caller, until.min(now.plus(GROUPS_FRESH))))
                    }
                    Err(error) => {
                        let error = whole(&error);
                        tracing::warn!(
                            error,
                            "The groups of an access token's person can't be had."
                        );
                        let refused = BearerRefusal::Unsettled { problem: GROUPS_UNTOLD };
                        Ok((Err(refused), now.plus(GROUPS_PAUSE)))
                    }
                }
            }
        }
    }
}

/// An answer, and until when it holds.
type Outcome = (Result<Arc<BearerCaller>, BearerRefusal>, Timestamp);

fn kept(caller: BearerCaller) -> Outcome {
    let until = caller.contexts_end.unwrap_or(caller.expires_at);
    (Ok(Arc::new(caller)), until)
}

/// The name under which a token is kept: what is in memory for long must not open anything.
fn name(token: &SecretString) -> [u8; 32] {
    Sha256::digest(token.expose_secret()).into()
}

/// What is not the sender's fault is a matter for the operator too.
fn told(error: &IdpError) -> BearerRefusal {
    let refusal = BearerRefusal::from(error.clone());
    let of_settings = matches!(error, IdpError::GroupNames | IdpError::TooManyGroups);
    if of_settings || matches!(refusal, BearerRefusal::Unsettled { .. }) {
        let error = whole(error);
        tracing::warn!(error, "An access token could not be checked.");
    }
    refusal
}
