//! Starting, loading, listing and ending sessions.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use quick_cache::sync::Cache;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::task::TaskTracker;

use super::error::SessionError;
use super::needs::{Directory, Ledger};
use super::timekeeper::Timekeeper;
use super::token::{NoRandomness, Token};
use super::turns::Turns;
use crate::keys::TokenKey;
use crate::model::browser::Browser;
use crate::model::host::Host;
use crate::model::id::{ObjectId, SessionId, Subject};
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{Actor, ClientAddress, Event, MfaState, SessionEnd};
use crate::model::session::{Identity, Session};
use crate::model::time::{Clock, Timestamp};
use crate::store::{End, Opened, SecretHash, Start, Store, StoredSession};

/// How old an answer from memory may be.
const FRESH: Duration = Duration::from_secs(1);

/// Tokens whose session is held in memory.
const HELD: usize = 10_000;

/// Why a session is never re-checked, for the record.
const NO_REFRESH_TOKEN: &str = "no refresh token came with the sign-in";

/// Use is written down at most this often.
const TOUCH: Duration = Duration::from_mins(1);

/// Longer than Entra ever takes in health, shorter than people wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// What sessions are made of.
#[derive(Debug)]
pub struct Parts {
    /// Where they are kept.
    pub store: Store,
    /// Who reads groups again; none: nobody does.
    pub directory: Option<Arc<dyn Directory>>,
    /// Who keeps records.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Clock,
    /// How long and how many.
    pub limits: SessionLimits,
    /// Seals refresh tokens.
    pub token_key: TokenKey,
    /// The authentication context that counts as MFA; none: nothing does.
    pub mfa_context: Option<String>,
    /// Runs what must come to its end even when the request that began it goes away.
    pub tasks: TaskTracker,
}

/// How long sessions last, and how many one person may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without use.
    pub idle: Duration,
    /// Whatever happens.
    pub absolute: Duration,
    /// Between readings of groups and roles.
    pub recheck: Duration,
    /// How long an authentication context counts after it was met.
    pub step_up: Duration,
    /// At once; the oldest end.
    pub per_person: u32,
}

/// A person whom Entra vouched for, about to get a session.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Who.
    pub identity: Identity,
    /// For re-checks; none: there are none.
    pub refresh_token: Option<SecretString>,
    /// The gate's own host.
    pub host: Host,
    /// Where the person sits, for the record.
    pub client: ClientAddress,
    /// What they use, for lists.
    pub browser: Option<Browser>,
    /// The token that this browser carried; its session ends.
    pub replaced: Option<&'a Token>,
}

/// A session just started.
#[derive(Debug)]
pub struct SignedIn {
    /// Its name.
    pub id: SessionId,
    /// For the cookie on the gate's host.
    pub token: Token,
}

/// All sessions. See the module's text for the rules.
pub struct Sessions {
    pub(super) parts: Parts,
    pub(super) turns: Turns,
    /// How long a re-check waits for Entra.
    pub(super) patience: Duration,
    /// Itself, for tasks that outlive a request.
    pub(super) me: Weak<Self>,
    held: Cache<SecretHash, Held>,
    pub(super) timekeeper: Timekeeper,
    /// Counts ends. An answer held in memory is good only under the count that its look-up began with, so that no
    /// session outlives its end here, not even one whose look-up was under way.
    pub(super) ends: AtomicU64,
}

#[derive(Clone)]
struct Held {
    session: Arc<Session>,
    since: Timestamp,
    until: Timestamp,
    ends: u64,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("limits", &self.parts.limits).finish_non_exhaustive()
    }
}

impl Sessions {
    /// Sessions over `parts`.
    pub fn new(parts: Parts) -> Arc<Self> {
        Self::with_patience(parts, PATIENCE)
    }

