//! Entries to record.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::host::Host;
use crate::model::id::ReleaseNumber;
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use crate::model::record::{
    Circumstances, ClientAddress, DecisionRecord, Door, MfaState, Reason, Refusal, RefusalRecord,
    RequestFacts, RuleId, Verdict,
};
use crate::model::time::Timestamp;

pub(super) const TENANT: &str = "7f2c3a10-0000-4000-8000-000000000001";
pub(super) const UMA: &str = "7f2c3a10-0000-4000-8000-0000000000aa";

pub(super) fn principal() -> Principal {
    Principal::User(User {
        directory_roles: BTreeSet::new(),
        subject: format!("{TENANT}.{UMA}").parse().unwrap(),
        user_name: "uma@contoso.example".to_owned(),
        name: "Uma".to_owned(),
        email: None,
        guest: GuestStatus::Member,
        groups: BTreeSet::from(["7f2c3a10-0000-4000-8000-0000000000f1".parse().unwrap()]),
        roles: BTreeSet::new(),
    })
}

pub(super) fn facts() -> RequestFacts {
    RequestFacts {
        request: "r-1".parse().unwrap(),
        door: Door::Proxy,
        client: ClientAddress::Known([192, 0, 2, 7].into()),
        method: "GET".to_owned(),
        host: Some(Host::from_authority("app.localhost").unwrap()),
        path: "/finance/report".to_owned(),
        unfolded: None,
    }
}

pub(super) fn decision(verdict: Verdict) -> DecisionRecord {
    DecisionRecord {
        facts: facts(),
        principal: PrincipalSnapshot::new(principal()),
        session: Some("s-1".parse().unwrap()),
        app: Some("payroll".parse().unwrap()),
        route: Some("payroll/finance".parse().unwrap()),
        action: "GET".to_owned(),
        console: None,
        circumstances: Circumstances {
            now: Timestamp::from_seconds(1_795_480_000),
            mfa: MfaState::NotMet,
            auth_contexts: BTreeSet::new(),
            signed_in_at: None,
            params: BTreeMap::new(),
            local: BTreeMap::new(),
        },
        release: ReleaseNumber(3),
        verdict,
        reason: match verdict {
            Verdict::Allow => Reason::Granted,
            Verdict::Deny => Reason::NoGrant,
        },
        rules: vec![RuleId::Grant("g-finance-read".parse().unwrap())],
        errors: Vec::new(),
        duration_us: 12,
    }
}

pub(super) fn refusal() -> RefusalRecord {
    RefusalRecord { facts: facts(), refusal: Refusal::AmbiguousPath { rule: "double_slash" } }
}
