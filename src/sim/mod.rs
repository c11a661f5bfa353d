//! A small simulator of Entra ID, for the demo and for tests: one tenant, invented people, no password.
//!
//! It answers as Entra answers where a client of the code flow can tell the difference: metadata, keys, codes with
//! PKCE, v2.0 ID tokens, group overage, errors, sign-out. It refuses what Entra refuses. It is no identity provider:
//! whoever reaches it can be anyone, so nothing but a throwaway gate may trust it.

mod answer;
mod authorize;
mod claims;
mod control;
mod discovery;
mod error;
mod fault;
mod graph;
mod keys;
mod logout;
mod page;
mod params;
pub mod people;
mod request;
mod state;
mod tenant;
#[cfg(test)]
mod tests;
mod token;

pub use error::SimError;
pub use fault::{Tamper, TokenFault};
pub use keys::Overlap;
pub use tenant::{Registration, Sim, SimSettings};

use axum::Router;
use axum::routing::{get, post};

impl Sim {
    /// Every address of the simulator.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::v2))
            .route("/{tenant}/.well-known/openid-configuration", get(discovery::v1))
            .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
            .route("/{tenant}/discovery/keys", get(discovery::keys))
            .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::ask).post(authorize::choose))
            .route("/{tenant}/oauth2/v2.0/token", post(token::token))
            .route("/{tenant}/oauth2/v2.0/logout", get(logout::ask).post(logout::confirm))
            .route("/{tenant}/oauth2/logout", get(logout::ask).post(logout::confirm))
            .route("/oidc/userinfo", get(graph::userinfo))
            .route("/v1.0/me/getMemberObjects", post(graph::member_objects))
            .route("/_sim/sim.css", get(page::style))
            .route("/_sim/submit.js", get(page::script))
            .route("/_sim/icon.svg", get(page::icon))
            .with_state(self.clone())
    }
}
