//! One change in words: what an object was, what it is, and who did it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::console::apps::facts::Fact;
use crate::console::apps::{app_form, route_form};
use crate::console::author::{Accounts, AuthorName};
use crate::console::choice::Badge;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::count;
use crate::model::difference::{Act, Difference, FieldChange, ObjectKind, revision};
use crate::model::group::GroupNames;
use crate::model::id::{AppId, PolicyId, RouteId};
use crate::model::known::Known;
use crate::model::line_diff::{self, Line, Mark};
use crate::model::route::Route;
use crate::store::{Author, Pending};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::Tone;
use crate::web::stretch::Stretch;

/// Changes of a page: with the lines of Cedar beside them, what 60 kB hold.
const CHANGES: usize = 25;
const LINES: usize = 60;

/// The id of the element with the lines of Cedar, and the field of an address that holds the number of their page.
const CEDAR: &str = "cedar";

/// Which part of a long difference a page shows, as its address says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Of the changes in words.
    pub(super) page: usize,
    /// Of the lines of Cedar.
    pub(super) cedar: usize,
}

impl Parts {
    /// The part of `all` changes, where `link` leads to the whole difference.
    pub(super) fn of_changes<T>(self, all: Vec<T>, link: &Link) -> (Vec<T>, Option<Stretch>) {
        Stretch::of_pieces(all, (CHANGES, "page", self.page), &numbered(link, CEDAR, self.cedar))
    }

    /// The part of the lines of Cedar, whose pages begin at them.
    pub(super) fn of_cedar(self, lines: Vec<Line>, link: &Link) -> Cedar {
        let link = numbered(link, "page", self.page);
        let (lines, stretch) = Stretch::of_pieces(lines, (LINES, CEDAR, self.cedar), &link);
        let at_lines = |link: Link| link.with_fragment(CEDAR);
        let stretch = stretch.map(|mut stretch| {
            stretch.previous = stretch.previous.map(at_lines);
            stretch.next = stretch.next.map(at_lines);
            stretch
        });
        let lines = lines.into_iter().map(TextLine::new).collect();
        let state = if self.cedar > 0 { Fold::Open } else { Fold::Shut };
        Cedar { lines, stretch, state }
    }
}

fn numbered(link: &Link, name: &str, number: usize) -> Link {
    if number > 1 { link.clone().with_query(name, &number.to_string()) } else { link.clone() }
}

/// The policies that go, come or change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cedar {
    /// Line by line.
    pub lines: Vec<TextLine>,
    /// Which part of all lines that is.
    pub stretch: Option<Stretch>,
    /// Whether somebody looks at them.
    pub state: Fold,
}

/// Whether what can be folded is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// It is.
    Shut,
    /// It is not: its address names a part of it.
    Open,
}

impl Cedar {
    /// Whether it is unfolded.
    pub fn is_open(&self) -> bool {
        self.state == Fold::Open
    }
}

/// A change of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What became of it.
    pub badge: Badge,
    /// The kind of object, as rule files call it.
    pub kind: &'static str,
    /// The same as people call it.
    pub noun: &'static str,
    /// Its id.
    pub id: String,
    /// Names its content in the draft; empty when it is gone from there.
    pub revision: String,
    /// Its page, while it has one.
    pub link: Option<Link>,
    /// What it is, in words that did not change although something else did.
    pub words: Option<String>,
    /// What it was, in words; none when it is new or its fields say more.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
    /// The fields that are not as they were.
    pub fields: Vec<Field>,
    /// Its text line by line, for policies.
    pub text: Vec<TextLine>,
    /// Who did it, when that is known.
    pub by: Option<AuthorName>,
    /// When.
    pub at: Option<Moment>,
}

/// A field that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it was; none when all of it is new.
    pub before: Option<String>,
    /// What it is.
    pub after: String,
}

/// A line of a text that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    mark: Mark,
    /// The line.
    pub text: String,
}

impl TextLine {
    /// As pages show it.
    pub fn new(Line { mark, text }: Line) -> Self {
        Self { mark, text }
    }

