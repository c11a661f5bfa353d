//! What is asked of the log: the query box, the span of time, and the links that change them.

use serde::Deserialize;

use super::record::DecisionRow;
use crate::console::choice::Tab;
use crate::console::urls;
use crate::model::id::DecisionId;
use crate::model::query::{InvalidQuery, Query, Term, TextKey, What};
use crate::model::time::Timestamp;
use crate::web::link::Link;

/// What the address of a list may say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Address {
    /// The query, as it was typed.
    pub(super) q: String,
    /// How far back: one of [`RANGES`].
    pub(super) range: String,
    /// Only what is older than this record.
    pub(super) before: String,
    /// The record that is shown beside the list.
    pub(super) record: String,
    /// The record that was shown beside the list as it was before: it stays where it still matches.
    pub(super) keep: String,
}

impl Address {
    /// The record that stands beside the list, or did, where this names one.
    pub(super) fn chosen(&self) -> Option<DecisionId> {
        [&self.record, &self.keep].into_iter().find_map(|text| text.parse().ok())
    }
}

/// Values and labels of `range`, and the condition that each stands for.
pub const RANGES: [(&str, &str); 5] = [
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
    ("all", "All that is kept"),
];

/// What the gate notes of its own running. Nobody did it; whoever wants it asks for it by `kind:`.
const NOISE: &str = "-kind:heartbeat,started,stopped,turned_away,upstream_failed,connection_cut,abandoned,recheck_unavailable,log_overflowed";

/// Which records a page lists. Each kind of record is on one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// What became of requests.
    Requests,
    /// Everything else.
    Events,
}

impl List {
    /// The span of time of a page that says none.
    fn usual(self) -> &'static str {
        match self {
            Self::Requests => "24h",
            Self::Events => "30d",
        }
    }

    /// What holds for all that it lists when this was typed.
    fn condition(self, typed: &Query) -> String {
        let names_kind = |term: &Term| matches!(term.what, What::Text(TextKey::Kind, _));
        match self {
            Self::Requests => "kind:decision,refusal".to_owned(),
            Self::Events if typed.terms.iter().any(names_kind) => {
                "-kind:decision,refusal".to_owned()
            }
            Self::Events => format!("-kind:decision,refusal {NOISE}"),
        }
    }

    /// Its page.
    pub(super) fn link(self) -> Link {
        match self {
            Self::Requests => urls::decisions(),
            Self::Events => urls::events(),
        }
    }

    /// The span that an address names, when it is one; else the usual one.
    pub(super) fn offered(self, text: &str) -> &'static str {
        self.range(text).unwrap_or(self.usual())
    }

    fn range(self, text: &str) -> Result<&'static str, Wrong> {
        let text = if text.is_empty() { self.usual() } else { text };
        let known = RANGES.iter().map(|(value, _)| *value).find(|value| *value == text);
        known.ok_or_else(|| Wrong(format!("`{text}` is not one of the spans of time.")))
    }

    /// The page of what a query finds, over a span of time.
    pub(super) fn over(self, query: &str, range: &str) -> Link {
        let fields = [("q", query), ("range", if range == self.usual() { "" } else { range })];
        let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
        said.fold(self.link(), |link, (name, value)| link.with_query(name, value))
    }
}

/// What is asked, read.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The query, as it was typed.
    pub(super) text: String,
    /// How far back.
    pub(super) range: &'static str,
    /// Only what is older than this record.
    pub(super) before: Option<DecisionId>,
    /// The record that is shown beside the list.
    pub(super) record: Option<DecisionId>,
    /// The record that stays beside the list where it still matches.
    pub(super) keep: Option<DecisionId>,
    list: List,
    typed: Query,
}

/// Why an address can't be answered, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) String);

/// What is wrong, with its full stop where it asks nothing.
pub(in crate::console) fn sentence(error: &InvalidQuery) -> String {
    let text = error.to_string();
    if text.ends_with('?') { text } else { format!("{text}.") }
}

