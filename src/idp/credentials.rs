//! What we prove ourselves with at the token endpoint: one credential, or two while one takes over from the other.
//!
//! Files are read when they are needed. A certificate that is renewed takes effect with the next request; while its
//! files don't fit together, because only one of them has been replaced so far, the last good pair goes on. A federated
//! token is replaced by the platform while we run, so it is read for every request.
//!
//! Of two credentials, the one that Entra took last is shown first. Requests carry one of them, never both.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::certificate::{Certificate, Files, read};
use super::credential_problem::{CredentialProblem as Problem, Which};
use super::error::{IdpError, Refusal};
use super::members::Members;
use crate::model::entra::Credential;
use crate::model::time::{Clock, Timestamp};

/// A token is a few kilobytes.
const MAX_TOKEN_BYTES: u64 = 64 * 1024;

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A client secret.
    Secret,
    /// A certificate.
    Certificate,
    /// The token of a federated identity.
    FederatedToken,
}

impl CredentialKind {
    /// In words: `client secret`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Secret => "client secret",
            Self::Certificate => "certificate",
            Self::FederatedToken => "federated token",
        }
    }
}

/// What became of a credential when it was last shown to Entra.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialOutcome {
    /// Not shown since the start.
    Untried,
    /// Entra took it.
    Accepted {
        /// When.
        at: Timestamp,
    },
    /// Entra did not take it.
    Refused {
        /// When.
        at: Timestamp,
        /// What Entra said.
        refusal: Refusal,
    },
}

/// How one credential stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialReport {
    /// Which of the two.
    pub which: Which,
    /// What it is.
    pub kind: CredentialKind,
    /// When it ends. None for a secret of which the settings don't say, and for files that could not be read yet.
    pub expires_at: Option<Timestamp>,
    /// What Entra made of it.
    pub outcome: CredentialOutcome,
    /// What is wrong with its files.
    pub problem: Option<Problem>,
}

/// A credential as it is shown once.
pub(super) enum Shown {
    /// `client_secret`, in the body (RFC 6749 section 2.3.1).
    Secret(SecretString),
    /// `client_assertion` (RFC 7523 section 2.2).
    Assertion(SecretString),
}

/// The credentials of the settings.
#[derive(Debug)]
pub(super) struct Credentials {
    held: Vec<Held>,
    preferred: AtomicUsize,
    client_id: String,
    clock: Clock,
}

/// One of them, with what is known of it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) which: Which,
    credential: Credential,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    loaded: Option<Arc<Certificate>>,
    expires_at: Option<Timestamp>,
    outcome: CredentialOutcome,
    problem: Option<Problem>,
}

impl Credentials {
    /// Holds them; no file is read yet.
    pub(super) fn new(
        client_id: &str,
        credentials: (Credential, Option<Credential>),
        clock: Clock,
    ) -> Self {
        let (first, second) = credentials;
        let first = Held::new(Which::First, first);
        let second = second.map(|credential| Held::new(Which::Second, credential));
        Self {
            held: std::iter::once(first).chain(second).collect(),
            preferred: AtomicUsize::new(0),
            client_id: client_id.to_owned(),
            clock,
        }
    }

    /// All of them, the one that worked last first.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Held> {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let (before, from) = self.held.split_at(preferred.min(self.held.len()));
        from.iter().chain(before)
    }

    /// Makes `held` ready for one request to `endpoint`.
    ///
    /// # Errors
    /// [`IdpError::Credential`] when its files can't be used.
    pub(super) async fn show(&self, held: &Held, endpoint: &str) -> Result<Shown, IdpError> {
        let now = self.clock.now();
        match &held.credential {
            Credential::Secret { value, .. } => Ok(Shown::Secret(value.clone())),
            Credential::Certificate { certificate_file, key_file } => {
                let certificate = held.certificate((certificate_file, key_file), now).await?;
                certificate.assertion((&self.client_id, endpoint), now).map(Shown::Assertion)
            }
            Credential::FederatedToken { file } => {
                held.token(file, now).await.map(Shown::Assertion)
            }
        }
    }

    /// Entra took it.
    pub(super) fn accepted(&self, held: &Held) {
        held.state().outcome = CredentialOutcome::Accepted { at: self.clock.now() };
        let place = self.held.iter().position(|one| one.which == held.which);
        self.preferred.store(place.unwrap_or(0), Ordering::Relaxed);
    }

    /// Entra did not take it.
    pub(super) fn refused(&self, held: &Held, refusal: &Refusal) {
        let at = self.clock.now();
        held.state().outcome = CredentialOutcome::Refused { at, refusal: refusal.clone() };
    }

    /// All of them, the second first: whichever works last is preferred afterwards, and of two good ones that is the
    /// first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Held> {
        self.held.iter().rev()
    }

    /// Reads the files again, so that the reports tell how they are now. Says in the log what has become wrong.
    pub(super) async fn look(&self) {
        for held in &self.held {
            let before = held.problem();
            self.look_at(held).await;
            if let Some(problem) = held.problem().filter(|now| before.as_ref() != Some(now)) {
                let (table, kind) = (held.which.table(), held.kind().words());
                tracing::error!(credential = table, %problem, "The {kind} for Entra can't be used.");
            }
        }
    }

    async fn look_at(&self, held: &Held) {
        let now = self.clock.now();
        match &held.credential {
            Credential::Secret { .. } => {}
            Credential::Certificate { certificate_file, key_file } => {
                drop(held.certificate((certificate_file, key_file), now).await);
            }
            Credential::FederatedToken { file } => drop(held.token(file, now).await),
        }
    }

    /// How each of them stands.
    pub(super) fn reports(&self) -> Vec<CredentialReport> {
        self.held.iter().map(Held::report).collect()
    }
}

