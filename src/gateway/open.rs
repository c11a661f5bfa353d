//! Allowed exchanges that are under way for longer than a moment, and the handle by which each can be cut.
//!
//! An exchange enters when it has to wait for something: for an answer that does not come at once, for the next piece of
//! a body, for the other side of a WebSocket. It leaves when its last part is dropped. One lock holds the list and is
//! held for a few instructions, so that an exchange is either cut while it is open or gone: what comes next on its
//! connection is never cut for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::patience::Pulse;
use crate::model::app::App;
use crate::model::cut::ConnectionKind;
use crate::model::grant::Method;
use crate::model::id::DecisionId;
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;
use crate::web::lease::Cut;

/// An allowed exchange: everything it takes to decide on it again.
#[derive(Debug)]
pub(super) struct Open {
    /// What was asked.
    pub(super) exchange: Arc<Exchange>,
    /// Who asked, as they were then.
    pub(super) caller: Arc<Caller>,
    /// For which app.
    pub(super) app: Arc<App>,
    /// With which method.
    pub(super) method: Method,
    /// The decision that allowed it.
    pub(super) decision: DecisionId,
    /// The last time that something moved.
    pub(super) pulse: Pulse,
    /// Ends its connection.
    pub(super) cut: Cut,
}

/// Every exchange that is under way for longer than a moment.
#[derive(Debug, Default)]
pub struct OpenConnections(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    next: u64,
    open: HashMap<u64, Line>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) open: Arc<Open>,
    pub(super) kind: ConnectionKind,
}

impl OpenConnections {
    /// Those that began at least `moment` ago, with their places.
    pub(super) fn lasting(&self, moment: Duration) -> Vec<(u64, Line)> {
        let lines = self.lines();
        let old = lines.open.iter().filter(|(_, line)| line.open.pulse.age() >= moment);
        old.map(|(place, line)| (*place, line.clone())).collect()
    }

    /// Cuts the exchange at `place`; `false` when it has ended by itself.
    pub(super) fn cut(&self, place: u64) -> bool {
        let mut lines = self.lines();
        let Some(Line { open, kind }) = lines.open.remove(&place) else { return false };
        match kind {
            ConnectionKind::Request => open.cut.break_off(),
            ConnectionKind::WebSocket => open.cut.end(),
        }
        true
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An exchange's own hold on its place in the list; it has none until it enters.
#[derive(Debug)]
pub(super) struct Watch {
    all: Arc<OpenConnections>,
    open: Arc<Open>,
    place: Option<u64>,
}

impl Watch {
    pub(super) fn new(all: &Arc<OpenConnections>, open: Open) -> Self {
        Self { all: Arc::clone(all), open: Arc::new(open), place: None }
    }

    /// From now on it can be cut, as what it is now. One that was cut already stays so.
    pub(super) fn enter(&mut self, kind: ConnectionKind) {
        let mut lines = self.all.lines();
        match self.place {
            None => {
                let place = lines.next;
                lines.next += 1;
                lines.open.insert(place, Line { open: Arc::clone(&self.open), kind });
                self.place = Some(place);
            }
            Some(place) => {
                if let Some(line) = lines.open.get_mut(&place) {
                    line.kind = kind;
                }
            }
        }
    }

    /// Whether it can be cut.
    pub(super) fn has_entered(&self) -> bool {
        self.place.is_some()
    }

    /// Notes that something moved. Costs nothing for an exchange that never had to wait.
    pub(super) fn beat(&self) {
        if self.place.is_some() {
            self.open.pulse.beat();
        }
    }

    pub(super) fn open(&self) -> &Open {
        &self.open
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            drop(self.all.lines().open.remove(&place));
        }
    }
}
