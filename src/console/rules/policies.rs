//! All rules as a list, those with something wrong first: hand-written policies, and what grants are compiled to.

use std::fmt;
use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use crate::authz::console::ConsoleAction;
use crate::authz::lints::Lint;
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

/// A rule of the draft before anything is made of it: most are not on the page.
enum Rule<'a> {
    Written(&'a Policy),
    Granted(&'a Grant),
}

impl Rule<'_> {
    fn object(&self) -> Object {
        match self {
            Self::Written(policy) => Object::Policy(policy.id.clone()),
            Self::Granted(grant) => Object::Grant(grant.id.clone()),
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Written(policy) => policy.id.as_str(),
            Self::Granted(grant) => grant.id.as_str(),
        }
    }

    /// What it says, in a few words.
    fn scope(&self, drafted: &Shown) -> String {
        match self {
            Self::Written(policy) => outline(policy).map_or_else(|| NO_POLICY.to_owned(), scope),
            Self::Granted(grant) => sentence(grant, &drafted.names),
        }
    }

    fn matches(&self, drafted: &Shown, wanted: &str) -> bool {
        let has = |text: &str| text.to_lowercase().contains(wanted);
        wanted.is_empty() || has(self.id()) || has(&self.scope(drafted))
    }

    /// Those with something wrong stand first.
    fn order(&self, found: &Findings) -> (bool, bool, bool, String) {
        let object = self.object();
        let sound = !found.problems.iter().any(|problem| problem.object == object);
        let (usual, granted) =
            (found.lints_of(&object).is_empty(), matches!(self, Self::Granted(_)));
        (sound, usual, granted, self.id().to_owned())
    }

    fn row(&self, drafted: &Shown, found: &Findings) -> PolicyRow {
        let object = self.object();
        let (link, effect, source, kind) = match self {
            Self::Written(policy) => {
                let effect = outline(policy).map(|outline| effect(outline.effect));
                (urls::policy(&policy.id), effect, WRITTEN, ObjectKind::Policy)
            }
            Self::Granted(grant) => {
                let link = urls::grant(&grant.route, &grant.id);
                (link, Some(effect(grant.effect)), "grant", ObjectKind::Grant)
            }
        };
        PolicyRow {
            id: self.id().to_owned(),
            link: Some(link),
            effect,
            scope: self.scope(drafted),
            source,
            draft: waiting(drafted, (kind, self.id())),
            problems: found.problems(&object),
            lints: found.lints(&object),
        }
    }
}

const NO_POLICY: &str = "Its text is no policy.";
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
    let wanted = query.q.trim().to_lowercase();
    let rules = drafted.book.policies.iter().map(Rule::Written);
    let rules = rules.chain(drafted.book.grants.iter().map(Rule::Granted));
    let mut rules: Vec<_> = rules.filter(|rule| rule.matches(&drafted, &wanted)).collect();
    rules.sort_by_cached_key(|rule| rule.order(&found));
    let narrowed = match query.q.trim() {
        "" => urls::policies(),
        typed => urls::policies().with_query("q", typed),
    };
    let (rules, stretch) = Stretch::of(rules, query.page, &narrowed);
    let may = asked.may(&console, ConsoleAction::EditDraft);
    let page = PoliciesPage {
        frame: shown.framed(asked.frame("Policies", Section::Policies)?),
        summary: summary(&drafted),
        new: may.then(urls::new_policy),
        assertions: urls::assertions(),
        action: urls::policies(),
        query: query.q,
        rows: rules.into_iter().map(|rule| rule.row(&drafted, &found)).collect(),
        stretch,
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// What is wrong with a draft, object by object.
pub(super) struct Findings {
    problems: Vec<Problem>,
    /// Sorted.
    lints: Arc<[Lint]>,
}

impl Findings {
    /// Of a draft that was reviewed.
    pub(super) fn of(console: &Console, drafted: &Shown, review: &Review) -> Self {
        let problems = review.problems.iter().flat_map(|error| error.problems.clone());
        let lints = review.lints(&drafted.names, console.clock.now());
        Self { problems: problems.collect(), lints }
    }

    /// What keeps this object from being published.
    pub(super) fn problems(&self, object: &Object) -> Vec<Spot> {
        self.problems.iter().filter(|problem| problem.object == *object).map(spot).collect()
    }

    /// What is most likely not meant of it.
    pub(super) fn lints(&self, object: &Object) -> Vec<Spot> {
        self.lints_of(object).iter().map(|lint| spot(&lint.problem)).collect()
    }

    fn lints_of(&self, object: &Object) -> &[Lint] {
        let begin = self.lints.partition_point(|lint| lint.problem.object < *object);
        let rest = self.lints.get(begin..).unwrap_or_default();
        let end = rest.partition_point(|lint| lint.problem.object == *object);
        rest.get(..end).unwrap_or_default()
    }

    /// What is wrong with other objects, with their names.
    pub(super) fn elsewhere(&self, object: &Object) -> Vec<String> {
        let other = self.problems.iter().filter(|problem| problem.object != *object);
        other.map(ToString::to_string).collect()
    }
}

fn spot(problem: &Problem) -> Spot {
    Spot { at: problem.at.map(|at| at.to_string()), text: problem.what() }
}

fn summary(drafted: &Shown) -> String {
    let (written, grants) = (drafted.book.policies.len(), drafted.book.grants.len());
    format!(
        "{} by hand, and {}.",
        count(written, "policy").replace("policys", "policies"),
        count(grants, "grant")
    )
}

fn scope(outline: Outline) -> String {
    let Outline { who, what, place, conditions, .. } = outline;
    let when = match conditions {
        0 => String::new(),
        number => format!(", under {}", count(number, "condition")),
    };
    format!("{who} · {what} · {place}{when}")
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
