//! The thread that puts lines where they belong and then notes how far it came.
//!
//! A thread of its own, since a pipe that nobody empties or a disk that hangs may hold it for good: neither the threads
//! that serve nor the end of the process wait for it.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::place::{Before, Place};
use super::position;
use crate::audit::error::AuditError;
use crate::model::id::DecisionId;

/// Whole lines, and the last record among them.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) lines: Vec<u8>,
    pub(super) last: DecisionId,
}

/// Puts pages, one after the other. The thread ends when this is dropped, after what it has begun.
#[derive(Debug)]
pub(super) struct Hand {
    place: Place,
    pages: mpsc::Sender<(Page, oneshot::Sender<Result<(), AuditError>>)>,
}

impl Hand {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn start(place: Place, position: PathBuf) -> Result<Self, AuditError> {
        let (pages, work) = mpsc::channel::<(Page, oneshot::Sender<Result<(), AuditError>>)>();
        let to = place.clone();
        let mut before = Before::Whole;
        let thread = move || {
            for (page, done) in work {
                let passed =
                    pass_on(&to, &page, before).and_then(|()| position::keep(&position, page.last));
                before = if passed.is_ok() { Before::Whole } else { Before::Failed };
                // Whoever asked may have left; it is done all the same.
                drop(done.send(passed));
            }
        };
        let started = std::thread::Builder::new().name("audit-outlet".to_owned()).spawn(thread);
        started.map(|_| ()).map_err(|source| unable(&place, source))?;
        Ok(Self { place, pages })
    }

    /// Puts a page, notes that, and waits until both are durable.
    ///
    /// # Errors
    /// When it could not be put, or when that is not known.
    pub(super) async fn pass_on(&self, page: Page) -> Result<(), AuditError> {
        let (done, passed) = oneshot::channel();
        let gone = || unable(&self.place, io::Error::other("its thread has ended"));
        self.pages.send((page, done)).map_err(|_| gone())?;
        passed.await.map_err(|_| gone())?
    }
}

fn pass_on(place: &Place, page: &Page, before: Before) -> Result<(), AuditError> {
    // Of erased records nothing leaves.
    if page.lines.is_empty() {
        return Ok(());
    }
    place.put(&page.lines, before).map_err(|source| unable(place, source))
}

pub(super) fn unable(place: &Place, source: io::Error) -> AuditError {
    AuditError::Outlet { place: place.to_string(), source }
}
