//! What the intranet is given and what it remembers while it runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::assertion::Verifier;
use crate::model::time::Clock;

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
pub(super) struct Note {
    pub(super) text: String,
    pub(super) by: String,
    pub(super) at: String,
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

    pub(super) fn settings(&self) -> &SampleSettings {
        &self.inner.settings
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.inner.verifier
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep(&self, note: Note) {
        let mut notes = self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(0, note);
        notes.truncate(NOTES_KEPT);
    }

    pub(super) fn next_quote(&self) -> usize {
        self.inner.quotes_given.fetch_add(1, Ordering::Relaxed)
    }
}
