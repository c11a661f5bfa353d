//! "Contoso intranet": an upstream for the demo, written as if it knew nothing about signing in.
//!
//! It asks nobody for a password and refuses nobody: it believes the identity headers of whoever stands in front of it,
//! and shows on every page what they said and whether the signed assertion confirms it. It must never be reachable
//! except through the gate.

mod api;
mod assertion;
mod jwks;
mod pages;
mod transfers;
mod visitor;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};

use crate::model::time::Clock;

use assertion::Verifier;

/// What the sample app is given.
#[derive(Debug, Clone)]
pub struct SampleSettings {
    /// The app's id in the rule book: `aud` of assertions meant for it.
    pub app_id: String,
    /// Where the keys of assertions are, plain http on this machine: `http://localhost:8080/_gate/jwks.json`.
    pub jwks_url: String,
    /// Where the sign-out link leads: `/_gate/logout`.
    pub sign_out_path: String,
    /// The time, for expiry and the live clock.
    pub clock: Clock,
}

/// The sample app. Clones share what was entered.
#[derive(Debug, Clone)]
pub struct SampleApp {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: SampleSettings,
    verifier: Verifier,
    quotes_given: AtomicUsize,
    notes: Mutex<Vec<Note>>,
}

/// One line that somebody entered on the finance page.
#[derive(Debug, Clone)]
struct Note {
    text: String,
    by: String,
    at: String,
}

/// Older notes are dropped beyond this many, since the demo keeps them in memory.
const NOTES_KEPT: usize = 20;

impl SampleApp {
    /// An app in which nobody entered anything yet.
    pub fn new(settings: SampleSettings) -> Self {
        let verifier = Verifier::new(
            settings.jwks_url.clone(),
            settings.app_id.clone(),
            settings.clock.clone(),
        );
        let notes = Mutex::new(Vec::new());
        let quotes_given = AtomicUsize::new(0);
        Self { inner: Arc::new(Inner { settings, verifier, quotes_given, notes }) }
    }

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

    fn settings(&self) -> &SampleSettings {
        &self.inner.settings
    }

    fn verifier(&self) -> &Verifier {
        &self.inner.verifier
    }

    fn notes(&self) -> Vec<Note> {
        self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, note: Note) {
        let mut notes = self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(0, note);
        notes.truncate(NOTES_KEPT);
    }

    fn next_quote(&self) -> usize {
        self.inner.quotes_given.fetch_add(1, Ordering::Relaxed)
    }
}
