//! Everybody's sessions: who is signed in, since when, from where, and until when.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::known::{PersonCell, known};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::model::id::{SessionId, Subject};
use crate::model::known::is_named;
use crate::session::{SessionError, Sessions};
use crate::store::{SessionMark, StoreError, StoredSession};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, Notice, Tone};
use crate::web::stretch::Stretch;

/// Everybody's sessions.
#[derive(Debug, Clone, Template)]
#[template(path = "console/directory/sessions.html")]
pub struct SessionsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the filter is sent, and the page without any.
    pub action: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// How many, in words.
    pub summary: String,
    /// Those of this page that match, the ones used last first.
    pub rows: Vec<SessionRow>,
    /// Which part of those that match this is.
    pub stretch: Option<Stretch>,
    /// Where all sessions of the one person who matches can be ended.
    pub end_all: Option<Link>,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its name in records.
    pub id: String,
    /// Whose.
    pub who: PersonCell,
    /// When they signed in.
    pub started: Moment,
    /// When it was last used, to the minute.
    pub seen: Moment,
    /// When it ends whatever happens.
    pub ends: Moment,
    /// From where they signed in.
    pub client: String,
    /// With which browser.
    pub browser: String,
    /// Whether it is the one that asks.
    pub state: State,
    /// Where it can be ended, for those who may.
    pub end: Option<Link>,
}

/// Which session that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The one that shows this page.
    Own,
    /// Another one.
    Open,
}

impl SessionRow {
    /// Whether it is the session that asks.
    pub fn is_own(&self) -> bool {
        self.state == State::Own
    }

    /// As tables show it.
    pub(super) fn of(session: &StoredSession, asked: &Admitted) -> Self {
        let own = asked.caller.session.as_ref().is_some_and(|own| own.id == session.id);
        Self {
            id: session.id.to_string(),
            who: PersonCell::of(&session.subject, &session.principal),
            started: Moment::new(session.signed_in_at),
            seen: Moment::new(session.seen_at),
            ends: Moment::new(session.ends_at),
            client: session
                .client
                .map_or_else(|| "Not kept".to_owned(), |client| client.to_string()),
            browser: session
                .browser
                .map_or_else(|| "Not kept".to_owned(), |browser| browser.to_string()),
            state: if own { State::Own } else { State::Open },
            end: None,
        }
    }
}

/// Where in the list somebody is: whoever ends a session there comes back to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// `q`, as it was typed.
    pub(super) q: &'a str,
    /// The page's number; 0 where none is said.
    pub(super) page: usize,
}

impl Place<'_> {
    /// The list, there.
    pub(super) fn list(self) -> Link {
        self.kept(urls::sessions())
    }

    /// Another address, from which a way leads back there.
    pub(super) fn kept(self, link: Link) -> Link {
        let link = if self.q.is_empty() { link } else { link.with_query("q", self.q) };
        if self.page > 1 { link.with_query("page", &self.page.to_string()) } else { link }
    }
}

/// How the list is filtered.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SessionsQuery {
    /// A name, user name, e-mail address or account id.
    q: String,
    /// The session, or the person, whose sessions were just ended.
    ended: String,
    page: usize,
}

/// Answers with the sessions that match, of all there are.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: SessionsQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let sessions = &console.doorkeeper.sessions;
    let unread = |error| Box::new(asked.sessions_unavailable(&error));
    let all = sessions.everybodys().await.map_err(unread)?;
    let mut frame = shown.framed(asked.frame("Sessions", Section::Sessions)?);
    frame.notice = ended(&console, &asked, &query.ended).await?;
    let may_end = asked.may(&console, ConsoleAction::EndSessions);
    let count = all.len();
    let found = matching(sessions, all, &query.q).await.map_err(unread)?;
    let summary = summary(count, found.len());
    let place = Place { q: &query.q, page: query.page };
    let end_all = one_person(&found).filter(|_| may_end);
    let end_all = end_all.map(|subject| place.kept(urls::end_sessions_of(subject)));
    let all = Place { page: 0, ..place }.list();
    let (found, stretch) = Stretch::of(found, query.page, &all);
    let found = sessions.in_full(&found).await.map_err(unread)?;
    let rows = found.iter().map(|session| SessionRow {
        end: may_end.then(|| place.kept(urls::end_session(&session.id))),
        ..SessionRow::of(session, &asked)
    });
    let page = SessionsPage {
        frame,
        action: urls::sessions(),
        summary,
        rows: rows.collect(),
        stretch,
        end_all,
        query: query.q,
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Those of people who match. Whose lasting identity is asked for is not looked for among names.
async fn matching(
    sessions: &Sessions,
    mut all: Vec<SessionMark>,
    text: &str,
) -> Result<Vec<SessionMark>, SessionError> {
    let wanted = text.trim().to_lowercase();
    if let Ok(subject) = wanted.parse::<Subject>() {
        all.retain(|session| session.subject == subject);
        return Ok(all);
    }
    if wanted.is_empty() {
        return Ok(all);
    }
    sessions.of_those(|principal| is_named(principal, &wanted)).await
}

/// The person whose sessions these are, when there is one and they have several.
fn one_person(sessions: &[SessionMark]) -> Option<&Subject> {
    let (first, others) = sessions.split_first()?;
    let same = others.iter().all(|other| other.subject == first.subject);
    (same && !others.is_empty()).then_some(&first.subject)
}

/// Says that something ended when it is known to have: an address that somebody made up says nothing.
async fn ended(
    console: &Console,
    asked: &Admitted,
    what: &str,
) -> Result<Option<Notice>, Box<Response>> {
    let session: Option<SessionId> = what.parse().ok();
    let person: Option<Subject> = what.parse().ok();
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let (whose, of) = match (person, session) {
        (Some(person), _) => {
            let left = console.doorkeeper.sessions.list(&person).await;
            let left = left.map_err(|error| Box::new(asked.sessions_unavailable(&error)))?;
            let ended = console.store.has_ended_sessions(&person).await.map_err(failed)?;
            ((left.is_empty() && ended).then_some(person), "Every session of")
        }
        (None, Some(id)) => {
            (console.store.ended_session(&id).await.map_err(failed)?, "A session of")
        }
        (None, None) => (None, ""),
    };
    let Some(whose) = whose else { return Ok(None) };
    let name = known(console).await.map_err(failed)?.name(&whose);
    Ok(Some(Notice { tone: Tone::Good, text: format!("{of} {name} has ended.") }))
}

fn summary(all: usize, found: usize) -> String {
    let open = match all {
        1 => "1 session is open".to_owned(),
        all => format!("{all} sessions are open"),
    };
    match found {
        _ if found == all => format!("{open}."),
        1 => format!("{open}; 1 matches."),
        found => format!("{open}; {found} match."),
    }
}