    /// Its class in the style sheet.
    pub fn class(&self) -> &'static str {
        match self.mark {
            Mark::Stays => "same",
            Mark::Goes => "del",
            Mark::Comes => "add",
        }
    }

    /// The sign before it: colour alone says nothing.
    pub fn sign(&self) -> char {
        match self.mark {
            Mark::Goes => '−',
            Mark::Stays | Mark::Comes => self.mark.sign(),
        }
    }

    /// For those who hear the page.
    pub fn said(&self) -> Option<&'static str> {
        match self.mark {
            Mark::Stays => None,
            Mark::Goes => Some("removed: "),
            Mark::Comes => Some("added: "),
        }
    }
}

/// Changes that a page does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct More {
    /// How many ("300 more changes").
    pub count: String,
    /// The page that lists them.
    pub draft: Link,
}

/// What changes are told with.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// What groups are called.
    pub names: &'a GroupNames,
    /// Who was here.
    pub known: &'a Known,
    /// Whether the reader sees accounts.
    pub accounts: Accounts,
}

impl Telling<'_> {
    /// One of those that wait in the draft.
    pub(super) fn one(self, pending: &Pending) -> Change {
        Change::new(&pending.difference, pending.author.as_ref(), self)
    }

    /// The first of all that waits in the draft, and how many more there are.
    pub(super) fn first(self, shown: &Shown) -> (Vec<Change>, Option<More>) {
        let pending = shown.pending();
        let more = pending.len().saturating_sub(CHANGES);
        let more =
            (more > 0).then(|| More { count: count(more, "more change"), draft: urls::draft() });
        (pending.iter().take(CHANGES).map(|one| self.one(one)).collect(), more)
    }
}

impl Change {
    /// A difference in words; `author` is who had the last hand in it.
    pub fn new(one: &Difference, author: Option<&Author>, telling: Telling<'_>) -> Self {
        let Telling { names, known, accounts } = telling;
        let written = one.kind == ObjectKind::Policy;
        let by_field = one.act() == Act::Changed && is_by_field(one.kind);
        let [before, after] = [one.before_in_words(names), one.after_in_words(names)];
        let alike = before == after;
        let said = |words: Option<String>| words.filter(|_| !by_field && !written);
        let differs = |words: Option<String>| said(words).filter(|_| !alike);
        Self {
            badge: badge(one.act()),
            kind: one.kind.as_str(),
            noun: noun(one.kind),
            id: one.id.clone(),
            revision: drafted(one),
            link: link(one),
            words: said(after.clone()).filter(|_| alike),
            before: differs(before),
            after: differs(after),
            fields: fields(one, names),
            text: if written { text(one, names) } else { Vec::new() },
            by: author.map(|author| AuthorName::of(&author.by, (known, accounts))),
            at: author.map(|author| Moment::new(author.at)),
        }
    }
}

/// Names what the draft has of an object: a form that was made from it says so when it comes back.
pub(super) fn drafted(one: &Difference) -> String {
    one.after.as_ref().map(revision).unwrap_or_default()
}

fn badge(act: Act) -> Badge {
    match act {
        Act::Added => Badge { word: "Added", icon: "plus", tone: Tone::Good },
        Act::Changed => Badge { word: "Changed", icon: "pencil", tone: Tone::Careful },
        Act::Removed => Badge { word: "Removed", icon: "trash-2", tone: Tone::Bad },
    }
}

fn noun(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::App => "App",
        ObjectKind::Route => "Route",
        ObjectKind::Grant => "Grant",
        ObjectKind::Policy => "Policy",
        ObjectKind::Assertion => "Assertion",
        ObjectKind::GroupName => "Name of group",
    }
}

/// Pages show the draft, so what is gone from it has none.
fn link(one: &Difference) -> Option<Link> {
    let after = one.after.as_ref()?;
    match one.kind {
        ObjectKind::Route => one.id.parse().ok().map(|id: RouteId| urls::route(&id)),
        ObjectKind::Grant => {
            let route: RouteId = after.get("route")?.as_str()?.parse().ok()?;
            Some(urls::grant(&route, &one.id.parse().ok()?))
        }
        ObjectKind::App => one.id.parse().ok().map(|id: AppId| urls::app(&id)),
        ObjectKind::Policy => one.id.parse().ok().map(|id: PolicyId| urls::policy(&id)),
        ObjectKind::Assertion | ObjectKind::GroupName => None,
    }
}

