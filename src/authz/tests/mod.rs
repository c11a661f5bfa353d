//! Tables and properties of deciding.

mod access;
mod assertions;
mod compile;
mod console;
mod decide;
mod explain;
mod index;
mod layout;
mod letters;
mod limits;
mod lints;
mod overlaps;
mod path;
mod policy_text;
mod reach;
mod timing;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compile::{MfaSetting, Terms, compile};
use super::decision::{Decision, Question};
use super::snapshot::Snapshot;
use crate::model::app::App;
use crate::model::grant::{Grant, Method, Reach, What, Who};
use crate::model::id::{GroupId, ReleaseNumber, RouteId};
use crate::model::policy::Policy;
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use crate::model::record::{Circumstances, ClientAddress, MfaState};
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

pub(super) const FINANCE: &str = "f1a2ce00-0000-4000-8000-000000000001";
pub(super) const ADMINS: &str = "f1a2ce00-0000-4000-8000-000000000002";
const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000000";

pub(super) fn terms() -> Terms {
    Terms { public_host: "gate.example".parse().unwrap(), mfa: MfaSetting::Configured }
}

pub(super) fn app(id: &str, origin: &str) -> App {
    App {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        origins: vec![origin.parse().unwrap()],
        upstream: None,
        cors_origins: Vec::new(),
        header_aliases: Vec::new(),
    }
}

pub(super) fn route(id: &str, pattern: &str) -> Route {
    Route::new(id.parse().unwrap(), pattern.parse().unwrap())
}

pub(super) fn grant(id: &str, who: Who, what: What, route: &str) -> Grant {
    Grant::new(id.parse().unwrap(), who, what, route.parse().unwrap())
}

pub(super) fn policy(id: &str, text: &str) -> Policy {
    Policy { id: id.parse().unwrap(), text: text.to_owned() }
}

pub(super) fn group(id: &str) -> Who {
    Who::Group(id.parse().unwrap())
}

/// One app with a public home, a finance area, yearly reports and an admin area.
pub(super) fn book() -> RuleBook {
    let mut home = grant("home", Who::Everyone, What::Read, "shop/home");
    home.reach = Reach::Only;
    RuleBook {
        apps: vec![app("shop", "https://shop.example")],
        routes: vec![
            route("shop/home", "/"),
            route("shop/finance", "/finance/{*rest}"),
            route("shop/quarter", "/finance/q/{quarter}"),
            route("shop/reports", "/reports/{year}"),
            route("shop/admin", "/admin/{*rest}"),
        ],
        grants: vec![
            home,
            grant("finance-read", group(FINANCE), What::Read, "shop/finance"),
            grant(
                "reports",
                Who::Role("Reports.Read".parse().unwrap()),
                What::Read,
                "shop/reports",
            ),
            grant("admin", group(ADMINS), What::All, "shop/admin"),
        ],
        ..RuleBook::default()
    }
}

pub(super) fn user(name: &str, groups: &[&str], roles: &[&str]) -> Principal {
    let object =
        format!("00000000-0000-4000-8000-{:012x}", name.bytes().map(u64::from).sum::<u64>());
    Principal::User(User {
        directory_roles: BTreeSet::new(),
        subject: format!("{TENANT}.{object}").parse().unwrap(),
        user_name: format!("{name}@contoso.example"),
        name: name.to_owned(),
        email: None,
        guest: GuestStatus::Member,
        groups: groups.iter().map(|id| id.parse::<GroupId>().unwrap()).collect(),
        roles: roles.iter().map(|value| value.parse().unwrap()).collect(),
    })
}

/// A request in the tests: who asks for what, and how things stand.
pub(super) struct Ask {
    pub(super) principal: Arc<PrincipalSnapshot>,
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) client: ClientAddress,
    pub(super) now: Timestamp,
    pub(super) mfa: MfaState,
}

impl Ask {
    pub(super) fn new(principal: Principal, method: Method, path: &'static str) -> Self {
        let client = ClientAddress::Known("192.0.2.1".parse().unwrap());
        let now = Timestamp::from_seconds(1_795_000_000);
        let principal = PrincipalSnapshot::new(principal);
        Self { principal, method, path, client, now, mfa: MfaState::NotMet }
    }
}

pub(super) fn snapshot(book: &RuleBook) -> Snapshot {
    compile(book, ReleaseNumber(1), &terms()).unwrap()
}

/// Decides on the route that the path matches in the app `shop`.
pub(super) fn decide(snapshot: &Snapshot, ask: &Ask) -> Decision {
    ask_question(snapshot, ask, |question| snapshot.decide(question))
}

/// Makes the question of an [`Ask`] and puts it to `answer`.
pub(super) fn ask_question<T>(
    snapshot: &Snapshot,
    ask: &Ask,
    answer: impl FnOnce(&Question<'_>) -> T,
) -> T {
    let found =
        snapshot.find(&"shop".parse().unwrap(), ask.path).expect("the path matches a route");
    let circumstances = Circumstances {
        now: ask.now,
        mfa: ask.mfa,
        auth_contexts: BTreeSet::new(),
        signed_in_at: None,
        params: found.params.clone(),
        local: snapshot.local(ask.now),
    };
    let route: Arc<Route> = found.route;
    answer(&Question {
        principal: &ask.principal,
        route: &route,
        method: ask.method,
        host: &"shop.example".parse().unwrap(),
        path: ask.path,
        client: ask.client,
        circumstances: &circumstances,
    })
}

pub(super) fn params(
    snapshot: &Snapshot,
    path: &str,
) -> Option<(RouteId, BTreeMap<String, String>)> {
    let found = snapshot.find(&"shop".parse().unwrap(), path)?;
    Some((found.route.id.clone(), found.params))
}
