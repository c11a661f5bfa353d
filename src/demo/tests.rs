//! The demo's rules as one table: persons × routes × methods. Whoever changes a rule sees here what that changes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::authz::assertions;
use crate::authz::compile::{MfaSetting, Terms, compile};
use crate::authz::decision::Question;
use crate::authz::snapshot::Snapshot;
use crate::model::grant::Method;
use crate::model::id::ReleaseNumber;
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User, Workload};
use crate::model::record::{Circumstances, ClientAddress, MfaState, Verdict};
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;
use crate::rule_files;
use crate::sim::people;

const NOW: i64 = 1_795_000_000;

struct Persona {
    name: &'static str,
    principal: Arc<PrincipalSnapshot>,
    mfa: MfaState,
}

fn persona(name: &'static str, object: &str, groups: &[&str], roles: &[&str]) -> Persona {
    let user = User {
        subject: format!("{}.{object}", people::TENANT).parse().unwrap(),
        user_name: format!("{name}@{}", people::DOMAIN),
        name: name.to_owned(),
        email: None,
        guest: if name == "gia" { GuestStatus::Guest } else { GuestStatus::Member },
        groups: groups.iter().map(|id| id.parse().unwrap()).collect(),
        roles: roles.iter().map(|value| value.parse().unwrap()).collect(),
        directory_roles: std::collections::BTreeSet::new(),
    };
    let principal = PrincipalSnapshot::new(Principal::User(user));
    Persona { name, principal, mfa: MfaState::NotMet }
}

/// Gia, a guest, was put into the administrators' group here: the case that the forbid is there for.
fn personas() -> Vec<Persona> {
    let job = Principal::Workload(Workload {
        subject: format!("{}.{}", people::TENANT, people::NIGHTLY_JOB_OBJECT).parse().unwrap(),
        client: people::NIGHTLY_JOB.to_owned(),
        roles: [people::JOBS_RUN.parse().unwrap()].into(),
    });
    let uma = || persona("uma", people::UMA, &[people::FINANCE], &[]);
    vec![
        Persona {
            name: "nobody",
            principal: PrincipalSnapshot::new(Principal::Anonymous),
            mfa: MfaState::NotMet,
        },
        persona("nora", people::NORA, &[], &[]),
        uma(),
        Persona { name: "uma+mfa", mfa: MfaState::Met, ..uma() },
        persona("rob", people::ROB, &[], &[people::REPORTS_READ]),
        persona("gia", people::GIA, &[people::IT_ADMINS], &[]),
        persona("olive", people::OLIVE, &[people::IT_ADMINS], &[]),
        Persona { name: "job", principal: PrincipalSnapshot::new(job), mfa: MfaState::NotMet },
    ]
}

fn rules() -> (RuleBook, Snapshot) {
    let book = rule_files::demo().unwrap();
    let terms =
        Terms { public_host: "gate.localhost".parse().unwrap(), mfa: MfaSetting::Configured };
    let snapshot = compile(&book, ReleaseNumber(1), &terms).unwrap();
    (book, snapshot)
}

/// `R`: may read, `W`: may change; from the machine itself.
fn cell(book: &RuleBook, snapshot: &Snapshot, route: &Route, persona: &Persona) -> &'static str {
    let may = |method| {
        let known = persona.principal.is_known();
        let circumstances = Circumstances {
            now: Timestamp::from_seconds(NOW),
            mfa: persona.mfa,
            auth_contexts: std::collections::BTreeSet::new(),
            signed_in_at: known.then(|| Timestamp::from_seconds(NOW)),
            params: BTreeMap::new(),
            local: snapshot.local(Timestamp::from_seconds(NOW)),
        };
        let question = Question {
            principal: &persona.principal,
            route,
            method,
            host: book.apps[0].origins[0].host(),
            path: route.pattern.as_str(),
            client: ClientAddress::Known("127.0.0.1".parse().unwrap()),
            circumstances: &circumstances,
        };
        snapshot.decide(&question).verdict == Verdict::Allow
    };
    match (may(Method::Get), may(Method::Post)) {
        (true, true) => "RW",
        (true, false) => "R ",
        (false, true) => " W",
        (false, false) => " .",
    }
}

#[test]
fn who_may_do_what_in_the_demo() {
    let (book, snapshot) = rules();
    let personas = personas();
    let mut table = format!("{:10}", "");
    for persona in &personas {
        write!(table, "{:9}", persona.name).unwrap();
    }
    for route in &book.routes {
        write!(table, "\n{:10}", route.id.name()).unwrap();
        for persona in &personas {
            write!(table, "{:9}", cell(&book, &snapshot, route, persona)).unwrap();
        }
    }
    let table: Vec<_> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn assertions_of_the_demo_hold() {
    let (book, snapshot) = rules();
    let broken = assertions::run(&book, &snapshot, Timestamp::from_seconds(NOW));
    assert_eq!(broken, []);
    assert_eq!(book.assertions.len(), 3);
}
