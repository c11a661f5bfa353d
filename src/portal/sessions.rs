//! My sessions: every browser in which this person is signed in.

use askama::Template;

use crate::model::id::SessionId;
use crate::model::record::{Actor, SessionEnd};
use crate::portal::Portal;
use crate::session::SessionError;
use crate::store::StoredSession;
use crate::web::caller::Caller;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Frame, Place};

/// My sessions.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/sessions.html")]
pub struct SessionsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Newest first.
    pub sessions: Vec<SessionLine>,
    /// The page that asks before all others are ended; none when there are no others.
    pub end_others: Option<Link>,
    /// The page that asks before signing out here.
    pub sign_out: Link,
}

/// One browser in which this person is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// `Firefox on Linux`
    pub browser: String,
    /// From where they signed in.
    pub client: Option<String>,
    /// When they signed in.
    pub started: Moment,
    /// When it was last used, to the minute.
    pub seen: Moment,
    /// When it ends whatever happens.
    pub ends: Moment,
    /// Whether it is the one that shows this page.
    pub place: Place,
    /// The page that asks before it is ended, and where its form goes.
    pub end: Link,
}

/// Which sessions are to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// The one of this name.
    One(String),
    /// All but the one that asks.
    Others,
}

/// What would end, and the form that ends it.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/ending.html")]
pub struct EndingPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// My sessions.
    pub back: Link,
    /// Each that would end.
    pub sessions: Vec<SessionLine>,
    /// Where the form goes.
    pub action: Link,
}

impl EndingPage {
    /// What the button says.
    pub fn button(&self) -> String {
        match self.sessions.len() {
            1 => "End this session".to_owned(),
            several => format!("End {several} sessions"),
        }
    }

    /// Whether whoever asks signs themselves out.
    pub fn has_own(&self) -> bool {
        self.sessions.iter().any(SessionLine::is_here)
    }
}

impl SessionLine {
    /// Whether it is the one that shows this page.
    pub fn is_here(&self) -> bool {
        self.place == Place::Here
    }

    fn of(session: &StoredSession, here: &SessionId) -> Self {
        let browser = session.browser.map(|browser| browser.to_string());
        Self {
            browser: browser.unwrap_or_else(|| "Unknown browser".to_owned()),
            client: session.client.map(|client| client.to_string()),
            started: Moment::new(session.signed_in_at),
            seen: Moment::new(session.seen_at),
            ends: Moment::new(session.ends_at),
            place: if session.id == *here { Place::Here } else { Place::Elsewhere },
            end: Link::path(&["sessions", session.id.as_str(), "end"]),
        }
    }
}

/// The page of whoever is signed in; none for somebody without a session.
pub(super) async fn page(
    portal: &Portal,
    caller: &Caller,
    frame: Frame,
) -> Result<Option<SessionsPage>, SessionError> {
    let (Some(here), Some(subject)) = (&caller.session, caller.principal.subject()) else {
        return Ok(None);
    };
    let kept = portal.doorkeeper.sessions.list(subject).await?;
    let sessions: Vec<_> = kept.iter().map(|one| SessionLine::of(one, &here.id)).collect();
    let others = sessions.iter().any(|one| !one.is_here());
    let end_others = others.then(|| Link::path(&["sessions", "others", "end"]));
    let sign_out = Link::path(&["_gate", "logout"]);
    Ok(Some(SessionsPage { frame, sessions, end_others, sign_out }))
}

/// The page that asks first; none when nothing of the caller's would end.
pub(super) async fn ending(
    portal: &Portal,
    caller: &Caller,
    (frame, which): (Frame, &Which),
) -> Result<Option<EndingPage>, SessionError> {
    let (Some(here), Some(subject)) = (&caller.session, caller.principal.subject()) else {
        return Ok(None);
    };
    let kept = portal.doorkeeper.sessions.list(subject).await?;
    let is_meant = |one: &&StoredSession| match which {
        Which::One(id) => one.id.as_str() == id,
        Which::Others => one.id != here.id,
    };
    let name = match which {
        Which::One(id) => id,
        Which::Others => "others",
    };
    let meant = kept.iter().filter(is_meant);
    let sessions: Vec<_> = meant.map(|one| SessionLine::of(one, &here.id)).collect();
    let (back, action) = (Link::path(&["sessions"]), Link::path(&["sessions", name, "end"]));
    Ok((!sessions.is_empty()).then_some(EndingPage { frame, back, sessions, action }))
}

/// Ends a session of the caller's; `false` when they have none of this name, whoever else may.
pub(super) async fn end(portal: &Portal, caller: &Caller, id: &str) -> Result<bool, SessionError> {
    let (Ok(id), Some(subject)) = (id.parse::<SessionId>(), caller.principal.subject()) else {
        return Ok(false);
    };
    let sessions = &portal.doorkeeper.sessions;
    let own = sessions.find(&id).await?.is_some_and(|session| session.subject == *subject);
    if !own {
        return Ok(false);
    }
    let by = Actor::Subject(subject.clone());
    sessions.end(&id, SessionEnd::EndedElsewhere, by).await
}

/// Ends all sessions of the caller but this one.
pub(super) async fn end_others(portal: &Portal, caller: &Caller) -> Result<(), SessionError> {
    if let (Some(here), Some(subject)) = (&caller.session, caller.principal.subject()) {
        portal.doorkeeper.sessions.end_others(subject, &here.id).await?;
    }
    Ok(())
}