/// Of apps and routes in the words of their forms; of others in those of the rule files.
fn fields(one: &Difference, names: &GroupNames) -> Vec<Field> {
    match (told(one), one.act()) {
        (Some((before, after)), Act::Changed) => {
            let pairs = before.into_iter().zip(after).filter(|(before, after)| before != after);
            let field = |(before, after): (Fact, Fact)| Field {
                name: after.name.to_owned(),
                before: Some(or_nothing(before.value)),
                after: or_nothing(after.value),
            };
            pairs.map(field).collect()
        }
        (Some((_, after)), Act::Added) => {
            // What it is called stands above already, and what nobody set goes without saying.
            let unset = usual(one).unwrap_or_default();
            let is_set = |fact: &Fact| !fact.value.is_empty() && !unset.contains(fact);
            let set = after.into_iter().skip(1).filter(is_set);
            let field =
                |Fact { name, value }| Field { name: name.to_owned(), before: None, after: value };
            set.map(field).collect()
        }
        (None, Act::Changed) if is_by_field(one.kind) => {
            one.fields().into_iter().map(field).collect()
        }
        (None, Act::Changed) if one.kind == ObjectKind::Grant => unsaid(one, names),
        (None | Some(_), Act::Added | Act::Changed | Act::Removed) => Vec::new(),
    }
}

/// What a grant's sentence does not say of its change: reason and ticket, and everything when it says the same as before.
fn unsaid(one: &Difference, names: &GroupNames) -> Vec<Field> {
    let alike = one.before_in_words(names) == one.after_in_words(names);
    let never_said = |name: &str| name == "reason" || name == "ticket";
    let changes = one.fields().into_iter().filter(|field| alike || never_said(&field.name));
    changes.flat_map(|change| conditions(one, change)).map(field).collect()
}

/// The conditions of a grant one by one; any other field as it is.
fn conditions(one: &Difference, change: FieldChange) -> Vec<FieldChange> {
    if change.name != "when" {
        return vec![change];
    }
    let nothing = || Some(Value::Object(serde_json::Map::new()));
    let (before, after) = (change.before.or_else(nothing), change.after.or_else(nothing));
    Difference { before, after, ..one.clone() }.fields()
}

fn field(FieldChange { name, before, after }: FieldChange) -> Field {
    Field {
        name: name.replace('_', " "),
        before: Some(spelled(before.as_ref())),
        after: spelled(after.as_ref()),
    }
}

/// Whether a change of it is told field by field: grants are sentences, and policies lines.
fn is_by_field(kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::App | ObjectKind::Route | ObjectKind::Assertion | ObjectKind::GroupName => true,
        ObjectKind::Grant | ObjectKind::Policy => false,
    }
}

/// An app or a route before and after, fact by fact.
fn told(one: &Difference) -> Option<(Vec<Fact>, Vec<Fact>)> {
    let tell: fn(&Value) -> Option<Vec<Fact>> = match one.kind {
        ObjectKind::App => |value| object(value).map(|app| app_form::facts_of(&app)),
        ObjectKind::Route => |value| object(value).map(|route| route_form::facts_of(&route)),
        ObjectKind::Grant | ObjectKind::Policy | ObjectKind::Assertion | ObjectKind::GroupName => {
            return None;
        }
    };
    let facts = |value: &Option<Value>| value.as_ref().and_then(tell).unwrap_or_default();
    Some((facts(&one.before), facts(&one.after)))
}

/// What a new route is unless somebody says otherwise.
fn usual(one: &Difference) -> Option<Vec<Fact>> {
    let route: Route = (one.kind == ObjectKind::Route).then(|| object(one.after.as_ref()?))??;
    Some(route_form::facts_of(&Route::new(route.id, route.pattern)))
}

fn object<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

fn or_nothing(value: String) -> String {
    if value.is_empty() { "nothing".to_owned() } else { value }
}

fn spelled(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            items.iter().map(|item| spelled(Some(item))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

fn text(one: &Difference, names: &GroupNames) -> Vec<TextLine> {
    let [before, after] =
        [one.before_in_words(names), one.after_in_words(names)].map(Option::unwrap_or_default);
    line_diff::between(&before, &after).into_iter().map(TextLine::new).collect()
}
