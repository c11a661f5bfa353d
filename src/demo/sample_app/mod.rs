//! "Contoso intranet": an upstream for the demo, written as if it knew nothing about signing in.
//!
//! It asks nobody for a password and refuses nobody: it believes the identity headers of whoever stands in front of it,
//! and shows on every page what they said and whether the signed assertion confirms it. It must never be reachable
//! except through the gate.

mod api;
mod assertion;
mod intranet;
mod jwks;
mod pages;
mod transfers;
mod visitor;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, post};

pub use intranet::{SampleApp, SampleSettings};

impl SampleApp {
    /// Every address of the app.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(pages::home))
            .route("/me", get(pages::me))
            .route("/finance/summary", get(pages::finance).post(pages::add_note))
            .route("/reports/{year}", get(pages::report))
            .route("/admin/", get(pages::admin))
            .route("/api/hello", get(api::hello))
            .route("/api/quote", get(api::quote))
            .route("/api/orders", post(api::order))
            .route("/ws", get(transfers::echo))
            .route("/events", get(transfers::events))
            .route("/download/{bytes}", get(transfers::download))
            .route("/upload", post(transfers::upload))
            .route("/assets/app.css", get(pages::style))
            .route("/assets/app.js", get(pages::script))
            .route("/assets/icon.svg", get(pages::icon))
            .fallback(pages::missing)
            .with_state(self)
    }
}
