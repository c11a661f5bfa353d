//! Sessions over a database of their own, a clock that tests move, and stand-ins for Entra and the log.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::*;
use crate::keys::{Keys, TokenKey};
use crate::model::host::Host;
use crate::model::id::Subject;
use crate::model::principal::Principal;
use crate::model::record::{Actor, ClientAddress, Event, SessionEnd};
use crate::model::session::{Identity, Session};
use crate::model::time::{Clock, Timestamp};
use crate::store::{End, OutboxRow, Store};

mod clock;
mod life;
mod reading;
mod recheck;
mod step_up;
mod token;

const UMA: &str = "22222222-2222-2222-2222-222222222222.33333333-3333-3333-3333-333333333333";
const ROB: &str = "22222222-2222-2222-2222-222222222222.44444444-4444-4444-4444-444444444444";

/// A record-keeper that remembers, and can be told to fail.
#[derive(Debug, Default)]
struct Log {
    words: Mutex<Vec<String>>,
    /// How far the outbox was read.
    taken: Mutex<i64>,
    broken: Mutex<bool>,
}

impl Ledger for Log {
    fn note(&self, event: Event) -> Pending<'_, Result<(), NotRecorded>> {
        Box::pin(async move {
            if *self.broken.lock().unwrap() {
                return Err(NotRecorded { detail: "disk full".to_owned() });
            }
            self.words.lock().unwrap().push(event.kind().to_owned());
            Ok(())
        })
    }

    fn changed(&self) {}
}

/// An end as it waits in the outbox: why, by whom, and what else there is to say.
fn word(row: &OutboxRow) -> String {
    let why = SessionEnd::from_word(row.change.after["why"].as_str().unwrap()).unwrap();
    let by = if row.author.by == "gate" { "gate" } else { "person" };
    let detail = row.change.after["detail"].as_str().unwrap();
    format!("ended {why:?} by {by} {detail}").trim_end().to_owned()
}

/// How the stand-in for Entra answers.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// With this role and a refresh token of the next number.
    Role(&'static str),
    /// With another person.
    Stranger,
    Refuses,
    Away,
    Silent,
    /// Refuses once the test lets it.
    Hesitates,
}

#[derive(Debug)]
struct Entra {
    mood: Mutex<Mood>,
    asked: AtomicUsize,
    tokens: Mutex<Vec<String>>,
    /// Lets a hesitating answer go.
    go: tokio::sync::Notify,
}

impl Directory for Entra {
    fn recheck<'a>(
        &'a self,
        refresh_token: &'a SecretString,
        _: &'a Subject,
    ) -> Pending<'a, Result<Recheck, Unavailable>> {
        Box::pin(async move {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 2;
            self.tokens.lock().unwrap().push(refresh_token.expose_secret().to_owned());
            let mood = *self.mood.lock().unwrap();
            // Others get their chance to ask as well.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let renewed = |identity| {
                let refresh_token = Some(format!("refresh-{number}").into());
                Ok(Recheck::Renewed(Box::new(Renewed { identity, refresh_token })))
            };
            match mood {
                Mood::Role(role) => renewed(identity(UMA, &[role])),
                Mood::Stranger => renewed(identity(ROB, &[])),
                Mood::Refuses => Ok(Recheck::Refused { detail: "AADSTS50057".to_owned() }),
                Mood::Away => Err(Unavailable { detail: "connection refused".to_owned() }),
                Mood::Silent => std::future::pending().await,
                Mood::Hesitates => {
                    self.go.notified().await;
                    Ok(Recheck::Refused { detail: "AADSTS50057".to_owned() })
                }
            }
        })
    }
}

struct Scene {
    directory: tempfile::TempDir,
    store: Store,
    clock: Clock,
    entra: Arc<Entra>,
    log: Arc<Log>,
    sessions: Arc<Sessions>,
}

async fn scene() -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/cedargate.db", directory.path().display());
    let store = Store::open(&url).await.unwrap();
    let clock = Clock::fixed(Timestamp::from_seconds(1_790_000_000));
    let entra = Arc::new(Entra {
        mood: Mutex::new(Mood::Role("Reports.Read")),
        asked: AtomicUsize::new(0),
        tokens: Mutex::default(),
        go: tokio::sync::Notify::new(),
    });
    let log = Arc::new(Log::default());
    let token_key = token_key(&directory, "keys");
    let parts = parts(&store, (&clock, &entra, &log), token_key);
    let sessions = Sessions::new(parts);
    Scene { directory, store, clock, entra, log, sessions }
}

