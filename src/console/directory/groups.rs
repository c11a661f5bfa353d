//! Groups and app roles: what each is called, what uses it, and who of those we know is in it.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use super::known::known;
use super::membership::{Ledger, Membership};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Choice;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::GroupNote;
use crate::model::known::Known;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, Tone};
use crate::web::stretch::Stretch;

/// Values and labels of `show`.
const SHOW: [(&str, &str); 4] = [
    ("", "All"),
    ("attention", "Needs attention"),
    ("used", "Used by rules or settings"),
    ("unused", "Not used"),
];

/// All groups and app roles.
#[derive(Debug, Clone, Template)]
#[template(path = "console/directory/groups.html")]
pub struct GroupsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the filter is sent, and the page without any.
    pub action: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// What `show` may be.
    pub shows: Vec<Choice>,
    /// What needs attention, as a sentence; none where nothing does.
    pub attention: Option<String>,
    /// Groups that match.
    pub groups: Vec<MembershipRow>,
    /// Which of them these are; none when all are.
    pub stretch: Option<Stretch>,
    /// App roles that match.
    pub roles: Vec<MembershipRow>,
}

/// One group or role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipRow {
    /// Its page.
    pub link: Link,
    /// Its name, or its id.
    pub who: String,
    /// The object id of a group that has a name.
    pub id: Option<String>,
    /// What is to be said of a group.
    pub note: Option<GroupNote>,
    /// What uses it, in words.
    pub used: String,
    /// How many of those we know are in it.
    pub people: usize,
    /// When one of them was last seen.
    pub seen: Option<Moment>,
    /// Whether somebody should look at it.
    pub state: State,
}

/// Whether a group or role is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Rules use it, and Entra does not know it or nobody was seen in it.
    Attention,
    /// It is used.
    Used,
    /// Nothing uses it.
    Unused,
}

impl MembershipRow {
    /// Whether it is used and nobody we know is in it.
    pub fn is_never_seen(&self) -> bool {
        self.people == 0 && self.state != State::Unused
    }

    fn matches(&self, query: &GroupsQuery) -> bool {
        let wanted = query.q.trim().to_lowercase();
        let texts = [Some(&self.who), self.id.as_ref()];
        let is_named =
            texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&wanted));
        let is_shown = match query.show.as_str() {
            "attention" => self.state == State::Attention,
            "used" => self.state != State::Unused,
            "unused" => self.state == State::Unused,
            _ => true,
        };
        is_named && is_shown
    }
}

/// How the list is filtered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct GroupsQuery {
    q: String,
    show: String,
    page: usize,
}

/// Answers with the groups and roles that match.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: GroupsQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let known = known(&console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let frame = shown.framed(asked.frame("Groups and roles", Section::Groups)?);
    let rows = rows(&console, (&shown, &known));
    let needy = rows.iter().filter(|(_, row)| row.state == State::Attention).count();
    let (groups, roles): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .filter(|(_, row)| row.matches(&query))
        .partition(|(membership, _)| matches!(membership, Membership::Group(_)));
    let narrowed =
        [("q", &query.q), ("show", &query.show)].into_iter().filter(|(_, value)| !value.is_empty());
    let narrowed =
        narrowed.fold(urls::groups(), |link, (name, value)| link.with_query(name, value));
    let (groups, stretch) = Stretch::of(sorted(groups), query.page, &narrowed);
    let page = GroupsPage {
        frame,
        action: urls::groups(),
        shows: Choice::list(&SHOW, &query.show),
        query: query.q,
        attention: attention(needy),
        groups,
        stretch,
        roles: sorted(roles),
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn attention(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some(
            "1 group or role that is used is not known to Entra, or nobody was seen in it."
                .to_owned(),
        ),
        count => Some(format!(
            "{count} groups and roles that are used are not known to Entra, or nobody was seen in them."
        )),
    }
}

fn rows(console: &Console, (shown, known): (&Shown, &Known)) -> Vec<(Membership, MembershipRow)> {
    let ledger = Ledger::new(console, shown);
    let row = |membership: Membership| {
        let row = row(&ledger, (shown, known), &membership);
        (membership, row)
    };
    ledger.all(known).into_iter().map(row).collect()
}

/// One group or role as a row.
fn row(
    ledger: &Ledger<'_>,
    (shown, known): (&Shown, &Known),
    membership: &Membership,
) -> MembershipRow {
    let uses = ledger.uses(membership);
    let members = || known.iter().filter(|(_, person)| membership.is_of(person));
    let (who, id, note) = match membership {
        Membership::Group(id) => {
            let (who, id_text) = (shown.names.label(id), id.to_string());
            let apart = (who != id_text).then_some(id_text);
            (who, apart, shown.names.mark(id).map(GroupNote::new))
        }
        Membership::Role(value) => (value.to_string(), None, None),
    };
    let people = members().count();
    let is_lost = note.as_ref().is_some_and(|note| note.tone == Tone::Careful);
    MembershipRow {
        link: link(membership),
        who,
        id,
        note,
        used: uses.words(),
        people,
        seen: members().map(|(_, person)| person.seen_at).max().map(Moment::new),
        state: match (uses.is_none(), is_lost || people == 0) {
            (true, _) => State::Unused,
            (false, true) => State::Attention,
            (false, false) => State::Used,
        },
    }
}

/// What needs attention first, then by name.
fn sorted(rows: Vec<(Membership, MembershipRow)>) -> Vec<MembershipRow> {
    let mut rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    rows.sort_by_cached_key(|row| (row.state, row.who.to_lowercase(), row.id.clone()));
    rows
}

/// Its page.
pub(super) fn link(membership: &Membership) -> Link {
    match membership {
        Membership::Group(id) => urls::group(id),
        Membership::Role(value) => urls::role(value),
    }
}
