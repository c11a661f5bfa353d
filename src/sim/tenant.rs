//! The simulated tenant: its settings, its clock and everything it remembers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use url::Url;

use super::error::SimError;
use super::keys::Keys;
use super::people::{DOMAIN, Person};
use super::state::State;
use crate::model::time::{Clock, Timestamp};

/// One application registration.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Application (client) id, a GUID.
    pub client_id: String,
    /// The client secret.
    pub secret: SecretString,
    /// Name on the sign-in page.
    pub name: String,
    /// Redirect URIs, compared exactly. The port of `http://localhost` is ignored.
    pub redirect_uris: Vec<String>,
    /// Further addresses that a sign-out may return to.
    pub logout_uris: Vec<String>,
    /// Front-channel logout URL, loaded in a hidden frame when a person signs out.
    pub frontchannel_logout: Option<String>,
}

/// What the simulator is given.
#[derive(Debug, Clone)]
pub struct SimSettings {
    /// Origin that browsers and the gate reach it at, without a trailing slash: `http://127.0.0.1:8081`.
    pub origin: String,
    /// Tenant id, a GUID.
    pub tenant: String,
    /// Applications that may ask.
    pub clients: Vec<Registration>,
    /// Everyone in the directory.
    pub people: Vec<Person>,
}

/// A small simulator of Entra ID for one tenant. Clones share everything, so a clone is the handle of a test.
#[derive(Debug, Clone)]
pub struct Sim {
    inner: Arc<Inner>,
    /// Where this handle's router is reached; every address that it names begins so.
    origin: Arc<str>,
}

#[derive(Debug)]
struct Inner {
    settings: SimSettings,
    clock: Clock,
    state: Mutex<State>,
}

/// Which tenant an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// The tenant, by GUID or domain.
    Tenant,
    /// `common` or `organizations`.
    Any,
}

impl Sim {
    /// Makes the keys (about a quarter of a second each) and opens an empty memory.
    ///
    /// # Errors
    /// [`SimError::Setting`] when the origin is not an http(s) origin, [`SimError::Key`] when no key can be made.
    pub fn new(settings: SimSettings, clock: Clock) -> Result<Self, SimError> {
        Self::with_keys(settings, clock, Keys::generate()?)
    }

    /// Another tenant that signs with the keys of this one: tests need not wait for keys, and can tell a check of the
    /// issuer from a check of the signature.
    ///
    /// # Errors
    /// [`SimError::Setting`] when the origin is not an http(s) origin.
    pub fn sharing_keys(&self, settings: SimSettings, clock: Clock) -> Result<Self, SimError> {
        let keys = self.state().keys.clone();
        Self::with_keys(settings, clock, keys)
    }

    fn with_keys(settings: SimSettings, clock: Clock, keys: Keys) -> Result<Self, SimError> {
        check_origin(&settings.origin)?;
        let state = Mutex::new(State::new(keys, settings.people.clone()));
        let origin = settings.origin.as_str().into();
        Ok(Self { inner: Arc::new(Inner { settings, clock, state }), origin })
    }

    /// The same tenant as it is reached at another origin, by a listener of its own: issuer and endpoints follow the
    /// listener that was asked, never what a client calls the host.
    ///
    /// # Errors
    /// [`SimError::Setting`] when `origin` is not an http(s) origin.
    pub fn at(&self, origin: &str) -> Result<Self, SimError> {
        check_origin(origin)?;
        Ok(Self { inner: Arc::clone(&self.inner), origin: origin.into() })
    }

    /// Where this handle's router is reached: the origin in the settings, or that of [`Sim::at`].
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The tenant id in the settings.
    pub fn tenant(&self) -> &str {
        &self.inner.settings.tenant
    }

    /// `iss` of every ID token.
    pub fn issuer(&self) -> String {
        format!("{}/{}/v2.0", self.origin(), self.tenant())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(super) fn client(&self, id: &str) -> Option<&Registration> {
        self.inner.settings.clients.iter().find(|client| client.client_id == id)
    }

    pub(super) fn clients(&self) -> &[Registration] {
        &self.inner.settings.clients
    }

    /// The memory. A panic elsewhere does not make a test tenant unusable.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn resolve(&self, segment: &str) -> Option<Named> {
        let segment = segment.to_ascii_lowercase();
        if segment == self.tenant() || segment == DOMAIN {
            return Some(Named::Tenant);
        }
        matches!(segment.as_str(), "common" | "organizations").then_some(Named::Any)
    }

    /// `sub`: stable for a person and a client, different for every client.
    pub(super) fn pairwise(&self, object_id: &str, client: &str) -> String {
        let text = format!("{}\n{object_id}\n{client}", self.tenant());
        URL_SAFE_NO_PAD.encode(Sha256::digest(text))
    }
}

fn check_origin(origin: &str) -> Result<(), SimError> {
    let wanted = "an origin such as http://127.0.0.1:8081";
    let refused = || SimError::Setting { value: origin.to_owned(), wanted };
    let url = Url::parse(origin).map_err(|_| refused())?;
    if url.origin().ascii_serialization() == origin { Ok(()) } else { Err(refused()) }
}

impl Registration {
    /// Whether `asked` is registered, by Entra's rule: exact, but for the port of `http://localhost`.
    pub(super) fn has_redirect(&self, asked: &str) -> bool {
        self.redirect_uris.iter().any(|registered| same_redirect(registered, asked))
    }

    /// Whether a sign-out may return to `asked`.
    pub(super) fn has_logout(&self, asked: &str) -> bool {
        self.logout_uris.iter().chain(&self.redirect_uris).any(|uri| same_redirect(uri, asked))
    }
}

fn same_redirect(registered: &str, asked: &str) -> bool {
    registered == asked
        || matches!((portless(registered), portless(asked)), (Some(a), Some(b)) if a == b)
}

/// The path of an `http://localhost` address: all of it that counts.
fn portless(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("http://localhost")?;
    let (port, path) = rest.split_once('/')?;
    let digits = port.strip_prefix(':').unwrap_or(port);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(path)
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
