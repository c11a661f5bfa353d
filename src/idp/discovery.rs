//! Provider metadata and signing keys: fetched when first needed, renewed in the background before they are an hour old,
//! replaced whole. The last good ones serve for a day while Entra can't be reached.
//!
//! OpenID Connect Discovery 1.0 section 4.3 wants the metadata's `issuer` to equal the address it was fetched from.
//! Entra breaks that for domains and for `organizations`, so the issuer is compared with what the settings lead to
//! expect. Endpoints on another origin than the authority are refused. Keys keep their `issuer` and
//! `cloud_instance_name` members, which tell for whom a key may speak.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use super::error::{EntraError, HttpError, IdpError, whole};
use super::http::{ENTRA, Outbound, request_id, useless};
use super::provider::{Issuer, PLACE_OF_TENANT, Provider, SigningKey, signing_key};
use super::settings::{EntraSettings, Tenancy, TokenVersion};
use crate::model::host::Origin;
use crate::model::id::TenantId;
use crate::model::time::{Clock, Timestamp};

/// How long metadata and keys are used before they are fetched again.
const FRESH: Duration = Duration::from_hours(1);
/// How long they are used while fetching them again fails.
const USABLE: Duration = Duration::from_hours(24);
/// When the background renews them, so that nobody who signs in waits for it.
const EARLY: Duration = Duration::from_mins(50);
/// The least time between two fetches that an unknown key asks for, or that follow a failed one.
const PAUSE: Duration = Duration::from_mins(1);
/// The same after a failed one while there is nothing to work with: whoever signs in hears at once that it failed.
pub(super) const SHORT_PAUSE: Duration = Duration::from_secs(5);
/// More keys than any provider has.
const MAX_KEYS: usize = 100;
/// Whether Entra's metadata can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It was not asked for yet.
    Unknown,
    /// It came.
    Reached,
    /// It did not come the last time. What came before may still be in use.
    Failing,
}

/// Fetches and keeps the provider's metadata and keys.
#[derive(Debug)]
pub(super) struct Discovery {
    version: TokenVersion,
    settings: Arc<EntraSettings>,
    http: Outbound,
    clock: Clock,
    current: RwLock<Option<Current>>,
    /// Held while fetching, so that one fetch serves everybody who waits.
    fetching: Mutex<Fetching>,
    /// Fetches that ended so far, well or not.
    fetches: AtomicU64,
    /// Whether the last one failed.
    failing: AtomicBool,
}

/// What is in use. A fetch that brings nothing new leaves the provider itself as it is, so that what was checked with its
/// keys counts on: anybody can cause a fetch.
#[derive(Debug, Clone)]
struct Current {
    provider: Arc<Provider>,
    fetched_at: Timestamp,
    /// Tells one fetch from the next.
    number: u64,
}

#[derive(Debug, Default)]
struct Fetching {
    failed: Option<(Timestamp, IdpError)>,
    /// When an unknown key last made us fetch.
    forced_at: Option<Timestamp>,
}

impl Discovery {
    /// Keeps nothing yet.
    pub(super) fn new(
        version: TokenVersion,
        settings: Arc<EntraSettings>,
        http: Outbound,
        clock: Clock,
    ) -> Self {
        Self {
            version,
            settings,
            http,
            clock,
            current: RwLock::new(None),
            fetching: Mutex::new(Fetching::default()),
            fetches: AtomicU64::new(0),
            failing: AtomicBool::new(false),
        }
    }

    /// The provider, fetched when there is none or when it is an hour old. A fetch that fails leaves the last good one
    /// in use for a day.
    pub(super) async fn provider(&self) -> Result<Arc<Provider>, IdpError> {
        let now = self.clock.now();
        let seen = self.current();
        let younger = |span| seen.as_ref().filter(|seen| now.is_within(span, seen.fetched_at));
        if let Some(fresh) = younger(FRESH) {
            return Ok(Arc::clone(&fresh.provider));
        }
        let fetches_before = self.fetches.load(Ordering::SeqCst);
        let mut fetching = self.fetching.lock().await;
        if let Some(provider) = self.replaced(seen.as_ref()) {
            return Ok(provider);
        }
        let usable = younger(USABLE).map(|seen| Arc::clone(&seen.provider));
        if let Some((failed_at, error)) = &fetching.failed {
            // With something usable at hand there is no hurry; whoever waited for a fetch shares its failure.
            let shared = self.fetches.load(Ordering::SeqCst) != fetches_before;
            match &usable {
                Some(provider) if now.is_within(PAUSE, *failed_at) => {
                    return Ok(Arc::clone(provider));
                }
                None if shared || now.is_within(SHORT_PAUSE, *failed_at) => {
                    return Err(error.clone());
                }
                Some(_) | None => {}
            }
        }
        let fetched = self.fetch_into(&mut fetching).await;
        fetched.or_else(|error| usable.ok_or(error))
    }

