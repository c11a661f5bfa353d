//! Watches what is open: every second each exchange that began a moment ago is held against things as they stand.
//!
//! One task does it for all. An exchange is decided again only when something changed: the release, its session, or a time
//! that was foretold. A session is looked at only when something was taken from any session here, when a time of its own
//! has come, and every few seconds in any case. Looking is no use of a session, and takes a second at most for all of them
//! together; what needs no look is decided before. Where a session is due to be read again at
//! Entra, that is done beside the round, because Entra may take its time.
//!
//! What would be denied is cut at once and then recorded, with the decision that had let it in. While the log takes
//! nothing the records wait; nothing is let in then anyway.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::looks::{Looks, Seen};
use super::open::{Line, OpenConnections};
use super::standing::{Standing, standing};
use crate::audit::Audit;
use crate::authz::snapshot::Snapshot;
use crate::live::Live;
use crate::model::cut::{ConnectionCut, ConnectionKind, CutCause};
use crate::model::id::{ReleaseNumber, SessionId};
use crate::model::record::{Actor, Entry, Event};
use crate::model::session::Session;
use crate::model::time::{Clock, Timestamp};
use crate::session::Sessions;
use crate::telemetry::Metrics;
use crate::web::caller::Caller;

/// What ended before it is this old is never looked at.
const MOMENT: Duration = Duration::from_secs(1);
/// From the end of one round to the next.
const EVERY: Duration = Duration::from_secs(1);
/// A round that takes long is followed by a longer pause, so that watching never takes more than a part of one core; but
/// never by one in which the promise of five seconds could be broken.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Other work gets its turn after so many exchanges.
const AT_ONCE: usize = 64;
/// Sessions that are being read again at Entra for the sake of open connections.
const RECHECKS: usize = 32;
/// Records that wait for one commit of the log.
const RECORDS_AT_ONCE: usize = 256;
/// Between attempts to record what the log did not take.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

/// Watches what is open.
#[derive(Debug)]
pub struct Watcher {
    /// What is open.
    pub open: Arc<OpenConnections>,
    /// The rules in force.
    pub live: Live,
    /// Who is signed in.
    pub sessions: Arc<Sessions>,
    /// Where cuts go on record.
    pub audit: Audit,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub metrics: Metrics,
    /// How long nothing may move on a connection.
    pub idle: Duration,
}

/// What is remembered from one round to the next.
#[derive(Default)]
struct Memory {
    looks: Looks,
    marks: HashMap<u64, Mark>,
    /// When the token behind an exchange is over, in time that really passes.
    spent: HashMap<u64, Duration>,
    rechecks: FuturesUnordered<BoxFuture<'static, SessionId>>,
    /// Whose they are.
    rechecked: HashSet<SessionId>,
}

/// When and on what grounds an exchange was last found to be allowed.
struct Mark {
    release: ReleaseNumber,
    session: Option<Arc<Session>>,
    at: Timestamp,
    until: Option<Timestamp>,
}

impl Watcher {
    /// Watches until `stop`, and comes back when every cut is on record.
    pub async fn run(self, stop: CancellationToken) {
        let (cuts, heard) = unbounded_channel();
        let audit = self.audit.clone();
        tokio::join!(self.watch(cuts, stop), record(audit, heard));
    }

