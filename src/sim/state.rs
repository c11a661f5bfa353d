//! What the simulator remembers: people, codes, tokens, its own browser sessions, and faults ordered by tests.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::time::Timestamp;

use super::fault::{Tamper, TokenFault};
use super::keys::Keys;
use super::people::Person;

/// Codes are gone after this long.
pub(super) const CODE_LIFE: Duration = Duration::from_mins(10);

/// Whether something that works once or until revoked still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Fresh,
    Spent,
}

/// What a sign-in granted; codes and refresh tokens stand for it.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    pub(super) client: String,
    pub(super) object_id: String,
    pub(super) sid: String,
    pub(super) scopes: Vec<String>,
    pub(super) acrs: Vec<String>,
}

/// An authorization code, bound to the request that asked for it.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) granted: Granted,
    pub(super) tenant_segment: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) made_at: Timestamp,
    pub(super) used: Use,
}

/// A refresh token. An old one goes on working when a new one is given, as at Entra.
#[derive(Debug, Clone)]
pub(super) struct Refresh {
    pub(super) granted: Granted,
    pub(super) used: Use,
}

/// A browser that is signed in at the simulator.
#[derive(Debug, Clone)]
pub(super) struct BrowserSession {
    pub(super) object_id: String,
    pub(super) sid: String,
    pub(super) acrs: Vec<String>,
    pub(super) clients: Vec<String>,
}

/// A Graph access token.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) object_id: String,
    pub(super) sub: String,
    pub(super) expires_at: Timestamp,
}

/// All of it, behind one lock that is never held across an await.
#[derive(Debug)]
pub(super) struct State {
    pub(super) keys: Keys,
    pub(super) people: Vec<Person>,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) refresh: BTreeMap<String, Refresh>,
    pub(super) access: BTreeMap<String, Access>,
    pub(super) sessions: BTreeMap<String, BrowserSession>,
    pub(super) next_fault: Option<TokenFault>,
    pub(super) next_tamper: Option<Tamper>,
}

impl State {
    pub(super) fn new(keys: Keys, people: Vec<Person>) -> Self {
        Self {
            keys,
            people,
            codes: BTreeMap::new(),
            refresh: BTreeMap::new(),
            access: BTreeMap::new(),
            sessions: BTreeMap::new(),
            next_fault: None,
            next_tamper: None,
        }
    }

    pub(super) fn person(&self, object_id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.object_id == object_id)
    }

    pub(super) fn person_mut(&mut self, user: &str) -> Option<&mut Person> {
        self.people.iter_mut().find(|person| person.user == user || person.object_id == user)
    }
}
