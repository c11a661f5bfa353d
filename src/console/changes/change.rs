//! One change in words: what an object was, what it is, and who did it.

use serde_json::Value;

use crate::console::choice::Badge;
use crate::console::urls;
use crate::model::difference::{Act, Difference, FieldChange, ObjectKind};
use crate::model::group::GroupNames;
use crate::model::id::RouteId;
use crate::model::line_diff::{self, Line, Mark};
use crate::store::Author;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::Tone;

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
    /// Its page, while it has one.
    pub link: Option<Link>,
    /// What it was, in words; none when it is new or its fields say more.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
    /// The fields that are not as they were.
    pub fields: Vec<Field>,
    /// Its text line by line, for policies.
    pub text: Vec<TextLine>,
    /// Who did it, when that is known.
    pub by: Option<String>,
    /// When.
    pub at: Option<Moment>,
}

/// A field that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it was.
    pub before: String,
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

impl Change {
    /// A difference in words; `author` is who had the last hand in it.
    pub fn new(one: &Difference, author: Option<&Author>, names: &GroupNames) -> Self {
        let written = one.kind == ObjectKind::Policy;
        let by_field = one.act() == Act::Changed && one.kind != ObjectKind::Grant && !written;
        let said = |words: Option<String>| words.filter(|_| !by_field && !written);
        Self {
            badge: badge(one.act()),
            kind: one.kind.as_str(),
            noun: noun(one.kind),
            id: one.id.clone(),
            link: link(one),
            before: said(one.before_in_words(names)),
            after: said(one.after_in_words(names)),
            fields: if by_field { fields(one) } else { Vec::new() },
            text: if written { text(one, names) } else { Vec::new() },
            by: author.map(|author| author.by.clone()),
            at: author.map(|author| Moment::new(author.at)),
        }
    }
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
        ObjectKind::App | ObjectKind::Policy | ObjectKind::Assertion | ObjectKind::GroupName => {
            None
        }
    }
}

fn fields(one: &Difference) -> Vec<Field> {
    let field = |FieldChange { name, before, after }: FieldChange| Field {
        name: name.replace('_', " "),
        before: spelled(before.as_ref()),
        after: spelled(after.as_ref()),
    };
    one.fields().into_iter().map(field).collect()
}

fn spelled(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
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