    /// The same with another patience with Entra.
    pub(super) fn with_patience(parts: Parts, patience: Duration) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            timekeeper: Timekeeper::new(&parts.clock),
            parts,
            turns: Turns::default(),
            patience,
            me: Weak::clone(me),
            held: Cache::new(HELD),
            ends: AtomicU64::new(0),
        })
    }

    /// The session that a token opens on `host`; none when there is none, it has ended, or the token is of another host.
    ///
    /// # Errors
    /// When the database fails or a change of groups can't be recorded. Nobody may be let in then.
    pub async fn load(
        &self,
        token: &Token,
        host: &Host,
    ) -> Result<Option<Arc<Session>>, SessionError> {
        let (hash, now) = (token.hash(), self.parts.clock.now());
        let ends = self.ends.load(Ordering::SeqCst);
        if let Some(held) = self.held.get(&hash).filter(|held| held.is_good(now, ends)) {
            return Ok(Some(held.session).filter(|session| session.host == *host));
        }
        let Some(session) = self.open(&hash, host).await? else { return Ok(None) };
        let limit = self.idle_end(&session).min(session.ends_at).min(self.contexts_end(&session));
        let held = Held {
            until: limit.min(now.plus(FRESH)),
            session: Arc::new(self.seen_from(host, session)),
            since: now,
            ends,
        };
        self.held.insert(hash, held.clone());
        Ok(Some(held.session))
    }

    /// The live session with this id, as it is kept: also what signing out at Entra needs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, id: &SessionId) -> Result<Option<StoredSession>, SessionError> {
        let now = self.parts.clock.now();
        let session = self.parts.store.session(id).await?;
        Ok(session.filter(|session| !self.is_over(session, now)))
    }

    /// Starts a session for somebody who just signed in, under a new token. The browser's former session ends, and so do
    /// the person's oldest ones beyond the cap.
    ///
    /// # Errors
    /// When it can't be kept or recorded; there is no session then.
    pub async fn sign_in(&self, new: NewSession<'_>) -> Result<SignedIn, SessionError> {
        let (id, token) = (new_id()?, Token::generate()?);
        let session = self.fresh(id.clone(), &new)?;
        let replaced = new.replaced.map(Token::hash);
        let start = Start { replaced: replaced.as_ref(), per_person: self.parts.limits.per_person };
        self.parts.store.start_session(&session, &token.hash(), start).await?;
        self.forget_all();
        self.parts.ledger.changed();
        let never_again = self.parts.directory.is_some() && session.refresh_token.is_none();
        if let Err(error) = self.note_start(session, new.client).await {
            // A sign-in that is not on record lets nobody in.
            self.end(&id, SessionEnd::NotRecorded, Actor::Gate).await?;
            return Err(error);
        }
        if never_again {
            self.note_no_recheck(&id).await;
        }
        Ok(SignedIn { id, token })
    }

    /// A token for an app's host, in place of an older one there; none when the session has ended or `host` is the gate's.
    ///
    /// # Errors
    /// When it can't be kept.
    pub async fn child(
        &self,
        parent: &SessionId,
        host: &Host,
    ) -> Result<Option<Token>, SessionError> {
        let (token, now) = (Token::generate()?, self.parts.clock.now());
        if self.find(parent).await?.is_none() {
            return Ok(None);
        }
        let added = self.parts.store.add_child(parent, (&token.hash(), host), now).await?;
        self.forget_all();
        Ok(added.then_some(token))
    }

    /// Ends a session with all its children, at once; `false` when it had ended already. The end is on record with it.
    ///
    /// # Errors
    /// When the database fails; the session goes on then.
    pub async fn end(
        &self,
        id: &SessionId,
        why: SessionEnd,
        actor: Actor,
    ) -> Result<bool, SessionError> {
        self.end_for(id, self.because(why, actor)).await
    }

    /// The same with all that there is to say of it.
    pub(super) async fn end_for(&self, id: &SessionId, end: End) -> Result<bool, SessionError> {
        let ended = self.parts.store.end_session(id, &end).await?;
        self.ended(usize::from(ended));
        Ok(ended)
    }

    /// Ends all sessions that began in this session of Entra, with their children. Gives how many there were.
    ///
    /// # Errors
    /// When the database fails; the sessions go on then.
    pub async fn end_all_of_entra(&self, sid: &ObjectId) -> Result<usize, SessionError> {
        let end = self.because(SessionEnd::SignedOutAtEntra, Actor::Gate);
        let count = self.parts.store.end_sessions_of_entra(sid.as_str(), &end).await?;
        self.ended(count);
        Ok(count)
    }

    /// Ends all of a person's sessions but one, at their wish. Gives how many there were.
    ///
    /// # Errors
    /// When the database fails; the sessions go on then.
    pub async fn end_others(
        &self,
        subject: &Subject,
        kept: &SessionId,
    ) -> Result<usize, SessionError> {
        let end = self.because(SessionEnd::EndedElsewhere, Actor::Subject(subject.clone()));
        let count = self.parts.store.end_other_sessions((subject, kept), &end).await?;
        self.ended(count);
        Ok(count)
    }

    /// A person's live sessions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, subject: &Subject) -> Result<Vec<StoredSession>, SessionError> {
        let now = self.parts.clock.now();
        let mut sessions = self.parts.store.sessions_of(subject).await?;
        sessions.retain(|session| !self.is_over(session, now));
        Ok(sessions)
    }

    /// Looks whether the clock was set, and removes what is over: sessions, sign-ins and hand-overs. Gives the number of
    /// sessions that ended; when it is 500, more may wait.
    ///
    /// # Errors
    /// When the database fails, or a clock that was set can't be recorded; what is over is removed then all the same.
    pub async fn sweep(&self) -> Result<usize, SessionError> {
        let noted = self.note_clock_step().await;
        let now = self.parts.clock.now();
        self.parts.store.sweep_sign_ins(now).await?;
        self.parts.store.sweep_handovers(now).await?;
        let end = self.because(SessionEnd::Expired, Actor::Gate);
        let count = self.parts.store.sweep_sessions(self.parts.limits.idle, &end).await?;
        self.ended(count);
        noted.map(|()| count)
    }

    /// The session as it stands now: ended when it is over, noted as used, re-checked when that is due.
    async fn open(
        &self,
        token: &SecretHash,
        host: &Host,
    ) -> Result<Option<StoredSession>, SessionError> {
        let now = self.parts.clock.now();
        let opened = self.parts.store.session_of(token).await?;
        let Some(Opened { session, .. }) = opened.filter(|opened| opened.host == *host) else {
            return Ok(None);
        };
        let Some(mut session) = self.rebased(session).await? else { return Ok(None) };
        if self.is_over(&session, now) {
            self.end(&session.id, SessionEnd::Expired, Actor::Gate).await?;
            return Ok(None);
        }
        let stale = now.since(session.seen_at) >= TOUCH.min(self.parts.limits.idle / 2);
        if stale {
            self.parts.store.touch_session(&session.id, now).await?;
            session.seen_at = now;
        }
        if now < session.recheck_at {
            return Ok(Some(session));
        }
        let checked = self.recheck(session).await?;
        // Waiting for Entra may have taken the session over its limit.
        Ok(checked.filter(|session| !self.is_over(session, self.parts.clock.now())))
    }

    fn fresh(&self, id: SessionId, new: &NewSession<'_>) -> Result<StoredSession, SessionError> {
        let (now, identity) = (self.parts.clock.now(), &new.identity);
        let seal = |token: &SecretString| self.seal(&id, token);
        let refresh_token = new.refresh_token.as_ref().map(seal).transpose()?;
        let met = identity.auth_contexts.iter().map(|context| (context.clone(), now));
        Ok(StoredSession {
            host: new.host.clone(),
            subject: identity.user.subject.clone(),
            principal: PrincipalSnapshot::new(Principal::User(identity.user.clone())),
            auth_contexts: met.collect(),
            entra_session: entra_session(identity),
            login_hint: identity.login_hint.clone(),
            refresh_token,
            client: Some(new.client),
            browser: new.browser,
            signed_in_at: now,
            proved_at: proved_at(identity, now),
            authenticated_at: identity.authenticated_at,
            seen_at: now,
            recheck_at: now.plus(self.parts.limits.recheck),
            ends_at: now.plus(self.parts.limits.absolute),
            read_at: now,
            id,
        })
    }

    pub(super) fn seen_from(&self, host: &Host, session: StoredSession) -> Session {
        let auth_contexts = self.contexts_that_count(&session);
        Session {
            id: session.id,
            host: host.clone(),
            principal: session.principal,
            signed_in_at: session.signed_in_at,
            proved_at: session.proved_at,
            ends_at: session.ends_at,
            mfa: self.mfa(&auth_contexts),
            auth_contexts,
        }
    }

    fn mfa(&self, met: &BTreeSet<String>) -> MfaState {
        match &self.parts.mfa_context {
            Some(wanted) if met.contains(wanted) => MfaState::Met,
            Some(_) | None => MfaState::NotMet,
        }
    }

    /// A context met in the future was met before the clock went back; it does not count, since nobody can say for how
    /// long it would.
    fn contexts_that_count(&self, session: &StoredSession) -> BTreeSet<String> {
        let now = self.parts.clock.now();
        let counts = |met: Timestamp| met <= now && now < met.plus(self.parts.limits.step_up);
        let contexts = session.auth_contexts.iter().filter(|(_, met)| counts(**met));
        contexts.map(|(context, _)| context.clone()).collect()
    }

    /// When the first context that counts now stops counting.
    pub(super) fn contexts_end(&self, session: &StoredSession) -> Timestamp {
        let now = self.parts.clock.now();
        let ends = session.auth_contexts.values().map(|met| met.plus(self.parts.limits.step_up));
        ends.filter(|end| now < *end).min().unwrap_or(session.ends_at)
    }

    pub(super) fn seal(
        &self,
        id: &SessionId,
        token: &SecretString,
    ) -> Result<Vec<u8>, SessionError> {
        let plain = token.expose_secret().as_bytes();
        Ok(self.parts.token_key.seal(plain, id.as_str().as_bytes())?)
    }

    pub(super) fn is_over(&self, session: &StoredSession, now: Timestamp) -> bool {
        self.is_past((&session.id, session.seen_at, session.ends_at), now)
    }

    /// The same of a session with this last use and this end.
    pub(super) fn is_past(
        &self,
        (id, seen_at, ends_at): (&SessionId, Timestamp, Timestamp),
        now: Timestamp,
    ) -> bool {
        let idle_end = seen_at.plus(self.parts.limits.idle);
        let is_out = now >= ends_at || now >= idle_end;
        is_out || self.timekeeper.has_run_out(id, ends_at.since(now))
    }

    pub(super) fn idle_end(&self, session: &StoredSession) -> Timestamp {
        session.seen_at.plus(self.parts.limits.idle)
    }

    /// Makes every answer in memory worthless. Called after each change that takes something away.
    pub(super) fn forget_all(&self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
    }

    async fn note_start(
        &self,
        session: StoredSession,
        client: ClientAddress,
    ) -> Result<(), SessionError> {
        let actor = Actor::Subject(session.subject);
        let auth_contexts = session.auth_contexts.into_keys().collect();
        let session = session.id;
        let event = Event::SignedIn { actor, session, client, auth_contexts };
        Ok(self.parts.ledger.note(event).await?)
    }

    /// Nobody is kept out for it: what the operator has to mend is the registration.
    async fn note_no_recheck(&self, session: &SessionId) {
        tracing::warn!(session.id = %session, "Entra gave no refresh token at this sign-in (is `offline_access` granted?): groups are not read again until the session ends.");
        let detail = NO_REFRESH_TOKEN.to_owned();
        let event = Event::RecheckUnavailable { session: session.clone(), detail };
        if let Err(error) = self.parts.ledger.note(event).await {
            tracing::error!(error = %error, "A sign-in without a refresh token could not be recorded.");
        }
    }

    pub(super) fn because(&self, why: SessionEnd, by: Actor) -> End {
        End { why, detail: String::new(), by, at: self.parts.clock.now() }
    }

    /// After so many sessions ended: nothing in memory outlives them, and their records are taken over soon.
    pub(super) fn ended(&self, count: usize) {
        if count > 0 {
            self.forget_all();
            self.parts.ledger.changed();
        }
    }
}

impl Held {
    /// A clock that went back makes it worthless too.
    fn is_good(&self, now: Timestamp, ends: u64) -> bool {
        self.ends == ends && self.since <= now && now < self.until
    }
}

/// When the person proved who they are, as Entra tells it: a sign-in that it let pass without asking anything proves no
/// more than the one before. Without its word, `now`.
pub(super) fn proved_at(identity: &Identity, now: Timestamp) -> Timestamp {
    identity.authenticated_at.map_or(now, |at| at.min(now))
}

/// `sid` as it is looked up: Entra writes it in lower case, and so do we whatever comes.
pub(super) fn entra_session(identity: &Identity) -> Option<String> {
    identity.entra_session.as_ref().map(|sid| sid.to_ascii_lowercase())
}

/// 64 random bits: a name, not a secret, but one that nobody can count up.
fn new_id() -> Result<SessionId, SessionError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    let id = format!("s-{:016x}", u64::from_be_bytes(bytes)).parse();
    // The text is well formed by construction; the error only spares a panic.
    Ok(id.map_err(|_| NoRandomness)?)
}
