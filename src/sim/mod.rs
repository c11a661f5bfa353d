//! A small simulator of Entra ID, for the demo and for tests: two tenants, invented people, no password.
//!
//! It answers as Entra answers where a client can tell the difference: metadata, keys, codes with PKCE, client
//! credentials, v2.0 ID tokens, access tokens of both versions, group overage, Graph, errors, sign-out. It refuses what
//! Entra refuses. It is no identity provider: whoever reaches it can be anyone, so nothing but a throwaway gate may
//! trust it.
//!
//! [`Sim`] is its handle: everything that can be changed while it runs is a method of it.

pub mod aadsts;
mod access_token;
mod answer;
mod assertion;
mod authorize;
mod back;
mod claims;
mod conditions;
mod control;
mod discovery;
mod error;
mod failure;
mod fault;
mod front;
mod graph;
mod groups;
mod id_token;
mod issue;
mod jws;
mod keys;
mod logout;
mod page;
mod panel;
mod params;
pub mod people;
mod policies;
mod proof;
mod redeem;
mod request;
mod scopes;
mod session;
mod settings;
mod state;
mod tenant;
#[cfg(test)]
mod tests;
mod token;

pub use conditions::{Condition, Endpoint, GraphRights};
pub use error::SimError;
pub use fault::{AuthorizeFault, Tamper, TokenFault};
pub use groups::{Group, GroupKind};
pub use keys::Overlap;
pub use policies::FactorPolicy;
pub use settings::{
    AssignmentRule, Audience, ClientSecret, FederatedCredential, FederatedKey, GroupClaims,
    OptionalClaim, Panel, Permission, Registration, SimSettings, TokenVersion,
};
pub use tenant::Sim;

use axum::Router;
use axum::routing::{get, post};

impl Sim {
    /// Every address of the simulator.
    pub fn router(&self) -> Router {
        let inner = Router::new()
            .route("/common/discovery/instance", get(discovery::instance))
            .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::v2))
            .route("/{tenant}/.well-known/openid-configuration", get(discovery::v1))
            .route("/{tenant}/discovery/v2.0/keys", get(discovery::v2_keys))
            .route("/{tenant}/discovery/keys", get(discovery::v1_keys))
            .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::ask).post(authorize::choose))
            .route("/{tenant}/oauth2/v2.0/token", post(token::token).get(token::wrong_verb))
            .route("/{tenant}/oauth2/v2.0/logout", get(logout::ask).post(logout::confirm))
            .route("/{tenant}/oauth2/logout", get(logout::at_once).post(logout::confirm))
            .route("/_sim/sim.css", get(page::style))
            .route("/_sim/submit.js", get(page::script))
            .route("/_sim/icon.svg", get(page::icon))
            .merge(graph::router())
            .merge(panel::router(self.panel()))
            .with_state(self.clone());
        front::router(self.clone(), inner)
    }
}
