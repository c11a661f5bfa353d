//! Ending somebody's sessions: first a page that says what will happen, then the form that does it.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::known::known;
use super::sessions::{Place, SessionRow};
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::model::id::{SessionId, Subject};
use crate::model::record::{Actor, SessionEnd};
use crate::store::StoredSession;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// What will end, and what that means.
#[derive(Debug, Clone, Template)]
#[template(path = "console/directory/ending.html", blocks = ["ask"])]
pub struct EndingPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list of sessions, where they were.
    pub up: Link,
    /// Where the form is sent.
    pub action: Link,
    /// The one session; empty where all of a person end.
    pub session: String,
    /// The person; empty where one session ends.
    pub user: String,
    /// What the list was searched for.
    pub q: String,
    /// Which page of it that was; 0 where none is said.
    pub number: usize,
    /// Whose they are.
    pub name: String,
    /// What ends, in words.
    pub sentence: String,
    /// Each.
    pub rows: Vec<SessionRow>,
}

impl EndingPage {
    /// What the button says.
    pub fn button(&self) -> String {
        match self.rows.len() {
            1 => "End this session".to_owned(),
            several => format!("End {several} sessions"),
        }
    }

    /// Whether whoever asks signs themselves out.
    pub fn has_own(&self) -> bool {
        self.rows.iter().any(SessionRow::is_own)
    }
}

/// One session, or all of a person.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Which {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf")]
    _csrf: Option<IgnoredAny>,
    session: String,
    user: String,
    /// Where in the list of sessions somebody was.
    q: String,
    page: usize,
}

/// What is to end.
enum Target {
    One(SessionId),
    AllOf(Subject),
}

impl Which {
    /// None unless exactly one of the two is there, and readable.
    fn target(&self) -> Option<Target> {
        match (self.session.as_str(), self.user.as_str()) {
            (id, "") => id.parse().ok().map(Target::One),
            ("", user) => user.parse().ok().map(Target::AllOf),
            _ => None,
        }
    }

    fn place(&self) -> Place<'_> {
        Place { q: &self.q, page: self.page }
    }
}

/// Answers with the page that asks.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let which: Which = asked.query()?;
    let target = which.target().ok_or_else(|| Box::new(asked.no_page()))?;
    let sessions = sessions(&console, &asked, &target).await?;
    let Some(first) = sessions.first() else {
        return Err(Box::new(nothing_left(&console, &asked, (&target, which.place())).await?));
    };
    let shown = asked.shown(&console).await?;
    let name = first.principal.display_name();
    let page = EndingPage {
        frame: shown.framed(asked.frame("End sessions", Section::Sessions)?),
        up: which.place().list(),
        action: urls::ending(),
        sentence: sentence(&name, sessions.len()),
        name,
        rows: sessions.iter().map(|session| SessionRow::of(session, &asked)).collect(),
        session: which.session,
        user: which.user,
        q: which.q,
        number: which.page,
    };
    if asked.hx.wants_fragment() {
        return Ok(page::console(StatusCode::OK, &page.frame, &page.as_ask()));
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Ends them, and leads back to the list. What had ended already stays so.
pub(in crate::console) async fn end(console: Arc<Console>, asked: Admitted) -> Answer {
    let which: Which = asked.form().await?;
    let target = which.target().ok_or_else(|| Box::new(asked.no_page()))?;
    let by = asked.caller.principal.subject().cloned();
    let by = Actor::Subject(by.ok_or_else(|| Box::new(asked.no_page()))?);
    let sessions = &console.doorkeeper.sessions;
    let (ended, what) = match &target {
        Target::One(id) => {
            (sessions.end(id, SessionEnd::Revoked, by).await.map(drop), id.to_string())
        }
        Target::AllOf(subject) => (
            sessions.end_all_of(subject, SessionEnd::Revoked, by).await.map(drop),
            subject.to_string(),
        ),
    };
    ended.map_err(|error| Box::new(asked.sessions_unavailable(&error)))?;
    Ok(see_other(&which.place().list().with_query("ended", &what)))
}

/// The answer where there is nothing to end: it says so of a session that did end.
async fn nothing_left(
    console: &Console,
    asked: &Admitted,
    (target, place): (&Target, Place<'_>),
) -> Result<Response, Box<Response>> {
    let failed = |error| Box::new(asked.unavailable(&error));
    let whose = match target {
        Target::One(id) => console.store.ended_session(id).await.map_err(failed)?,
        Target::AllOf(_) => None,
    };
    let Some(whose) = whose else { return Ok(asked.no_page()) };
    let name = known(console).await.map_err(failed)?.name(&whose);
    Ok(asked.said().session_ended(&name, place.list()))
}

async fn sessions(
    console: &Console,
    asked: &Admitted,
    target: &Target,
) -> Result<Vec<StoredSession>, Box<Response>> {
    let all = &console.doorkeeper.sessions;
    let found = match target {
        Target::One(id) => all.find(id).await.map(|one| one.into_iter().collect()),
        Target::AllOf(subject) => all.list(subject).await,
    };
    found.map_err(|error| Box::new(asked.sessions_unavailable(&error)))
}

fn sentence(name: &str, count: usize) -> String {
    let what = match count {
        1 => format!("1 session of {name} ends"),
        count => format!("{count} sessions of {name} end"),
    };
    format!(
        "{what} at once. The next request is refused within 5 seconds, what is open is cut, and they have to sign in again. It is on record under your name."
    )
}
