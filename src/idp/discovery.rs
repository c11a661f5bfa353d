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

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, Response, StatusCode};
use openidconnect::core::CoreJsonWebKey;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use super::error::{EntraError, HttpError, IdpError};
use super::http::{ENTRA, Outbound, request_id, useless};
use super::settings::{EntraSettings, Tenancy, TokenVersion};
use crate::model::entra::Cloud;
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
const SHORT_PAUSE: Duration = Duration::from_secs(5);
/// More keys than any provider has.
const MAX_KEYS: usize = 100;
/// Bytes of an RSA modulus: 2048 to 8192 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Public exponents: 3 to 2^32 - 1, as other readers of keys have it. A huge one makes each check of a signature slow.
const EXPONENT_BYTES: std::ops::RangeInclusive<usize> = 1..=4;

/// The part of an issuer's template that stands for the tenant.
const PLACE_OF_TENANT: &str = "{tenantid}";

/// What [`Idp::probe`](super::Idp::probe) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The issuer, or its template.
    pub issuer: String,
    /// How many signing keys are usable.
    pub keys: usize,
}

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

/// A provider as its metadata and keys describe it.
#[derive(Debug)]
pub(super) struct Provider {
    /// Which tokens these keys are for.
    pub(super) version: TokenVersion,
    /// Whose tokens these are: an issuer or its template.
    pub(super) issuer: Issuer,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) end_session_endpoint: Option<String>,
    /// Microsoft Graph for this cloud.
    pub(super) graph: Option<Origin>,
    cloud: Option<String>,
    keys: Vec<SigningKey>,
    fetched_at: Timestamp,
}

/// A signing key with what the library's own type forgets.
#[derive(Debug)]
pub(super) struct SigningKey {
    pub(super) key: CoreJsonWebKey,
    kid: Option<String>,
    issuer: Option<String>,
    cloud: Option<String>,
}

/// One issuer, or a template for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Issuer {
    /// `https://login.microsoftonline.com/<guid>/v2.0`.
    One(String, TenantId),
    /// `https://login.microsoftonline.com/{tenantid}/v2.0`.
    Template(String),
}

impl Issuer {
    /// The issuer that a token of `tenant` must name, byte for byte.
    pub(super) fn of(&self, tenant: &str) -> String {
        match self {
            Self::One(issuer, _) => issuer.clone(),
            Self::Template(template) => template.replace(PLACE_OF_TENANT, tenant),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::One(text, _) | Self::Template(text) => text,
        }
    }
}

impl Provider {
    /// The one key called `kid`, when it may speak for `issuer` of `tenant`. A token that names none is meant for the
    /// only key there is (OpenID Connect Core 1.0 section 10.1); Entra names one always and has several.
    ///
    /// # Errors
    /// In one word: `kid` for none or several such keys, `key_issuer` for a key of somebody else.
    pub(super) fn key(
        &self,
        kid: Option<&str>,
        issuer: &str,
        tenant: &str,
    ) -> Result<&SigningKey, &'static str> {
        let meant = |key: &&SigningKey| kid.is_none() || key.kid.as_deref() == kid;
        let mut keys = self.keys.iter().filter(meant);
        let key = keys.next().filter(|_| keys.next().is_none()).ok_or("kid")?;
        let fits =
            |text: &String| text == issuer || text.replace(PLACE_OF_TENANT, tenant) == issuer;
        let same_cloud = key.cloud.is_none() || self.cloud.is_none() || key.cloud == self.cloud;
        if key.issuer.as_ref().is_none_or(fits) && same_cloud { Ok(key) } else { Err("key_issuer") }
    }

    /// Without a name there is nothing to look for: fetching again would not help.
    fn knows(&self, kid: Option<&str>) -> bool {
        kid.is_none() || self.keys.iter().any(|key| key.kid.as_deref() == kid)
    }

    /// Where tokens of our own are asked for: always one tenant's address, so at an address for many that of `tenant`.
    ///
    /// # Errors
    /// [`IdpError::Discovery`] when the metadata leads nowhere in particular.
    pub(super) fn own_endpoint(&self, tenant: Option<&TenantId>) -> Result<String, IdpError> {
        let Issuer::Template(template) = &self.issuer else {
            return Ok(self.token_endpoint.clone());
        };
        let many = "/organizations/";
        match tenant {
            Some(tenant) if self.token_endpoint.matches(many).count() == 1 => {
                Ok(self.token_endpoint.replace(many, &format!("/{tenant}/")))
            }
            Some(_) | None => Err(IdpError::Discovery {
                url: template.clone(),
                problem: "its token_endpoint does not tell one tenant from another",
            }),
        }
    }

    /// The scope of a token of our own for Graph. A simulator's Graph goes by the name of the real one.
    pub(super) fn graph_scope(&self, cloud: Cloud) -> String {
        let named = self.graph.as_ref().map(|graph| graph.host().to_string());
        let hosts = cloud.graph_hosts();
        let known = hosts.iter().find(|host| named.as_deref() == Some(**host));
        format!("https://{}/.default", known.or(hosts.first()).unwrap_or(&"graph.microsoft.com"))
    }

    /// What a probe reports.
    pub(super) fn found(&self) -> Found {
        Found { issuer: self.issuer.as_str().to_owned(), keys: self.keys.len() }
    }
}