    /// The provider with the key of a token; when `seen` does not have it, as [`Self::provider_after`].
    pub(super) async fn provider_with_key(
        &self,
        seen: Arc<Provider>,
        kid: Option<&str>,
    ) -> Result<Arc<Provider>, IdpError> {
        if seen.knows(kid) { Ok(seen) } else { self.provider_after(seen).await }
    }

    /// The provider once more, after a token did not fit the keys of `seen`. Fetches at most once a minute, because
    /// anybody can make up tokens.
    pub(super) async fn provider_after(
        &self,
        seen: Arc<Provider>,
    ) -> Result<Arc<Provider>, IdpError> {
        let mut fetching = self.fetching.lock().await;
        if let Some(current) = self.current().filter(|now| !Arc::ptr_eq(&now.provider, &seen)) {
            return Ok(current.provider);
        }
        let now = self.clock.now();
        if fetching.forced_at.is_some_and(|at| now.is_within(PAUSE, at)) {
            return Ok(seen);
        }
        fetching.forced_at = Some(now);
        Ok(self.fetch_into(&mut fetching).await.unwrap_or(seen))
    }

    /// Fetches when there is nothing yet, or when what there is will soon be old, and says in the log when Entra went
    /// and when it is back.
    pub(super) async fn renew(&self) {
        let was_failing = self.failing.load(Ordering::SeqCst);
        match self.renewed().await {
            Some(Err(error)) if !was_failing => {
                let error = whole(&error);
                tracing::error!(error, "Entra's metadata can't be renewed.");
            }
            Some(Ok(_)) if was_failing => tracing::info!("Entra's metadata can be had again."),
            Some(_) | None => {}
        }
    }

    /// What came of a fetch; none when there was no need for one.
    async fn renewed(&self) -> Option<Result<Arc<Provider>, IdpError>> {
        let Some(seen) = self.current() else { return Some(self.provider().await) };
        let now = self.clock.now();
        if now.is_within(EARLY, seen.fetched_at) {
            return None;
        }
        let mut fetching = self.fetching.lock().await;
        let failed = fetching.failed.as_ref();
        let lately = failed.is_some_and(|(failed_at, _)| now.is_within(PAUSE, *failed_at));
        if lately || self.replaced(Some(&seen)).is_some() {
            return None;
        }
        Some(self.fetch_into(&mut fetching).await)
    }

    /// When the metadata and keys in use were fetched, and how the last fetch went.
    pub(super) fn standing(&self) -> (Option<Timestamp>, Reach) {
        let fetched_at = self.current().map(|current| current.fetched_at);
        let reach = match (fetched_at, self.failing.load(Ordering::SeqCst)) {
            (_, true) => Reach::Failing,
            (None, false) => Reach::Unknown,
            (Some(_), false) => Reach::Reached,
        };
        (fetched_at, reach)
    }

    fn current(&self) -> Option<Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The provider in use, when it was fetched after `seen`.
    fn replaced(&self, seen: Option<&Current>) -> Option<Arc<Provider>> {
        let current = self.current();
        let later = current.filter(|now| seen.is_none_or(|seen| seen.number != now.number));
        later.map(|current| current.provider)
    }