fn parts(
    store: &Store,
    (clock, entra, log): (&Clock, &Arc<Entra>, &Arc<Log>),
    token_key: TokenKey,
) -> Parts {
    Parts {
        store: store.clone(),
        directory: Some(Arc::<Entra>::clone(entra)),
        ledger: Arc::<Log>::clone(log),
        clock: clock.clone(),
        limits: SessionLimits {
            idle: Duration::from_hours(1),
            absolute: Duration::from_hours(12),
            recheck: Duration::from_mins(15),
            step_up: Duration::from_mins(30),
            per_person: 20,
        },
        token_key,
        mfa_context: Some("c1".to_owned()),
        tasks: tokio_util::task::TaskTracker::new(),
    }
}

impl Scene {
    /// The same data under a process that was just started.
    fn restarted(self) -> Self {
        let key = token_key(&self.directory, "keys");
        let parts = parts(&self.store, (&self.clock, &self.entra, &self.log), key);
        Self { sessions: Sessions::new(parts), ..self }
    }

    /// The same with another patience with Entra.
    fn impatient(self, patience: Duration) -> Self {
        let key = token_key(&self.directory, "keys");
        let parts = parts(&self.store, (&self.clock, &self.entra, &self.log), key);
        Self { sessions: Sessions::with_patience(parts, patience), ..self }
    }

    async fn sign_in(&self, who: &str) -> SignedIn {
        self.sign_in_again(who, None).await.unwrap()
    }

    async fn sign_in_again(
        &self,
        who: &str,
        replaced: Option<&Token>,
    ) -> Result<SignedIn, SessionError> {
        let new = NewSession {
            identity: identity(who, &["Reports.Read"]),
            refresh_token: Some("refresh-1".into()),
            host: gate(),
            client: ClientAddress::Known(Ipv4Addr::LOCALHOST.into()),
            browser: None,
            replaced,
        };
        self.sessions.sign_in(new).await
    }

    async fn load(&self, token: &Token, host: &Host) -> Option<Arc<Session>> {
        self.sessions.load(token, host).await.unwrap()
    }

    /// Whether the token opens its session on the gate's host.
    async fn is_open(&self, token: &Token) -> bool {
        self.load(token, &gate()).await.is_some()
    }

    fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    fn be(&self, mood: Mood) {
        *self.entra.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> usize {
        self.entra.asked.load(Ordering::SeqCst)
    }

    /// What happened since the last call: what was noted, then what ended.
    async fn log(&self) -> Vec<String> {
        let mut words = std::mem::take(&mut *self.log.words.lock().unwrap());
        let taken = *self.log.taken.lock().unwrap();
        let rows = self.store.outbox_after(taken, 1_000).await.unwrap();
        words.extend(rows.iter().map(word));
        *self.log.taken.lock().unwrap() = rows.last().map_or(taken, |row| row.id);
        words
    }
}

fn identity(who: &str, roles: &[&str]) -> Identity {
    let user = serde_json::json!({
        "subject": who, "user_name": "uma@contoso.example", "name": "Uma", "email": null,
        "guest": "member", "groups": [], "roles": roles,
    });
    Identity {
        user: serde_json::from_value(user).unwrap(),
        auth_contexts: BTreeSet::new(),
        entra_session: None,
        login_hint: None,
        authenticated_at: None,
    }
}

/// An end by the gate.
fn end(why: SessionEnd) -> End {
    End { why, detail: String::new(), by: Actor::Gate, at: Timestamp::from_seconds(0) }
}

fn roles(session: &Session) -> Vec<String> {
    match &**session.principal {
        Principal::User(user) => user.roles.iter().map(ToString::to_string).collect(),
        Principal::Workload(_) | Principal::Anonymous => Vec::new(),
    }
}

fn gate() -> Host {
    "gate.contoso.com".parse().unwrap()
}

fn app() -> Host {
    "payroll.contoso.com".parse().unwrap()
}

/// The key in the directory `name`, made when it is missing.
fn token_key(directory: &tempfile::TempDir, name: &str) -> TokenKey {
    Keys::open(&directory.path().join(name)).unwrap().token
}
