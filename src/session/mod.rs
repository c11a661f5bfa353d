//! Sessions: who is signed in, in which browser, and until when.
//!
//! # Parent and child
//!
//! A person signs in on the gate's own host; that makes the *parent* session. Each app host that the browser visits gets
//! a *child*: a token of its own under a cookie of that host, so that no cookie spans hosts and no app can replay what it
//! sees on another. A child has nothing but its token: identity, limits, re-checks and end are the parent's. A token
//! opens its session on its own host only.
//!
//! # Limits
//!
//! A session ends when it was not used for the idle limit, at its absolute limit, when Entra refuses to renew it, when the
//! person signs out, when the same browser signs in again, when the person has too many, when an owner ends it in the
//! console, and when the session epoch is raised. Use is noted at most once a minute, so an idle session ends up to a minute early.
//!
//! A clock that is set stretches none of these: the time that a session has left is held against time that passes as well,
//! and the stricter wins. Both are the [`Clock`](crate::model::time::Clock)'s.
//!
//! # Re-checks
//!
//! When groups and roles are due to be read again, the request that finds it out waits for the answer, and so do all
//! others of the same session: the refresh token is redeemed once at a time. It is done by a task of its own, so that
//! requests which are given up neither put it off nor lose its answer; whoever waits too long for it is not let in.
//! The principal is replaced whole, never merged. When Entra can't be reached, the session keeps what it had until its
//! limits, the record says so, and the next try is a minute later. A session without a refresh token (Entra gave none) is
//! never re-checked: it keeps the groups of its sign-in until its limits, and log and record say so at the sign-in.
//!
//! # Step-ups
//!
//! Somebody who is signed in can prove more at Entra: an authentication context, or that they were there just now. The
//! session keeps its id, its limits and what it knew; the proof is added with its time, and every token of it, parent and
//! children, is replaced. A context counts for its own limit after it was met, and re-checks don't renew it.
//!
//! # What is refused
//!
//! A token is only ever made here: one that a browser presents is never adopted. Only its hash is kept. An answer from
//! memory is at most a second old and never outlives the end of any session in this process.

mod adapters;
mod clock_step;
mod error;
mod everybody;
mod needs;
mod reading;
mod recheck;
mod sealed_text;
mod sessions;
mod sign_out;
mod step_up;
mod timekeeper;
mod token;
mod turns;
mod watch;

pub use self::adapters::Counted;
pub use self::error::SessionError;
pub use self::needs::{Directory, Ledger, NotRecorded, Pending, Recheck, Renewed, Unavailable};
pub use self::reading::Reading;
pub use self::sessions::{NewSession, Parts, SessionLimits, Sessions, SignedIn};
pub use self::step_up::{Proven, SteppedUp};
pub use self::token::{NoRandomness, Token};
pub use self::watch::Watched;

#[cfg(test)]
mod tests;