    async fn watch(self, cuts: UnboundedSender<ConnectionCut>, stop: CancellationToken) {
        let mut memory = Memory::default();
        let mut next = Instant::now() + EVERY;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(session) = memory.rechecks.next() => drop(memory.rechecked.remove(&session)),
                () = tokio::time::sleep_until(next) => {
                    let begun = Instant::now();
                    self.round(&mut memory, &cuts).await;
                    next = Instant::now() + (begun.elapsed() * 4).clamp(EVERY, LONGEST_PAUSE);
                }
            }
        }
    }

    async fn round(&self, memory: &mut Memory, cuts: &UnboundedSender<ConnectionCut>) {
        let lines = self.open.lasting(MOMENT);
        memory.forget_others(&lines);
        for kind in ConnectionKind::ALL {
            let count = lines.iter().filter(|(_, line)| line.kind == kind).count();
            self.metrics.connections_open(kind.as_str(), count);
        }
        let (of_sessions, others): (Vec<_>, Vec<_>) =
            lines.iter().partition(|(_, line)| line.open.caller.session.is_some());
        self.hold(memory, &others, cuts).await;
        memory.looks.begin(self.sessions.changes());
        let met = of_sessions.iter().filter_map(|(_, line)| line.open.caller.session.clone());
        memory.looks.refresh(&self.sessions, met.collect(), self.clock.now()).await;
        self.hold(memory, &of_sessions, cuts).await;
        self.metrics.watched();
    }

    /// Cuts those of these that may not go on.
    async fn hold(
        &self,
        memory: &mut Memory,
        lines: &[&(u64, Line)],
        cuts: &UnboundedSender<ConnectionCut>,
    ) {
        let snapshot = self.live.current();
        for (nth, (place, line)) in (1_usize..).zip(lines) {
            if let Some(cause) = self.lapsed(memory, (*place, line), &snapshot)
                && self.open.cut(*place)
            {
                self.metrics.connection_cut(line.kind.as_str(), cause.as_str());
                // The other end is there for as long as this one.
                drop(cuts.send(cut(line, cause)));
            }
            if nth.is_multiple_of(AT_ONCE) {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Why an exchange may not go on; none when it may.
    fn lapsed(
        &self,
        memory: &mut Memory,
        (place, line): (u64, &Line),
        snapshot: &Snapshot,
    ) -> Option<CutCause> {
        if line.open.pulse.still() >= self.idle {
            return Some(CutCause::Idle { seconds: self.idle.as_secs() });
        }
        let caller = &line.open.caller;
        let Some(session) = &caller.session else {
            let token = caller.bearer.as_ref();
            if token.is_some_and(|token| self.is_spent(memory, place, token.expires_at)) {
                return Some(CutCause::TokenExpired);
            }
            return self.decided(memory, (place, line, caller), snapshot);
        };
        match memory.looks.at(&session.id, self.clock.now()) {
            Seen::Live { session, recheck } => {
                if recheck.is_due() {
                    self.recheck(memory, &session.id);
                }
                let caller = Caller::of_session(session);
                self.decided(memory, (place, line, &caller), snapshot)
            }
            Seen::Ended => Some(CutCause::SessionEnded),
            Seen::Unreadable => Some(CutCause::SessionUnreadable),
        }
    }

    /// Whether a token is over, by the clock or by time that nobody can set, whichever comes first.
    fn is_spent(&self, memory: &mut Memory, place: u64, expires_at: Timestamp) -> bool {
        let passed = self.clock.passed();
        let end = passed.saturating_add(expires_at.since(self.clock.now()));
        let spent = memory.spent.entry(place).or_insert(end);
        *spent = end.min(*spent);
        *spent <= passed
    }

    /// Decides again, if anything changed since the last time.
    fn decided(
        &self,
        memory: &mut Memory,
        (place, line, caller): (u64, &Line, &Caller),
        snapshot: &Snapshot,
    ) -> Option<CutCause> {
        let now = self.clock.now();
        let session = caller.session.as_ref();
        let mark = memory.marks.get(&place);
        if mark.is_some_and(|mark| mark.holds(snapshot.number(), session, now)) {
            return None;
        }
        match standing(line, caller, snapshot, now) {
            Standing::Holds { until } => {
                let (release, session) = (snapshot.number(), caller.session.clone());
                memory.marks.insert(place, Mark { release, session, at: now, until });
                None
            }
            Standing::Lapsed(cause) => Some(cause),
        }
    }

    fn recheck(&self, memory: &mut Memory, session: &SessionId) {
        if memory.rechecked.len() >= RECHECKS || !memory.rechecked.insert(session.clone()) {
            return;
        }
        let (sessions, id) = (Arc::clone(&self.sessions), session.clone());
        memory.rechecks.push(Box::pin(async move {
            if let Err(error) = sessions.recheck_if_due(&id).await {
                tracing::error!(session.id = %id, error = %error, "A session with an open connection could not be read again.");
            }
            id
        }));
    }
}

impl Memory {
    fn forget_others(&mut self, lines: &[(u64, Line)]) {
        let places: HashSet<u64> = lines.iter().map(|(place, _)| *place).collect();
        self.marks.retain(|place, _| places.contains(place));
        self.spent.retain(|place, _| places.contains(place));
        let callers = lines.iter().filter_map(|(_, line)| line.open.caller.session.as_ref());
        self.looks.keep(&callers.map(|session| &session.id).collect());
    }
}

impl Mark {
    /// A clock that went back makes it worthless.
    fn holds(
        &self,
        release: ReleaseNumber,
        session: Option<&Arc<Session>>,
        now: Timestamp,
    ) -> bool {
        let same = match (&self.session, session) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let stays = self.until.is_none_or(|until| now < until);
        same && stays && self.release == release && self.at <= now
    }
}

fn cut(line: &Line, cause: CutCause) -> ConnectionCut {
    let caller = &line.open.caller;
    let subject = caller.principal.subject().cloned();
    ConnectionCut {
        decision: line.open.decision,
        connection: line.kind,
        actor: subject.map_or(Actor::Nobody, Actor::Subject),
        session: caller.session.as_ref().map(|session| session.id.clone()),
        app: line.open.app.id.clone(),
        cause,
    }
}

/// Records cuts until there can be no more; what the log does not take is tried again.
async fn record(audit: Audit, mut heard: UnboundedReceiver<ConnectionCut>) {
    let mut waiting = Vec::new();
    loop {
        if waiting.is_empty() && heard.recv_many(&mut waiting, RECORDS_AT_ONCE).await == 0 {
            return;
        }
        let last = heard.is_closed();
        let noted = waiting.drain(..).map(|cut| note(&audit, cut));
        let noted = futures_util::future::join_all(noted).await;
        waiting.extend(noted.into_iter().flatten());
        if last && !waiting.is_empty() {
            let cuts = waiting.len() + heard.len();
            return tracing::error!(cuts, "Connections were cut, and the log did not take it.");
        }
        if !waiting.is_empty() {
            tokio::time::sleep(RECORD_AGAIN).await;
        }
    }
}

/// Gives the cut back when the log did not take it.
async fn note(audit: &Audit, cut: ConnectionCut) -> Option<ConnectionCut> {
    let event = Event::ConnectionCut(Box::new(cut.clone()));
    match audit.noted(Entry::Event(Box::new(event))).await {
        Ok(_receipt) => None,
        Err(error) => {
            tracing::error!(decision.id = %cut.decision, error = %error, "The end of a connection could not be recorded yet.");
            Some(cut)
        }
    }
}

#[cfg(test)]
#[path = "tests/watcher.rs"]
mod tests;
