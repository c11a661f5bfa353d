//! What the watcher saw of sessions, for as long as it holds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::host::Host;
use crate::model::id::SessionId;
use crate::model::session::Session;
use crate::model::time::Timestamp;
use crate::session::{Sessions, Watched};

/// A session is looked at this often whatever happens, in case something outside this process ended it.
const AT_LEAST_EVERY: Duration = Duration::from_mins(1);
/// A session that can't be read for this long counts as ended: its end could not be noticed in time any more.
const DOUBT: Duration = Duration::from_secs(3);

/// How a session looks now.
#[derive(Debug)]
pub(super) enum Seen {
    /// It goes on.
    Live { session: Arc<Session>, recheck: Recheck },
    /// It is over.
    Ended,
    /// It could not be read for too long.
    Unreadable,
}

/// Whether groups and roles are to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recheck {
    Due,
    NotDue,
}

impl Recheck {
    pub(super) fn is_due(self) -> bool {
        self == Self::Due
    }
}

/// Everything seen so far.
#[derive(Debug, Default)]
pub(super) struct Looks {
    by_session: HashMap<SessionId, Look>,
    /// The count of changes that this round began with.
    changes: u64,
}

#[derive(Debug)]
struct Look {
    /// None: it is over.
    watched: Option<Watched>,
    changes: u64,
    at: Timestamp,
    /// Since when it can't be read.
    failing: Option<Instant>,
}

impl Looks {
    /// Begins a round; what was seen under another count of changes is worth nothing.
    pub(super) fn begin(&mut self, changes: u64) {
        self.changes = changes;
    }

    /// Forgets all but these sessions.
    pub(super) fn keep(&mut self, sessions: &HashSet<&SessionId>) {
        self.by_session.retain(|id, _| sessions.contains(id));
    }

    /// How the session of `first`, as a request met it, looks now.
    pub(super) async fn at(
        &mut self,
        sessions: &Sessions,
        first: &Arc<Session>,
        now: Timestamp,
    ) -> Seen {
        let fresh =
            self.by_session.get(&first.id).is_some_and(|look| look.is_fresh(self.changes, now));
        if !fresh {
            self.look(sessions, first, now).await;
        }
        match self.by_session.get(&first.id) {
            Some(look) => look.seen(now),
            None => Seen::Unreadable,
        }
    }

    async fn look(&mut self, sessions: &Sessions, first: &Arc<Session>, now: Timestamp) {
        let (id, host): (_, &Host) = (&first.id, &first.host);
        let found = sessions.watch(id, host).await;
        let before = self.by_session.remove(id);
        let look = match found {
            Ok(watched) => Look {
                watched: watched.map(|seen| same_or_new(seen, before.as_ref(), first)),
                changes: self.changes,
                at: now,
                failing: None,
            },
            Err(error) => {
                tracing::error!(session.id = %id, error = %error, "A session with an open connection could not be read.");
                Look::failed(before, first, now)
            }
        };
        self.by_session.insert(id.clone(), look);
    }
}

/// The same value where nothing changed, so that nothing is decided again for it.
fn same_or_new(mut seen: Watched, before: Option<&Look>, first: &Arc<Session>) -> Watched {
    let known = before.and_then(|look| look.watched.as_ref()).map(|watched| &watched.session);
    let same = known.into_iter().chain([first]).find(|known| **known == seen.session);
    if let Some(same) = same {
        seen.session = Arc::clone(same);
    }
    seen
}

impl Look {
    /// What was seen last stays for a moment when nothing can be seen now.
    fn failed(before: Option<Self>, first: &Arc<Session>, now: Timestamp) -> Self {
        let failing = before.as_ref().and_then(|look| look.failing).unwrap_or_else(Instant::now);
        let unknown =
            || Watched { session: Arc::clone(first), until: first.ends_at, recheck_at: None };
        let watched = before.and_then(|look| look.watched).unwrap_or_else(unknown);
        Self { watched: Some(watched), changes: 0, at: now, failing: Some(failing) }
    }

    fn is_fresh(&self, changes: u64, now: Timestamp) -> bool {
        let Some(watched) = &self.watched else { return true };
        let end = watched.recheck_at.unwrap_or(watched.until).min(watched.until);
        let recent = self.at <= now && now < end && now.since(self.at) < AT_LEAST_EVERY;
        self.failing.is_none() && self.changes == changes && recent
    }

    fn seen(&self, now: Timestamp) -> Seen {
        if self.failing.is_some_and(|since| since.elapsed() >= DOUBT) {
            return Seen::Unreadable;
        }
        let Some(watched) = &self.watched else { return Seen::Ended };
        let due = watched.recheck_at.is_some_and(|at| at <= now) && self.failing.is_none();
        let recheck = if due { Recheck::Due } else { Recheck::NotDue };
        Seen::Live { session: Arc::clone(&watched.session), recheck }
    }
}
