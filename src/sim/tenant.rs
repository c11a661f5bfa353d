//! The simulator itself: its origins, tenants, clock and memory.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use super::error::SimError;
use super::keys::Keys;
use super::people::{DOMAIN, Directory, GUEST_HOME, OTHER_DOMAIN, Person};
use super::settings::{Audience, Panel, Registration, SimSettings};
use super::state::State;
use crate::model::time::{Clock, Timestamp};

/// The pseudo-tenant of personal Microsoft accounts.
pub(super) const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A small simulator of Entra ID. Clones share everything, so a clone is the handle of a test.
#[derive(Debug, Clone)]
pub struct Sim {
    inner: Arc<Inner>,
    /// What this handle's addresses begin with.
    origin: Arc<str>,
}

#[derive(Debug)]
struct Inner {
    /// As it began.
    settings: SimSettings,
    clock: Clock,
    /// How far the simulator's clock is ahead of the given one, in seconds.
    skew: AtomicI64,
    /// Every origin that it is reached at.
    origins: Mutex<Vec<Arc<str>>>,
    state: Mutex<State>,
}

/// Which tenant an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// One tenant, by GUID or domain.
    Tenant(Directory),
    /// `common` or `organizations`.
    Any,
    /// `consumers`, by word or GUID: personal accounts, of which there are none.
    Consumers,
}

impl Sim {
    /// Makes the keys (about a quarter of a second each) and opens an empty memory.
    ///
    /// # Errors
    /// [`SimError::Setting`] when the origin is not an http(s) origin, [`SimError::Key`] when no key can be made.
    pub fn new(settings: SimSettings, clock: Clock) -> Result<Self, SimError> {
        Self::with_keys(settings, clock, Keys::generate()?)
    }

    /// Another simulator that signs with the keys of this one: tests need not wait for keys, and can tell a check of
    /// the issuer from a check of the signature.
    ///
    /// # Errors
    /// [`SimError::Setting`] when the origin is not an http(s) origin.
    pub fn sharing_keys(&self, settings: SimSettings, clock: Clock) -> Result<Self, SimError> {
        let keys = self.state().keys.clone();
        Self::with_keys(settings, clock, keys)
    }

    fn with_keys(settings: SimSettings, clock: Clock, keys: Keys) -> Result<Self, SimError> {
        check_origin(&settings.origin)?;
        let state = Mutex::new(State::new(keys, &settings));
        let origin: Arc<str> = settings.origin.as_str().into();
        let inner = Inner {
            settings,
            clock,
            skew: AtomicI64::new(0),
            origins: Mutex::new(vec![Arc::clone(&origin)]),
            state,
        };
        Ok(Self { inner: Arc::new(inner), origin })
    }

    /// The same simulator at a further origin, for one more listener: its router names that origin in every address
    /// and issuer. What a browser sends as `Host` is never asked.
    ///
    /// # Errors
    /// [`SimError::Setting`] when it is not an http(s) origin.
    pub fn at(&self, origin: &str) -> Result<Self, SimError> {
        check_origin(origin)?;
        let origin: Arc<str> = origin.into();
        let mut origins = self.inner.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if !origins.contains(&origin) {
            origins.push(Arc::clone(&origin));
        }
        drop(origins);
        Ok(Self { inner: Arc::clone(&self.inner), origin })
    }

