//! The door that traffic goes through: who, what, decided, recorded, carried.
//!
//! [`enforce`] is the one choke point. [`proxy`] takes an exchange to it and carries what it lets through; [`upstream`]
//! is where traffic leaves, and takes a permit to do so. [`step_up`] knows when proving more would help, `obstacle` what else would. [`headers`] keeps
//! the client from speaking in our name.
//!
//! What lives longer than a moment is on the list in [`open`], and [`watcher`] holds it against things as they stand: what
//! would be denied now is cut.

pub mod answers;
pub mod assertion;
pub mod enforce;
mod frames;
pub mod headers;
pub mod identity;
mod known;
mod looks;
mod obstacle;
pub mod open;
mod patience;
pub mod proxy;
mod standing;
pub mod step_up;
mod streaming;
mod tunnel;
pub mod upstream;
mod visit;
pub mod watcher;
mod websocket;
mod wires;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::audit::Audit;
use crate::idp::Idp;
use crate::session::Sessions;
use crate::telemetry::Metrics;
use crate::web::refuser::Refuser;

use self::enforce::Enforcer;
use self::identity::Introductions;
use self::open::OpenConnections;
use self::step_up::StepUps;
use self::upstream::Upstream;

/// What the gateway works with; it is given nothing else.
#[derive(Debug)]
pub struct Gateway {
    /// Who is signed in.
    pub sessions: Arc<Sessions>,
    /// Whose an access token is.
    pub idp: Idp,
    /// Decisions and their records.
    pub enforcer: Enforcer,
    /// What a refused person can prove to be let in after all.
    pub step_ups: StepUps,
    /// Refusals and their records.
    pub refuser: Refuser,
    /// For events of the traffic itself.
    pub audit: Audit,
    /// Signed identity for upstreams.
    pub introductions: Introductions,
    /// Where traffic leaves.
    pub upstream: Upstream,
    /// What is under way.
    pub open: Arc<OpenConnections>,
    /// Counters.
    pub metrics: Metrics,
}
