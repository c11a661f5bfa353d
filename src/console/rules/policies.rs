//! All rules as a list, those with something wrong first: hand-written policies, and what grants are compiled to.

use std::fmt;
use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use crate::authz::console::ConsoleAction;
use crate::authz::lints::lint;
use crate::authz::outline::{Outline, outline};
use crate::authz::problem::{Object, Problem};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Badge;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::count;
use crate::model::difference::ObjectKind;
use crate::model::grant::{Effect, Grant};
use crate::model::policy::Policy;
use crate::model::words::sentence;
use crate::publishing::Review;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Tone};
use crate::web::stretch::Stretch;

/// All rules of the draft.
#[derive(Debug, Clone, Template)]
#[template(path = "console/rules/policies.html")]
pub struct PoliciesPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The whole in one line.
    pub summary: String,
    /// Where one is written, for those who may.
    pub new: Option<Link>,
    /// What must be true of them.
    pub assertions: Link,
    /// Where the list is narrowed, and the whole of it.
    pub action: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// Those with something wrong first, then hand-written ones.
    pub rows: Vec<PolicyRow>,
    /// Which of them these are; none when all are.
    pub stretch: Option<Stretch>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// Its id.
    pub id: String,
    /// Its page.
    pub link: Option<Link>,
    /// Whether it opens or closes; none when its text is no policy.
    pub effect: Option<Badge>,
    /// Whom, what and where it speaks of.
    pub scope: String,
    /// Where it comes from.
    pub source: &'static str,
    /// How it stands to what is in force.
    pub draft: Option<&'static str>,
    /// What keeps it from being published.
    pub problems: Vec<Spot>,
    /// What is most likely not meant.
    pub lints: Vec<Spot>,
}

/// Something wrong, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// `line:column`; none for what has no place in a text.
    pub at: Option<String>,
    /// What.
    pub text: String,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(f, "{at}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl PolicyRow {
    fn matches(&self, wanted: &str) -> bool {
        [&self.id, &self.scope].iter().any(|text| text.to_lowercase().contains(wanted))
    }

    /// Those with something wrong stand first.
    fn order(&self) -> (bool, bool, bool, String) {
        let written = self.source == WRITTEN;
        (self.problems.is_empty(), self.lints.is_empty(), !written, self.id.clone())
    }
}

const WRITTEN: &str = "written";

/// How the list is narrowed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PoliciesQuery {
    /// A part of an id or of what a rule says.
    q: String,
    page: usize,
}

/// Answers with the list.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: PoliciesQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let drafted = shown.drafted();
    let review = asked.review(&console, drafted.book.clone()).await?;
    let found = Findings::of(&console, &drafted, &review);
    let (policies, grants) = (drafted.book.policies.iter(), drafted.book.grants.iter());
    let mut rows: Vec<_> = policies.map(|policy| written(policy, &drafted, &found)).collect();
    rows.extend(grants.map(|grant| granted(grant, &drafted, &found)));
    let wanted = query.q.trim().to_lowercase();
    rows.retain(|row| row.matches(&wanted));
    rows.sort_by_cached_key(PolicyRow::order);
    let narrowed = match query.q.trim() {
        "" => urls::policies(),
        typed => urls::policies().with_query("q", typed),
    };
    let (rows, stretch) = Stretch::of(rows, query.page, &narrowed);
    let may = asked.may(&console, ConsoleAction::EditDraft);
    let page = PoliciesPage {
        frame: shown.framed(asked.frame("Policies", Section::Policies)?),
        summary: summary(&drafted),
        new: may.then(urls::new_policy),
        assertions: urls::assertions(),
        action: urls::policies(),
        query: query.q,
        rows,
        stretch,
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// What is wrong with a draft, object by object.
pub(super) struct Findings {
    problems: Vec<Problem>,
    lints: Vec<Problem>,
}

impl Findings {
    /// Of a draft that was reviewed.
    pub(super) fn of(console: &Console, drafted: &Shown, review: &Review) -> Self {
        let problems = review.problems.iter().flat_map(|error| error.problems.clone());
        let now = console.clock.now();
        let lints = review.next.as_ref().map(|next| lint(&review.book, next, &drafted.names, now));
        let lints = lints.unwrap_or_default().into_iter().map(|lint| lint.problem);
        Self { problems: problems.collect(), lints: lints.collect() }
    }

    /// What keeps this object from being published.
    pub(super) fn problems(&self, object: &Object) -> Vec<Spot> {
        said(&self.problems, object)
    }

    /// What is most likely not meant of it.
    pub(super) fn lints(&self, object: &Object) -> Vec<Spot> {
        said(&self.lints, object)
    }

    /// What is wrong with other objects, with their names.
    pub(super) fn elsewhere(&self, object: &Object) -> Vec<String> {
        let other = self.problems.iter().filter(|problem| problem.object != *object);
        other.map(ToString::to_string).collect()
    }
}

fn said(all: &[Problem], object: &Object) -> Vec<Spot> {
    let own = all.iter().filter(|problem| problem.object == *object);
    own.map(|problem| Spot { at: problem.at.map(|at| at.to_string()), text: problem.what() })
        .collect()
}

fn summary(drafted: &Shown) -> String {
    let (written, grants) = (drafted.book.policies.len(), drafted.book.grants.len());
    format!(
        "{} by hand, and {}.",
        count(written, "policy").replace("policys", "policies"),
        count(grants, "grant")
    )
}

fn written(policy: &Policy, drafted: &Shown, found: &Findings) -> PolicyRow {
    let object = Object::Policy(policy.id.clone());
    let outline = outline(policy);
    PolicyRow {
        id: policy.id.to_string(),
        link: Some(urls::policy(&policy.id)),
        effect: outline.as_ref().map(|outline| effect(outline.effect)),
        scope: outline.map_or_else(|| "Its text is no policy.".to_owned(), scope),
        source: WRITTEN,
        draft: waiting(drafted, (ObjectKind::Policy, policy.id.as_str())),
        problems: found.problems(&object),
        lints: found.lints(&object),
    }
}

fn scope(outline: Outline) -> String {
    let Outline { who, what, place, conditions, .. } = outline;
    let when = match conditions {
        0 => String::new(),
        number => format!(", under {}", count(number, "condition")),
    };
    format!("{who} · {what} · {place}{when}")
}

fn granted(grant: &Grant, drafted: &Shown, found: &Findings) -> PolicyRow {
    let object = Object::Grant(grant.id.clone());
    PolicyRow {
        id: grant.id.to_string(),
        link: Some(urls::grant(&grant.route, &grant.id)),
        effect: Some(effect(grant.effect)),
        scope: sentence(grant, &drafted.names),
        source: "grant",
        draft: waiting(drafted, (ObjectKind::Grant, grant.id.as_str())),
        problems: found.problems(&object),
        lints: found.lints(&object),
    }
}

fn waiting(drafted: &Shown, (kind, id): (ObjectKind, &str)) -> Option<&'static str> {
    let one = drafted.waiting(kind, id)?;
    Some(if one.before.is_none() { "added in the draft" } else { "changed in the draft" })
}

fn effect(effect: Effect) -> Badge {
    match effect {
        Effect::Permit => Badge { word: "Permit", icon: "circle-check", tone: Tone::Good },
        Effect::Forbid => Badge { word: "Forbid", icon: "circle-x", tone: Tone::Bad },
    }
}