    /// The origin of this handle.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Every origin that the simulator is reached at, the one in the settings first.
    pub fn origins(&self) -> Vec<Arc<str>> {
        self.inner.origins.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The tenant id in the settings.
    pub fn tenant(&self) -> &str {
        &self.inner.settings.tenant
    }

    /// `iss` of v2.0 tokens of that tenant.
    pub fn issuer(&self) -> String {
        self.issuer_of(self.tenant())
    }

    /// `iss` of v1.0 access tokens of that tenant: Entra's own, whatever the origin is.
    pub fn v1_issuer(&self) -> String {
        v1_issuer(self.tenant())
    }

    /// `iss` of v2.0 tokens, for a tenant id or for the literal `{tenantid}`.
    pub(super) fn issuer_of(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0", self.origin())
    }

    /// The tenant id of a directory.
    pub(super) fn tenant_of(&self, directory: Directory) -> &str {
        match directory {
            Directory::Contoso => self.tenant(),
            Directory::Fabrikam => GUEST_HOME,
        }
    }

    /// Whether the page of knobs is served.
    pub fn panel(&self) -> Panel {
        self.inner.settings.panel
    }

    /// The simulator's own time, which may be wrong.
    pub(super) fn now(&self) -> Timestamp {
        let now = self.inner.clock.now();
        let skew = self.skew();
        let span = Duration::from_secs(skew.unsigned_abs());
        if skew < 0 { now.minus(span) } else { now.plus(span) }
    }

    pub(super) fn skew(&self) -> i64 {
        self.inner.skew.load(Ordering::SeqCst)
    }

    pub(super) fn put_skew(&self, seconds: i64) {
        self.inner.skew.store(seconds, Ordering::SeqCst);
    }

    /// Puts people, groups, registrations, policies, conditions and the clock back to how they began, and takes ordered
    /// faults away. Keys, codes, tokens and sessions stay.
    pub fn reset(&self) {
        self.put_skew(0);
        self.state().reset(&self.inner.settings);
    }

    /// A registration as it is now.
    pub(super) fn client(&self, id: &str) -> Option<Registration> {
        self.state().registration(id).cloned()
    }

    pub(super) fn clients(&self) -> Vec<Registration> {
        self.state().registrations.clone()
    }

    /// The memory. A panic elsewhere does not make a test tenant unusable.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn resolve(&self, segment: &str) -> Option<Named> {
        let segment = segment.to_ascii_lowercase();
        match segment.as_str() {
            "common" | "organizations" => return Some(Named::Any),
            "consumers" | PERSONAL => return Some(Named::Consumers),
            DOMAIN => return Some(Named::Tenant(Directory::Contoso)),
            OTHER_DOMAIN => return Some(Named::Tenant(Directory::Fabrikam)),
            _ => {}
        }
        let all = [Directory::Contoso, Directory::Fabrikam];
        all.into_iter().find(|one| self.tenant_of(*one) == segment).map(Named::Tenant)
    }

    /// `sub`: stable for a person and a client, different for every client.
    pub(super) fn pairwise(&self, person: &Person, client: &str) -> String {
        let tenant = self.tenant_of(person.directory);
        let text = format!("{tenant}\n{}\n{client}", person.object_id);
        URL_SAFE_NO_PAD.encode(Sha256::digest(text))
    }
}

impl Named {
    /// Whether accounts of this directory sign in at the address.
    pub(super) fn takes(self, directory: Directory) -> bool {
        match self {
            Self::Tenant(one) => one == directory,
            Self::Any => true,
            Self::Consumers => false,
        }
    }

    /// Whether the registration may be used there at all; if not, the AADSTS number.
    pub(super) fn admits(self, registration: &Registration) -> Result<(), u32> {
        match (self, registration.audience) {
            (Self::Consumers, _) => Err(9_002_332),
            (Self::Any, Audience::MyOrg) => Err(50194),
            (Self::Tenant(Directory::Fabrikam), Audience::MyOrg) => Err(700_016),
            (Self::Tenant(Directory::Contoso), Audience::MyOrg)
            | (Self::Any | Self::Tenant(_), Audience::MultipleOrgs) => Ok(()),
        }
    }
}

/// `iss` of v1.0 tokens of a tenant.
pub(super) fn v1_issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

fn check_origin(origin: &str) -> Result<(), SimError> {
    let wanted = "an origin such as http://127.0.0.1:8081";
    let refused = || SimError::Setting { value: origin.to_owned(), wanted };
    let url = Url::parse(origin).map_err(|_| refused())?;
    if url.origin().ascii_serialization() == origin { Ok(()) } else { Err(refused()) }
}

/// `bytes` of the operating system's randomness, base64url.
pub(super) fn random(bytes: usize) -> Result<String, SimError> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).map_err(|_| SimError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(buffer))
}

/// A random GUID (RFC 9562, version 4).
pub(super) fn random_guid() -> Result<String, SimError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| SimError::Random)?;
    let value =
        u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{value:032x}");
    let mut guid = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            guid.push('-');
        }
        guid.push(digit);
    }
    Ok(guid)
}