impl Held {
    fn new(which: Which, credential: Credential) -> Self {
        let expires_at = match &credential {
            Credential::Secret { expires_at, .. } => *expires_at,
            Credential::Certificate { .. } | Credential::FederatedToken { .. } => None,
        };
        let outcome = CredentialOutcome::Untried;
        let state = State { loaded: None, expires_at, outcome, problem: None };
        Self { which, credential, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kind(&self) -> CredentialKind {
        match &self.credential {
            Credential::Secret { .. } => CredentialKind::Secret,
            Credential::Certificate { .. } => CredentialKind::Certificate,
            Credential::FederatedToken { .. } => CredentialKind::FederatedToken,
        }
    }

    fn report(&self) -> CredentialReport {
        let state = self.state();
        CredentialReport {
            which: self.which,
            kind: self.kind(),
            expires_at: state.expires_at,
            outcome: state.outcome.clone(),
            problem: state.problem.clone(),
        }
    }

    /// The pair in the files, or the last good one while they don't hold a good one.
    async fn certificate(
        &self,
        (certificate, key): (&Path, &Path),
        now: Timestamp,
    ) -> Result<Arc<Certificate>, IdpError> {
        let before = self.state().loaded.clone();
        let loaded = match Files::read(certificate, key).await {
            Ok(files) => match &before {
                Some(same) if same.is_made_of(&files) => Ok(Arc::clone(same)),
                Some(_) | None => Certificate::parse(&files).map(Arc::new),
            },
            Err(problem) => Err(problem),
        };
        let usable = loaded.and_then(|loaded| {
            self.state().expires_at = Some(loaded.expires_at);
            loaded.check(now).map(|()| loaded)
        });
        match usable {
            Ok(certificate) => {
                let mut state = self.state();
                state.loaded = Some(Arc::clone(&certificate));
                state.problem = None;
                Ok(certificate)
            }
            Err(problem) => {
                self.note(&problem);
                let last_good = before.filter(|before| before.check(now).is_ok());
                last_good.ok_or(IdpError::Credential { which: self.which, problem })
            }
        }
    }

    async fn token(&self, file: &Path, now: Timestamp) -> Result<SecretString, IdpError> {
        let found = token(file).await.and_then(|(token, expires_at)| {
            self.state().expires_at = expires_at;
            match expires_at {
                Some(at) if at <= now => Err(Problem::Expired { file: file.to_owned(), at }),
                Some(_) | None => Ok(token),
            }
        });
        match found {
            Ok(token) => {
                self.state().problem = None;
                Ok(token)
            }
            Err(problem) => {
                self.note(&problem);
                Err(IdpError::Credential { which: self.which, problem })
            }
        }
    }

    fn note(&self, problem: &Problem) {
        self.state().problem = Some(problem.clone());
    }

    fn problem(&self) -> Option<Problem> {
        self.state().problem.clone()
    }
}

/// A token with its `exp`. It is Entra that checks it; here it must only look like one.
async fn token(file: &Path) -> Result<(SecretString, Option<Timestamp>), Problem> {
    let named = || PathBuf::from(file);
    let not_a_token = || Problem::NotAToken { file: named() };
    let content = read(file, MAX_TOKEN_BYTES).await?;
    let text = String::from_utf8(content).map_err(|_| not_a_token())?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::NoToken { file: named() });
    }
    let parts: Vec<&str> = text.split('.').collect();
    let [_, claims, _] = parts.as_slice() else { return Err(not_a_token()) };
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| not_a_token())?;
    let claims = Members::parse(&claims).map_err(|_| not_a_token())?;
    let expires_at = claims.seconds("exp").map(Timestamp::from_seconds);
    Ok((SecretString::from(text.to_owned()), expires_at))
}
