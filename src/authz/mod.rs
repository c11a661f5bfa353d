//! The verdict: how a request becomes allow or deny. Pure functions over [`crate::model`]; no IO, no clock, no chance.
//!
//! # Vocabulary
//!
//! A **principal** (who) asks to do an **action** (one HTTP method) on a **route** (a path pattern of an app) under
//! **circumstances** (time, address, how they signed in). **Rules** answer: grants, which a form can edit, and
//! policies, which somebody wrote in Cedar. A **snapshot** is a release's rules compiled for answering.
//!
//! # Three persons
//!
//! Uma is in the group Finance, Rob holds the app role `Reports.Read`, and somebody is not signed in. The rules:
//!
//! ```text
//! grant finance-read:  group Finance      may read   /finance/{*rest} and below
//! grant reports:       role Reports.Read  may read   /reports/{year}  and below
//! policy office-only:  forbid (principal, action in Action::"write", resource in Route::"intranet/finance")
//!                      unless { context.ip.isInRange(ip("10.0.0.0/8")) };
//! ```
//!
//! | who | asks | answer | why |
//! |---|---|---|---|
//! | Uma | `GET /finance/summary` | allow | `grant:finance-read` permits, nothing forbids |
//! | Uma | `POST /finance/summary` from 192.0.2.1 | deny, `forbidden` | `policy:office-only`; a forbid beats every permit |
//! | Rob | `GET /finance/summary` | deny, `no_grant` | no permit applies; nothing is open by default |
//! | nobody | `GET /reports/2026` | deny, `not_signed_in` | signing in might help, so they are sent there |
//! | anyone | `GET /nowhere` | deny, `no_route` | no route covers the path, so there is nothing to decide on |
//!
//! # One check, step by step
//!
//! 1. [`path`] turns the raw bytes of the target into the one canonical path, or refuses them. It repairs nothing.
//! 2. [`tree`] finds the app of the host and the route of the path, once. That route is what Cedar sees, what the
//!    record says and what the proxy acts on.
//! 3. [`entities`] makes Cedar entities of principal and route, and a context of the circumstances. The route's
//!    parents are all wider routes of its app, so a rule about `/admin` reaches everything carved out of it.
//! 4. [`index`] picks the policies that can have a say: those whose scope names the principal, the action and the route,
//!    something above them, or nothing. So a decision costs the same in a small rule book and in a large one.
//! 5. [`snapshot`] lets Cedar evaluate these and reads the answer. Any evaluation error is a deny: Cedar skips a policy that
//!    fails, and a skipped `forbid` would open the door.
//!
//! What does not change between requests is made once: [`prepared`] entities, and in [`memo`] the answers that depend on
//! nothing that a request brings along.
//!
//! # Why
//!
//! [`weigh`] takes a rule apart and puts each clause to Cedar by itself. [`explain`] does so for a decision: which rule made
//! it, and which came near and lacks what. [`prospect`] does so when not everything is known, and answers always, under
//! conditions, or never; [`access`] asks that of the present, for pages, and [`reach`] for people who are known; on
//! [`prospect`] stand the queries and the [`assertions`] that are kept with the rules. [`telling`] says all of it in words.
//!
//! An open connection is decided again while it lives; [`timing`] says when the passing of time alone can change the
//! answer.
//!
//! # How rules come to be
//!
//! [`compile`] checks a rule book as a whole and reports everything wrong with it at once, faults in policies by line and
//! column ([`policy_text`]). [`grants`] turns a grant into Cedar through its JSON form, never through text. [`schema`]
//! types everything that policies can speak of, and each policy is validated strictly against it: when a draft is
//! compiled and again when a release is loaded.
//! [`limits`] keeps rule books at a size, and policies at a [`depth`], at which all of this works.
//! [`lints`] points at what is valid and most likely not meant, [`layout`] lays policies out.
//! [`console`] answers for the console itself, by the same engine.

pub mod access;
pub mod assertions;
pub mod compile;
pub mod console;
mod contexts;
pub mod decision;
mod depth;
pub mod entities;
pub mod explain;
pub mod grants;
mod index;
pub mod layout;
pub mod limits;
pub mod lints;
mod memo;
mod nearest;
pub mod outline;
mod overlaps;
pub mod path;
mod policy_text;
mod prepared;
pub mod problem;
pub mod prospect;
pub mod reach;
mod reads;
mod references;
pub mod schema;
pub mod snapshot;
mod stack;
pub mod stand_in;
pub mod telling;
pub mod timing;
mod tokens;
pub mod tree;
pub mod weigh;
mod zones;

#[cfg(test)]
mod tests;