/// Fetches and keeps the provider's metadata and keys.
#[derive(Debug)]
pub(super) struct Discovery {
    version: TokenVersion,
    settings: Arc<EntraSettings>,
    http: Outbound,
    clock: Clock,
    current: RwLock<Option<Arc<Provider>>>,
    /// Held while fetching, so that one fetch serves everybody who waits.
    fetching: Mutex<Fetching>,
    /// Fetches that ended so far, well or not.
    fetches: AtomicU64,
    /// Whether the last one failed.
    failing: AtomicBool,
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
        if let Some(provider) = seen.as_ref().filter(|p| now.since(p.fetched_at) < FRESH) {
            return Ok(Arc::clone(provider));
        }
        let fetches_before = self.fetches.load(Ordering::SeqCst);
        let mut fetching = self.fetching.lock().await;
        if let Some(provider) = self.replaced(seen.as_ref()) {
            return Ok(provider);
        }
        let usable = seen.filter(|provider| now.since(provider.fetched_at) < USABLE);
        if let Some((failed_at, error)) = &fetching.failed {
            // With something usable at hand there is no hurry; whoever waited for a fetch shares its failure.
            let shared = self.fetches.load(Ordering::SeqCst) != fetches_before;
            match &usable {
                Some(provider) if now.since(*failed_at) < PAUSE => return Ok(Arc::clone(provider)),
                None if shared || now.since(*failed_at) < SHORT_PAUSE => return Err(error.clone()),
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
        if let Some(provider) = self.replaced(Some(&seen)) {
            return Ok(provider);
        }
        let now = self.clock.now();
        if fetching.forced_at.is_some_and(|at| now.since(at) < PAUSE) {
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
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "Entra's metadata can't be renewed.");
            }
            Some(Ok(_)) if was_failing => tracing::info!("Entra's metadata can be had again."),
            Some(_) | None => {}
        }
    }

    /// What came of a fetch; none when there was no need for one.
    async fn renewed(&self) -> Option<Result<Arc<Provider>, IdpError>> {
        let Some(seen) = self.current() else { return Some(self.provider().await) };
        let now = self.clock.now();
        if now.since(seen.fetched_at) < EARLY {
            return None;
        }
        let mut fetching = self.fetching.lock().await;
        let failed = fetching.failed.as_ref();
        let lately = failed.is_some_and(|(failed_at, _)| now.since(*failed_at) < PAUSE);
        if lately || self.replaced(Some(&seen)).is_some() {
            return None;
        }
        Some(self.fetch_into(&mut fetching).await)
    }

    /// When the metadata and keys in use were fetched, and how the last fetch went.
    pub(super) fn standing(&self) -> (Option<Timestamp>, Reach) {
        let fetched_at = self.current().map(|provider| provider.fetched_at);
        let reach = match (fetched_at, self.failing.load(Ordering::SeqCst)) {
            (_, true) => Reach::Failing,
            (None, false) => Reach::Unknown,
            (Some(_), false) => Reach::Reached,
        };
        (fetched_at, reach)
    }

    fn current(&self) -> Option<Arc<Provider>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The provider in use, when it is no longer `seen`.
    fn replaced(&self, seen: Option<&Arc<Provider>>) -> Option<Arc<Provider>> {
        self.current().filter(|now| seen.is_none_or(|seen| !Arc::ptr_eq(seen, now)))
    }

    async fn fetch_into(&self, fetching: &mut Fetching) -> Result<Arc<Provider>, IdpError> {
        let fetched = self.fetch().await;
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.failing.store(fetched.is_err(), Ordering::SeqCst);
        match fetched {
            Ok(provider) => {
                let provider = Arc::new(provider);
                fetching.failed = None;
                *self.current.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(Arc::clone(&provider));
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
        let keys: Vec<SigningKey> = set.keys.into_iter().filter_map(signing_key).collect();
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
            fetched_at: self.clock.now(),
        })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        endpoint: &'static str,
        url: &str,
    ) -> Result<T, IdpError> {
        let id = request_id()?;
        let unavailable = |cause| IdpError::Unavailable { endpoint, request: id.clone(), cause };
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

/// An RSA key for signatures, of a sensible size. Others are left out: they can't verify an RS256 token.
fn signing_key(raw: Value) -> Option<SigningKey> {
    let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
    let length = |name: &str| {
        let number = URL_SAFE_NO_PAD.decode(text(name)?).ok()?;
        Some(number.iter().skip_while(|byte| **byte == 0).count())
    };
    let sensible = MODULUS_BYTES.contains(&length("n")?) && EXPONENT_BYTES.contains(&length("e")?);
    let for_signing = text("use").is_none_or(|purpose| purpose == "sig");
    if text("kty")? != "RSA" || !for_signing || !sensible {
        return None;
    }
    let (kid, issuer, cloud) = (text("kid"), text("issuer"), text("cloud_instance_name"));
    Some(SigningKey { key: serde_json::from_value(raw).ok()?, kid, issuer, cloud })
}