impl Asked {
    /// Reads the address of a page.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub(super) fn read(address: &Address, list: List) -> Result<Self, Wrong> {
        let typed: Query = address.q.parse().map_err(|error| Wrong(sentence(&error)))?;
        Ok(Self {
            text: address.q.clone(),
            range: list.range(&address.range)?,
            before: record_of(&address.before)?,
            record: record_of(&address.record)?,
            keep: record_of(&address.keep)?,
            list,
            typed,
        })
    }

    /// Which list.
    pub(super) fn list(&self) -> List {
        self.list
    }

    /// All of it as a query.
    pub(super) fn query(&self) -> Query {
        let mut query = self.typed.clone();
        let own = format!(
            "{} {}",
            self.list.condition(&self.typed),
            if self.range == "all" { String::new() } else { format!("at:-{}", self.range) }
        );
        // Both are ours; what can't be read would be no condition at all.
        query.terms.extend(own.trim().parse::<Query>().unwrap_or_default().terms);
        query
    }

    /// The same, for this one record.
    pub(super) fn query_of(&self, id: DecisionId) -> Query {
        let mut query = self.query();
        query.terms.extend(format!("id:{id}").parse::<Query>().unwrap_or_default().terms);
        query
    }

    /// The page of another query over the same time.
    fn link(&self, query: &Query) -> Link {
        self.along(self.list.over(&query.to_string(), self.range))
    }

    /// The same, with nothing beside the list.
    pub(super) fn alone(self) -> Self {
        Self { record: None, keep: None, ..self }
    }

    /// The record that stands beside the list, or did.
    pub(super) fn chosen(&self) -> Option<DecisionId> {
        self.record.or(self.keep)
    }

    /// Another part of the list, to which the record goes along that stands beside this one.
    pub(super) fn along(&self, link: Link) -> Link {
        match self.chosen() {
            Some(id) => link.with_query("keep", &id.to_string()),
            None => link,
        }
    }

    /// The same page from its beginning.
    pub(super) fn newest(&self) -> Link {
        self.list.over(&self.text, self.range)
    }

    /// The same as it goes on; none where it does not go on, since its time has an end or only what is older is shown.
    pub(super) fn live(&self, now: Timestamp) -> Option<Link> {
        let ends = self.before.is_some() || self.query().span(now).1.is_some();
        let link = Link::path(&["console", "decisions", "live"]);
        (!ends).then(|| link.with_query("q", &self.text).with_query("range", self.range))
    }

    /// The page behind the record with this id.
    pub(super) fn older(&self, id: DecisionId) -> Link {
        self.newest().with_query("before", &id.to_string())
    }

    /// The page of a record, from which a way leads back to this list.
    pub(super) fn page_of(&self, id: &str) -> Link {
        page_of(id, (&self.text, self.range))
    }

    /// A row as this list has it: its page leads back here, and it opens beside the list.
    pub(super) fn placed(&self, row: DecisionRow) -> DecisionRow {
        let (link, beside) = (self.page_of(&row.id), Some(self.beside(&row.id)));
        let is_chosen = self.chosen().is_some_and(|id| id.to_string() == row.id);
        DecisionRow { link, beside, chosen: is_chosen.then_some("true"), ..row }
    }

    /// The same list with a record beside it.
    pub(super) fn beside(&self, id: &str) -> Link {
        self.here().with_query("record", id)
    }

    /// The list as it is, with nothing beside it.
    pub(super) fn here(&self) -> Link {
        self.before.map_or_else(|| self.newest(), |id| self.older(id))
    }

    /// Links that narrow the list in one respect each.
    pub(super) fn facets(&self) -> Vec<Facet> {
        let door = |what: &What| matches!(what, What::Text(TextKey::Door, _));
        let own = UNSIGNED.parse::<Query>().unwrap_or_default().terms;
        let unsigned = |what: &What| own.iter().any(|term| term.what == *what);
        vec![
            self.facet("Result", |what| matches!(what, What::Effect(_)), &EFFECTS),
            self.facet("Where", door, &DOORS),
            self.facet("Sign-in", unsigned, &SIGN_INS),
        ]
    }

    /// A link for each choice, the present one marked; `ours` are the conditions that a choice stands for.
    fn facet(
        &self,
        label: &'static str,
        ours: impl Fn(&What) -> bool,
        choices: &[(&'static str, &str)],
    ) -> Facet {
        let (here, bare): (Vec<_>, Vec<_>) =
            self.typed.terms.iter().cloned().partition(|term| ours(&term.what));
        let tabs = choices.iter().map(|(label, condition)| {
            // They are ours; what can't be read would be no condition at all.
            let terms = condition.parse::<Query>().unwrap_or_default().terms;
            let is_here = terms == here;
            let query = Query { terms: bare.iter().cloned().chain(terms).collect() };
            Tab { label, link: self.link(&query), is_here: is_here.then_some(HERE) }
        });
        Facet { label, tabs: tabs.collect() }
    }

    /// Each condition, with the page that asks without it.
    pub(super) fn chips(&self) -> Vec<Chip> {
        let chip = |at: usize, term: &Term| {
            let mut rest = self.typed.clone();
            rest.terms.remove(at);
            let text = Query { terms: vec![term.clone()] }.to_string();
            Chip { text, without: self.link(&rest) }
        };
        self.typed.terms.iter().enumerate().map(|(at, term)| chip(at, term)).collect()
    }

    /// The same with one more condition, which is ours.
    pub(super) fn within(&self, from: &str, to: &str) -> Link {
        let mut query = without(&self.typed, |term| matches!(term.what, What::At(_)));
        query.terms.extend(format!("at:{from}..{to}").parse::<Query>().unwrap_or_default().terms);
        self.along(self.list.over(&query.to_string(), "all"))
    }
}

/// The page of a record, from which a way leads back to the list of this query over this time.
pub(super) fn page_of(id: &str, (query, range): (&str, &str)) -> Link {
    let page = Link::path(&["console", "decisions", id]);
    let said = [("q", query), ("range", range)].into_iter().filter(|(_, value)| !value.is_empty());
    said.fold(page, |link, (name, value)| link.with_query(name, value))
}

/// What became of requests, as conditions.
const EFFECTS: [(&str, &str); 4] = [
    ("All", ""),
    ("Allowed", "effect:allow"),
    ("Denied", "effect:deny"),
    ("Refused", "effect:refused"),
];
/// Where they were asked.
const DOORS: [(&str, &str); 3] =
    [("Everywhere", ""), ("Apps", "door:proxy"), ("Cedargate’s own pages", "-door:proxy")];
/// Whether those are listed that were only sent to sign in.
const SIGN_INS: [(&str, &str); 2] = [("With redirects to sign-in", ""), ("Without", UNSIGNED)];
/// No request of somebody who was only sent to sign in.
const UNSIGNED: &str = "-reason:not_signed_in";

/// Links that narrow a list in one respect, the present one marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// In which respect.
    pub label: &'static str,
    /// One for each choice.
    pub tabs: Vec<Tab>,
}

fn record_of(text: &str) -> Result<Option<DecisionId>, Wrong> {
    let wrong = |_| Wrong(format!("`{text}` is not the id of a record."));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
}

/// A condition that can be taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// The condition.
    pub text: String,
    /// The page that asks without it.
    pub without: Link,
}

/// The value of `aria-current` for the present one of several pages.
const HERE: &str = "page";

fn without(query: &Query, dropped: impl Fn(&Term) -> bool) -> Query {
    Query { terms: query.terms.iter().filter(|term| !dropped(term)).cloned().collect() }
}
