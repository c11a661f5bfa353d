//! What the simulator remembers: people, groups, registrations, codes, tokens, browser sessions, and ordered faults.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::time::Timestamp;

use super::conditions::{Conditions, GraphState};
use super::fault::{AuthorizeFault, Tamper, TokenFault};
use super::groups::{self, Group};
use super::keys::Keys;
use super::people::Person;
use super::policies::{Factor, Policies};
use super::settings::{Registration, SimSettings};

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
    /// As they were asked for at the authorize endpoint.
    pub(super) scopes: Vec<String>,
    /// Authentication contexts for the ID token.
    pub(super) id_acrs: BTreeSet<String>,
    /// Authentication contexts for the access token.
    pub(super) access_acrs: BTreeSet<String>,
    pub(super) factor: Factor,
    pub(super) authenticated_at: Timestamp,
    /// Whether `max_age` was asked, which brings `auth_time`.
    pub(super) max_age: Option<i64>,
}

/// How a `code_verifier` is compared (RFC 7636 section 4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The request had none, which Entra allows clients that have a credential.
    Absent,
    Plain(String),
    S256(String),
}

/// An authorization code, bound to the request that asked for it.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) granted: Granted,
    pub(super) tenant_segment: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: Challenge,
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
    pub(super) factor: Factor,
    pub(super) authenticated_at: Timestamp,
    pub(super) clients: Vec<String>,
}

/// Whom an access token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// A person, by object id, through a client.
    Person(String),
    /// A client by itself, by client id.
    Client(String),
}

/// An access token for Graph.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) subject: Subject,
    pub(super) sub: String,
    pub(super) permissions: BTreeSet<String>,
    pub(super) expires_at: Timestamp,
}

/// All of it, behind one lock that is never held across an await.
#[derive(Debug)]
pub(super) struct State {
    pub(super) keys: Keys,
    pub(super) registrations: Vec<Registration>,
    pub(super) people: Vec<Person>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) policies: Policies,
    pub(super) conditions: Conditions,
    pub(super) graph: GraphState,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) refresh: BTreeMap<String, Refresh>,
    pub(super) access: BTreeMap<String, Access>,
    pub(super) sessions: BTreeMap<String, BrowserSession>,
    /// Every access token that was handed out for an API, for tests that look for leaks.
    pub(super) api_tokens: BTreeSet<String>,
    pub(super) next_authorize: Option<AuthorizeFault>,
    pub(super) next_fault: Option<TokenFault>,
    pub(super) next_tamper: Option<Tamper>,
    pub(super) next_access_tamper: Option<Tamper>,
    /// How many federated assertions are still refused, as before a new credential has spread.
    pub(super) federation_lag: u32,
}

impl State {
    pub(super) fn new(keys: Keys, settings: &SimSettings) -> Self {
        Self {
            keys,
            registrations: settings.clients.clone(),
            people: settings.people.clone(),
            groups: groups::contoso(),
            policies: Policies::binding(settings.bound_contexts.clone()),
            conditions: Conditions::new(),
            graph: GraphState::default(),
            codes: BTreeMap::new(),
            refresh: BTreeMap::new(),
            access: BTreeMap::new(),
            sessions: BTreeMap::new(),
            api_tokens: BTreeSet::new(),
            next_authorize: None,
            next_fault: None,
            next_tamper: None,
            next_access_tamper: None,
            federation_lag: 0,
        }
    }

    /// As it began, but for keys and for what was handed out.
    pub(super) fn reset(&mut self, settings: &SimSettings) {
        let fresh = Self::new(self.keys.clone(), settings);
        let old = std::mem::replace(self, fresh);
        self.codes = old.codes;
        self.refresh = old.refresh;
        self.access = old.access;
        self.sessions = old.sessions;
        self.api_tokens = old.api_tokens;
    }

    pub(super) fn person(&self, object_id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.object_id == object_id)
    }

    pub(super) fn person_mut(&mut self, user: &str) -> Option<&mut Person> {
        self.people.iter_mut().find(|person| person.user == user || person.object_id == user)
    }

    pub(super) fn registration(&self, client: &str) -> Option<&Registration> {
        self.registrations.iter().find(|registration| registration.client_id == client)
    }
}
