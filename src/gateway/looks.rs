//! What the watcher saw of sessions, for as long as it holds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::{Instant, timeout};

use crate::model::id::SessionId;
use crate::model::session::Session;
use crate::model::time::Timestamp;
use crate::session::{SessionError, Sessions, Watched};

/// A session is looked at this often whatever happens, in case something outside this process ended it: seldom enough for
/// the database, often enough for the promise of five seconds.
const AT_LEAST_EVERY: Duration = Duration::from_secs(3);
/// All looks of one round together take no longer; what was not seen by then counts as not readable.
const BOUND: Duration = Duration::from_secs(1);
/// Sessions that are looked at together: half of what the database lets in at once.
const AT_ONCE: usize = 4;
/// A session that can't be read for this long counts as ended: its end could not be noticed in time any more.
const DOUBT: Duration = Duration::from_secs(2);

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
    /// The same in time that nobody can set.
    looked: Instant,
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

    /// Looks at these sessions, as requests met them, where what was seen of them holds no more.
    pub(super) async fn refresh(
        &mut self,
        sessions: &Sessions,
        met: Vec<Arc<Session>>,
        now: Timestamp,
    ) {
        let begun = Instant::now();
        let mut due: HashMap<SessionId, Arc<Session>> = HashMap::new();
        for first in met {
            let look = self.by_session.get(&first.id);
            if !look.is_some_and(|look| look.is_fresh(self.changes, now)) {
                due.entry(first.id.clone()).or_insert(first);
            }
        }
        let asked: Vec<_> = due.values().map(Arc::clone).collect();
        let mut found = Vec::new();
        let mut looks = stream::iter(asked)
            .map(|first| async move { (sessions.watch(&first.id, &first.host).await, first) })
            .buffer_unordered(AT_ONCE);
        let all = async {
            while let Some(one) = looks.next().await {
                found.push(one);
            }
        };
        if timeout(BOUND, all).await.is_err() {
            tracing::error!("Sessions with open connections could not all be read in time.");
        }
        for (result, first) in found {
            due.remove(&first.id);
            self.take(result, &first, (begun, now));
        }
        for (_, first) in due {
            self.fail(&first, (begun, now));
        }
    }

    /// How a session looked at the last [refresh](Self::refresh).
    pub(super) fn at(&self, session: &SessionId, now: Timestamp) -> Seen {
        self.by_session.get(session).map_or(Seen::Unreadable, |look| look.seen(now))
    }

    fn take(
        &mut self,
        result: Result<Option<Watched>, SessionError>,
        first: &Arc<Session>,
        (begun, now): (Instant, Timestamp),
    ) {
        match result {
            Ok(watched) => {
                let before = self.by_session.remove(&first.id);
                let watched = watched.map(|seen| same_or_new(seen, before.as_ref(), first));
                let (changes, failing) = (self.changes, None);
                let look = Look { watched, changes, at: now, looked: begun, failing };
                self.by_session.insert(first.id.clone(), look);
            }
            Err(error) => {
                tracing::error!(session.id = %first.id, error = %error, "A session with an open connection could not be read.");
                self.fail(first, (begun, now));
            }
        }
    }

    fn fail(&mut self, first: &Arc<Session>, at: (Instant, Timestamp)) {
        let before = self.by_session.remove(&first.id);
        self.by_session.insert(first.id.clone(), Look::failed(before, first, at));
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
    /// What was seen last stays for a moment when nothing can be seen now. Doubt begins with the look, not with its end.
    fn failed(
        before: Option<Self>,
        first: &Arc<Session>,
        (begun, now): (Instant, Timestamp),
    ) -> Self {
        let failing = before.as_ref().and_then(|look| look.failing).unwrap_or(begun);
        let unknown =
            || Watched { session: Arc::clone(first), until: first.ends_at, recheck_at: None };
        let watched = before.and_then(|look| look.watched).unwrap_or_else(unknown);
        let failing = Some(failing);
        Self { watched: Some(watched), changes: 0, at: now, looked: begun, failing }
    }

    fn is_fresh(&self, changes: u64, now: Timestamp) -> bool {
        let Some(watched) = &self.watched else { return true };
        let end = watched.recheck_at.unwrap_or(watched.until).min(watched.until);
        let holds = self.at <= now && now < end;
        let recent = holds && self.looked.elapsed() < AT_LEAST_EVERY;
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