    async fn fetch_into(&self, fetching: &mut Fetching) -> Result<Arc<Provider>, IdpError> {
        let fetched = self.fetch().await;
        let number = self.fetches.fetch_add(1, Ordering::SeqCst);
        self.failing.store(fetched.is_err(), Ordering::SeqCst);
        match fetched {
            Ok(provider) => {
                let same = self.current().filter(|current| *current.provider == provider);
                let provider = same.map_or_else(|| Arc::new(provider), |same| same.provider);
                fetching.failed = None;
                let fetched_at = self.clock.now();
                let current = Current { provider: Arc::clone(&provider), fetched_at, number };
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(current);
                Ok(provider)
            }
            Err(error) => {
                fetching.failed = Some((self.clock.now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn fetch(&self) -> Result<Provider, IdpError> {
        let version = match self.version {
            TokenVersion::V1 => "",
            TokenVersion::V2 => "/v2.0",
        };
        let tenant = &self.settings.tenant;
        let path = format!("/{tenant}{version}/.well-known/openid-configuration");
        let url = self.settings.authority.url(&path);
        let metadata: Metadata = self.get("metadata", &url).await?;
        let wrong = |problem| IdpError::Discovery { url: url.clone(), problem };
        let issuer = self.issuer(&metadata.issuer).map_err(wrong)?;
        let allowed = &self.settings.allowed_tenants;
        if matches!(&issuer, Issuer::One(_, own) if !allowed.is_empty() && !allowed.contains(own)) {
            return Err(wrong(
                "`allowed_tenants` does not list its tenant, so nobody could sign in",
            ));
        }
        let endpoints = [
            Some(&metadata.authorization_endpoint),
            Some(&metadata.token_endpoint),
            Some(&metadata.jwks_uri),
            metadata.end_session_endpoint.as_ref(),
        ];
        if !endpoints.into_iter().flatten().all(|endpoint| self.is_ours(endpoint)) {
            return Err(wrong("an endpoint is not on the authority's own origin"));
        }
        let set: KeySet = self.get("keys", &metadata.jwks_uri).await?;
        if set.keys.len() > MAX_KEYS {
            return Err(wrong("it names more than 100 keys"));
        }
        let mut keys: Vec<SigningKey> = set.keys.into_iter().filter_map(signing_key).collect();
        keys.sort_by(|one, other| one.kid.cmp(&other.kid));
        if keys.is_empty() {
            return Err(wrong("there is no usable RSA signing key"));
        }
        Ok(Provider {
            version: self.version,
            issuer,
            graph: self.graph(metadata.msgraph_host.as_deref()),
            authorization_endpoint: metadata.authorization_endpoint,
            token_endpoint: metadata.token_endpoint,
            end_session_endpoint: metadata.end_session_endpoint,
            cloud: metadata.cloud_instance_name,
            keys,
        })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        endpoint: &'static str,
        url: &str,
    ) -> Result<T, IdpError> {
        let id = request_id()?;
        let unavailable = |cause| {
            let (at, request) = (self.settings.authority.to_string(), id.clone());
            IdpError::Unavailable { endpoint, at, request, cause }
        };
        let fetched = async {
            let request = Request::get(url).header(http::header::ACCEPT, "application/json");
            let request = request.body(Vec::new()).map_err(|_| HttpError::Request)?;
            let answer = self.http.send(request, &id, ENTRA).await?;
            Ok(answer)
        };
        let answer: Response<Vec<u8>> = fetched.await.map_err(unavailable)?;
        if answer.status() == StatusCode::OK {
            let read = serde_json::from_slice(answer.body());
            return read.map_err(|_| unavailable(HttpError::Unreadable));
        }
        // What Entra says of a tenant that it does not know is worth more than the status.
        let readable = answer.status() == StatusCode::BAD_REQUEST;
        let said = EntraError::read(answer.body()).filter(|_| readable);
        match said.map(|said| said.refusal()) {
            Some(refusal) if !refusal.is_passing() => Err(IdpError::Refused(refusal)),
            Some(_) | None => Err(unavailable(useless(&answer))),
        }
    }

    /// The issuer that the settings lead to expect, or what is wrong with the one that is `named`.
    fn issuer(&self, named: &str) -> Result<Issuer, &'static str> {
        let of = |tenant: &str| match self.version {
            TokenVersion::V1 => format!("{}/{tenant}/", self.settings.v1_issuers()),
            TokenVersion::V2 => self.settings.authority.url(&format!("/{tenant}/v2.0")),
        };
        match self.settings.tenancy() {
            Tenancy::Id(id) if named == of(id.as_str()) => Ok(Issuer::One(named.to_owned(), id)),
            Tenancy::Many if named == of(PLACE_OF_TENANT) => Ok(Issuer::Template(named.to_owned())),
            Tenancy::Domain => {
                let tenant = named.rsplit('/').nth(1).and_then(|text| text.parse().ok());
                let tenant: Option<TenantId> =
                    tenant.filter(|id: &TenantId| named == of(id.as_str()));
                let tenant = tenant.ok_or("its issuer is not one of the authority's tenants")?;
                Ok(Issuer::One(named.to_owned(), tenant))
            }
            Tenancy::Id(_) | Tenancy::Many => {
                Err("its issuer is not the one that the settings lead to")
            }
        }
    }

    /// Whether codes, secrets and tokens may go to `endpoint`: the same origin as the authority.
    fn is_ours(&self, endpoint: &str) -> bool {
        let Ok(url) = url::Url::parse(endpoint) else { return false };
        let origin = url.origin().ascii_serialization().parse();
        url.username().is_empty()
            && url.password().is_none()
            && origin.is_ok_and(|origin: Origin| origin == self.settings.authority)
    }

    /// Graph as the settings name it, else as the metadata does, as long as it is a host that the cloud has for it. A
    /// provider that stands in for Entra may only name itself.
    fn graph(&self, named: Option<&str>) -> Option<Origin> {
        let authority = &self.settings.authority;
        let named = || match named? {
            itself if itself == authority.authority() => Some(authority.clone()),
            host if authority.is_https() && self.settings.cloud.graph_hosts().contains(&host) => {
                format!("https://{host}").parse().ok()
            }
            _ => None,
        };
        self.settings.graph_origin.clone().or_else(named)
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
    msgraph_host: Option<String>,
    cloud_instance_name: Option<String>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}
