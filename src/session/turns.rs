//! Whose turn it is: one re-check at a time per session, however many requests wait for it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::id::SessionId;

/// Whose turn it is, per session.
#[derive(Debug, Default)]
pub(super) struct Turns(Arc<Mutex<BTreeMap<SessionId, Queue>>>);

#[derive(Debug, Default)]
struct Queue {
    lock: Arc<tokio::sync::Mutex<()>>,
    waiting: usize,
}

impl Turns {
    pub(super) fn of(&self, id: &SessionId) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = turns.entry(id.clone()).or_default();
        queue.waiting += 1;
        Turn { turns: Self(Arc::clone(&self.0)), id: id.clone(), lock: Arc::clone(&queue.lock) }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// A place in the queue of one session; the last one to leave takes the queue away. Whoever holds the lock keeps its place
/// as well, or a newcomer would begin a queue of its own.
pub(super) struct Turn {
    turns: Turns,
    id: SessionId,
    pub(super) lock: Arc<tokio::sync::Mutex<()>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut queue) = turns.entry(self.id.clone()) {
            queue.get_mut().waiting -= 1;
            if queue.get().waiting == 0 {
                queue.remove();
            }
        }
    }
}
