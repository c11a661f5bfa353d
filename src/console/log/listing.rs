//! What both lists of the log have: the filter with its conditions, and where the rest is.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::asking::{Address, Asked, Chip, List, RANGES, Wrong};
use crate::console::choice::Choice;
use crate::console::guard::Admitted;
use crate::store::audit::search::Found;
use crate::web::hx::HxOut;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Rows of a page: with the chart, what 60 kB hold.
pub(super) const ROWS: usize = 40;

/// A list of what a query finds.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Where the filter is sent, and the page without any filter.
    pub action: Link,
    /// The same from its beginning.
    pub newest: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// `range`: one of [`RANGES`].
    pub range: String,
    /// What is wrong with the query.
    pub wrong: Option<String>,
    /// Conditions that can be taken away.
    pub chips: Vec<Chip>,
    /// The page behind this one.
    pub older: Option<Link>,
    /// What is shown, in one line ("The newest 100, as of 09:15:02").
    pub summary: String,
}

impl Listing {
    /// Of what was found; `what` says how many there are.
    pub(super) fn of(asked: &Admitted, (wanted, found): (&Asked, &Found), what: &str) -> Self {
        let at = Moment::new(asked.exchange.at).clock();
        let searched = found
            .looked_to
            .map(|to| format!("; searched back to {} so far", Moment::new(to).minute()));
        Self {
            action: wanted.list().link(),
            newest: wanted.along(wanted.newest()),
            query: wanted.text.clone(),
            range: wanted.range.to_owned(),
            wrong: None,
            chips: wanted.chips(),
            older: found.older.map(|id| wanted.along(wanted.older(id))),
            summary: format!("{what}, as of {at} UTC{}.", searched.unwrap_or_default()),
        }
    }

    /// Of nothing, because the query can't be answered. What is on the screen stays there.
    pub(super) fn refused(list: List, address: &Address, Wrong(text): Wrong) -> Self {
        Self {
            action: list.link(),
            newest: list.link(),
            query: address.q.clone(),
            range: list.offered(&address.range).to_owned(),
            wrong: Some(text),
            chips: Vec::new(),
            older: None,
            summary: "Nothing was searched.".to_owned(),
        }
    }

    /// Options of `range`.
    pub fn ranges(&self) -> Vec<Choice> {
        Choice::list(&RANGES, &self.range)
    }

    /// Whether anything is filtered.
    pub fn is_filtered(&self) -> bool {
        !self.query.is_empty()
    }
}

/// What is wrong with the query, alone.
#[derive(Debug, Template)]
#[template(source = "{{ text }}", ext = "html")]
struct Message<'a> {
    text: &'a str,
}

/// Answers with a list, or with the part of it that htmx wants: the rows, or what is wrong beside the box.
pub(super) fn answer(
    asked: &Admitted,
    (frame, listing): (&Frame, &Listing),
    (page, rows): (&impl Template, &impl Template),
) -> Response {
    match (&listing.wrong, asked.hx.wants_fragment()) {
        (None, false) => page::console(StatusCode::OK, frame, page),
        (None, true) => {
            let hx = HxOut::new().announce(&listing.summary);
            (hx, page::console(StatusCode::OK, frame, rows)).into_response()
        }
        (Some(_), false) => page::console(StatusCode::UNPROCESSABLE_ENTITY, frame, page),
        (Some(text), true) => {
            let hx = HxOut::new().announce(text).retarget("#q-err").reswap("innerHTML");
            let message = Message { text };
            (hx, page::console(StatusCode::UNPROCESSABLE_ENTITY, frame, &message)).into_response()
        }
    }
}
