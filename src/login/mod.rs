//! The door for signing in and out.
//!
//! ```text
//! app host                      Cedargate's own host             Entra
//! /_gate/login ── handover ──>  /_gate/begin ── state, PKCE ──>  authorize
//!                               /_gate/callback  <── code ────── (a person signs in)
//! /_gate/handoff <── one-time ─ parent session
//! child session, return path    (a live parent session skips Entra)
//! ```
//!
//! A sign-in under way lives on the server: the address carries only an opaque id, never where it leads. Each half is
//! bound to its browser by a cookie of its own host, and each id, state and code works once, whoever shows it.
//! OpenID Connect Core 1.0 section 3.1, RFC 9700 (security best current practice), RFC 7636.
//!
//! Somebody who is signed in takes the same way to prove more of themselves (`asked`, `step_up`): what they were asked is
//! kept with the sign-in under way, the same person must come back with it, and their session gets new tokens.
//!
//! What is refused: a return path that any reader could take for another host; a state, code or hand-over of another
//! browser or host; parameters that come twice; signing out by a link or by another site's form. No text of the
//! provider and none of the visitor's choosing is ever shown. No token is ever part of an answer but as our cookie.

mod aadsts;
mod about;
mod answers;
mod arrive;
mod asked;
mod begin;
mod browser;
mod callback;
mod failed;
mod failure;
mod front_channel;
mod goal;
mod handoff;
mod query;
mod return_path;
mod rounds;
mod sign_out;
mod start;
mod step_up;
mod trouble;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub use self::rounds::Rounds;
use crate::audit::Audit;
use crate::idp::Idp;
use crate::live::Live;
use crate::model::host::Origin;
use crate::model::id::AuthContext;
use crate::model::time::Clock;
use crate::session::Sessions;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::web::assets;
use crate::web::refuser::Refuser;

/// Signs people in and out.
#[derive(Debug)]
pub struct Login {
    /// Entra.
    pub idp: Idp,
    /// The sessions.
    pub sessions: Arc<Sessions>,
    /// Where sign-ins under way are kept.
    pub store: Store,
    /// Takes sign-ins that failed.
    pub audit: Audit,
    /// Refuses forged forms and floods.
    pub refuser: Refuser,
    /// The apps and their origins.
    pub live: Live,
    /// Cedargate's own origin.
    pub public: Origin,
    /// The keys of assertions, as JSON.
    pub jwks: String,
    /// Counts sign-ins.
    pub metrics: Metrics,
    /// The time.
    pub clock: Clock,
    /// Browsers that go round in circles; starts empty.
    pub rounds: Rounds,
    /// The authentication context that stands for a second factor; none: nothing does.
    pub mfa: Option<AuthContext>,
    /// Whom people can ask when they can't sign in.
    pub contact: Option<String>,
}

impl Login {
    /// The addresses on Cedargate's own host. Each request must carry its `Arc<Exchange>` as an extension.
    pub fn on_public(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/_gate/begin", get(begin::begin))
            .route("/_gate/callback", get(callback::callback))
            .route("/_gate/logout", get(sign_out::ask).post(sign_out::sign_out))
            .route("/_gate/signed-out", get(sign_out::signed_out))
            .route("/_gate/frontchannel-logout", get(front_channel::end))
            .route("/_gate/csp-report", post(about::csp_report))
            .route("/_gate/jwks.json", get(about::jwks))
            .with_state(Arc::clone(self))
            .merge(assets::router())
    }

    /// The addresses on every app's host. Each request must carry its `Arc<Exchange>` as an extension.
    pub fn on_apps(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/_gate/login", get(start::login))
            .route("/_gate/handoff", get(handoff::handoff))
            .route("/_gate/logout", get(sign_out::ask).post(sign_out::sign_out))
            .route("/_gate/whoami", get(about::whoami))
            .route("/_gate/jwks.json", get(about::jwks))
            .with_state(Arc::clone(self))
            .merge(assets::router())
    }
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
