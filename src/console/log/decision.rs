//! One decision with everything that its record holds: on a page of its own, or beside the list.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::asking::{Address, List};
use super::checked::Checked;
use super::fact::Fact;
use super::missing::{self, Missing};
use super::record::{DecisionRow, RecordView, Rules};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::model::id::DecisionId;
use crate::model::query::Present;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// One decision.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log/decision.html")]
pub struct DecisionPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list of decisions, as it was.
    pub up: Link,
    /// The decision.
    pub whole: Whole,
}

/// A decision with everything that its record holds.
#[derive(Debug, Clone)]
pub struct Whole {
    /// Why it fell so, in the simulator; none for what no release decides on.
    pub why: Option<Link>,
    /// The same facts as in the list.
    pub row: DecisionRow,
    /// Why, in one or two more sentences.
    pub explanation: String,
    /// What was missing; none where nothing was.
    pub missing: Option<Missing>,
    /// Further facts of the request: client, host, session, MFA, path parameters.
    pub asked: Vec<Fact>,
    /// Further facts of the decision: release, route, errors, duration.
    pub decided: Vec<Fact>,
    /// Groups by name and roles at that moment.
    pub memberships: Vec<String>,
    /// The record's JSON.
    pub body: String,
    /// How the log was found when it was checked last.
    pub checked: Checked,
    /// The proof that it is in the log.
    pub proof: Link,
}

impl Whole {
    /// What the log has under this id; none when that is no decision.
    ///
    /// # Errors
    /// With the answer, 503, when log or rules can't be read.
    pub(super) async fn find(
        (console, asked): (&Console, &Admitted),
        shown: &Shown,
        id: DecisionId,
    ) -> Result<Option<Self>, Box<Response>> {
        let failed = |error| Box::new(asked.unavailable(&error));
        let line = console.reader.record(id).await.map_err(failed)?;
        let Some(line) = line else { return Ok(None) };
        let view = RecordView::of(&line);
        if !view.is_request() {
            return Ok(None);
        }
        let present = Present { now: asked.exchange.at, names: shown.names.clone() };
        let checked = Checked::record(console, &present, id).await.map_err(failed)?;
        let missing = missing::of(console, asked, (shown, &line)).await?;
        Ok(Some(Self { missing, ..filled(&view, checked, Rules(shown)) }))
    }
}

/// Answers with the page of one decision.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let nothing = || Box::new(asked.no_page());
    let address: Address = asked.query()?;
    let id: DecisionId = asked.param("id").parse().map_err(|_| nothing())?;
    let shown = asked.shown(&console).await?;
    let whole = Whole::find((&console, &asked), &shown, id).await?.ok_or_else(nothing)?;
    let frame = shown.framed(asked.frame("Decision", Section::Decisions)?);
    let up = List::Requests.over(&address.q, List::Requests.offered(&address.range));
    let page = DecisionPage { frame, up, whole };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn filled(view: &RecordView, checked: Checked, rules: Rules<'_>) -> Whole {
    Whole {
        why: view.simulated(),
        row: view.row(rules),
        explanation: view.explanation().to_owned(),
        missing: None,
        asked: view.asked(),
        decided: view.decided(rules),
        memberships: view.memberships(rules),
        body: view.raw().to_owned(),
        checked,
        proof: view.proof(),
    }
}
