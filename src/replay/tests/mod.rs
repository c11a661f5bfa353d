//! Decisions as the gate records them, spelled, read back and decided again.

mod flow;
mod impact;
mod random;
mod same;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Against, Check, Impact, Trial};
use crate::authz::compile::{MfaSetting, Terms, compile};
use crate::authz::console::ConsoleRules;
use crate::authz::decision::{Decision, Question};
use crate::authz::path::CanonicalPath;
use crate::authz::snapshot::Snapshot;
use crate::model::grant::Method;
use crate::model::id::{DecisionId, OriginId, ReleaseNumber};
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use crate::model::record::{
    Circumstances, ClientAddress, DecisionRecord, Door, MfaState, RequestFacts,
};
use crate::model::recorded::{Recorded, read_principal};
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

const FINANCE: &str = "f1a2ce00-0000-4000-8000-000000000001";
const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000000";

fn terms() -> Terms {
    Terms { public_host: "gate.example".parse().unwrap(), mfa: MfaSetting::Configured }
}

fn compiled(book: &RuleBook) -> Arc<Snapshot> {
    Arc::new(compile(book, ReleaseNumber(1), &terms()).unwrap())
}

/// Finance reads its area, whose letters don't matter; a home; one app.
fn book() -> RuleBook {
    serde_json::from_value(serde_json::json!({
        "apps": [{ "id": "shop", "name": "Shop", "origins": ["https://shop.example"] }],
        "routes": [
            { "id": "shop/home", "pattern": "/" },
            { "id": "shop/finance", "pattern": "/finance/{*rest}", "letter_case": "folded" },
            { "id": "shop/report", "pattern": "/reports/{year}" },
        ],
        "grants": [
            { "id": "home", "who": "everyone", "what": "read", "route": "shop/home", "reach": "only" },
            { "id": "finance", "who": { "group": FINANCE }, "what": "read", "route": "shop/finance" },
            { "id": "report", "who": "signed_in", "what": "read", "route": "shop/report",
              "when": { "hours": [{ "zone": "Europe/Prague", "days": ["wed"], "from": "00:00", "to": "24:00" }] } },
        ],
    }))
    .unwrap()
}

fn user(number: u8, name: &str, groups: &[&str]) -> Principal {
    Principal::User(User {
        directory_roles: BTreeSet::new(),
        subject: format!("{TENANT}.00000000-0000-4000-8000-{number:012x}").parse().unwrap(),
        user_name: format!("{name}@contoso.example"),
        name: name.to_owned(),
        email: None,
        guest: GuestStatus::Member,
        groups: groups.iter().map(|id| id.parse().unwrap()).collect(),
        roles: BTreeSet::new(),
    })
}

fn uma() -> Principal {
    user(1, "Uma", &[FINANCE])
}

/// A request.
#[derive(Debug, Clone)]
struct Ask {
    principal: Principal,
    method: Method,
    path: String,
    client: ClientAddress,
    now: Timestamp,
    mfa: MfaState,
    contexts: BTreeSet<String>,
}

impl Ask {
    fn new(principal: Principal, method: Method, path: &str) -> Self {
        Self {
            principal,
            method,
            path: path.to_owned(),
            client: ClientAddress::Known("192.0.2.1".parse().unwrap()),
            // A Wednesday.
            now: Timestamp::from_seconds(1_795_000_000),
            mfa: MfaState::NotMet,
            contexts: BTreeSet::new(),
        }
    }

    /// Decided and recorded as the front door and the enforcer do it.
    fn recorded(&self, rules: &Snapshot) -> DecisionRecord {
        let host = "shop.example".parse().unwrap();
        let app = rules.app(&host).unwrap().id.clone();
        let keeps = |path: &CanonicalPath| rules.keeps_slashes(Some(&app), path);
        let asked = CanonicalPath::read_where(self.path.as_bytes(), keeps).unwrap();
        let path = rules.as_app_reads(Some(&app), asked.clone());
        let found = rules.find(&app, path.as_str());
        let principal = PrincipalSnapshot::new(self.principal.clone());
        let circumstances = Circumstances {
            now: self.now,
            mfa: self.mfa,
            auth_contexts: self.contexts.clone(),
            signed_in_at: principal.is_known().then_some(Timestamp::from_seconds(1_794_999_000)),
            params: found.as_ref().map(|found| found.params.clone()).unwrap_or_default(),
            local: rules.local(self.now),
        };
        let decision = match &found {
            None => Decision::without_route(&principal),
            // Without the memory that deciding again uses.
            Some(found) => rules.decide_afresh(&Question {
                principal: &principal,
                route: &found.route,
                method: self.method,
                host: &host,
                path: path.as_str(),
                client: self.client,
                circumstances: &circumstances,
            }),
        };
        DecisionRecord {
            facts: RequestFacts {
                request: "r-1".parse().unwrap(),
                door: Door::Proxy,
                client: self.client,
                method: self.method.as_str().to_owned(),
                host: Some(host),
                path: path.as_str().to_owned(),
                unfolded: (path != asked).then(|| asked.as_str().to_owned()),
            },
            principal,
            session: None,
            app: Some(app),
            route: found.map(|found| found.route.id.clone()),
            action: self.method.as_str().to_owned(),
            console: None,
            circumstances,
            release: rules.number(),
            verdict: decision.verdict,
            reason: decision.reason,
            rules: decision.rules,
            errors: decision.errors,
            duration_us: 7,
        }
    }
}

fn id(seq: u64) -> DecisionId {
    DecisionId { origin: OriginId::from_bytes([1, 2, 3, 4, 5]), seq }
}

/// The body at the place `seq`, changed on the way.
fn spelled(record: &DecisionRecord, seq: u64, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut body = serde_json::to_value(record).unwrap();
    let head = serde_json::json!({
        "v": 1, "id": id(seq).to_string(), "at": "2026-11-18T10:00:00.000000Z", "kind": "decision",
        "salt": "AA", "principal": serde_json::from_str::<Value>(record.principal.reference()).unwrap(),
    });
    body.as_object_mut().unwrap().extend(head.as_object().unwrap().clone());
    change(&mut body);
    serde_json::to_vec(&body).unwrap()
}

/// Written into the log and read back.
fn through_the_log(record: &DecisionRecord, seq: u64) -> DecisionRecord {
    let read = Recorded::read(id(seq), &spelled(record, seq, |_| {})).unwrap();
    let principal = read_principal(record.principal.hash(), &record.principal.to_json()).unwrap();
    read.with(principal).unwrap()
}

/// Records, put to their own release again.
fn check(records: &[DecisionRecord], own: &Arc<Snapshot>) -> Check {
    let console = ConsoleRules::new(Vec::new()).unwrap();
    let mut check = Check::default();
    for (seq, record) in (0..).zip(records) {
        let record = through_the_log(record, seq);
        check.add((id(seq), &record), (Ok(own), &console));
    }
    check
}

/// Records, put to other rules.
fn measure(records: &[DecisionRecord], rules: &Arc<Snapshot>, against: Against) -> Impact {
    let trial = Trial { rules: Arc::clone(rules), against };
    let mut impact = Impact::default();
    for (seq, record) in (0..).zip(records) {
        impact.add((id(seq), &through_the_log(record, seq)), &trial);
    }
    impact.sorted()
}

fn no_params() -> BTreeMap<String, String> {
    BTreeMap::new()
}
