//! What differs between two rule books, object by object.
//!
//! Reviews, change records and edits of the draft all speak of the same differences: an object was added, changed or
//! removed, with its content before and after.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::grant::Grant;
use super::group::GroupNames;
use super::rule_book::RuleBook;
use super::words;

/// The kinds of objects in a rule book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// An app.
    App,
    /// A route.
    Route,
    /// A grant.
    Grant,
    /// A hand-written policy.
    Policy,
    /// A test of the rules.
    Assertion,
    /// The name of a group.
    GroupName,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::App, Self::Route, Self::Grant, Self::Policy, Self::Assertion, Self::GroupName];

    /// The field of a rule book that holds them.
    fn list(self) -> &'static str {
        match self {
            Self::App => "apps",
            Self::Route => "routes",
            Self::Grant => "grants",
            Self::Policy => "policies",
            Self::Assertion => "assertions",
            Self::GroupName => "group_names",
        }
    }

    /// The word in records and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Route => "route",
            Self::Grant => "grant",
            Self::Policy => "policy",
            Self::Assertion => "assertion",
            Self::GroupName => "group_name",
        }
    }
}

/// One object that is not the same in both rule books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which kind.
    pub kind: ObjectKind,
    /// Its id.
    pub id: String,
    /// Its content in the first rule book; none when it is new.
    pub before: Option<Value>,
    /// Its content in the second; none when it is gone.
    pub after: Option<Value>,
}

/// One field of an object that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name in the rule files.
    pub name: String,
    /// What it was; none when it was not set.
    pub before: Option<Value>,
    /// What it is; none when it is not set.
    pub after: Option<Value>,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// It is new.
    Added,
    /// It has other content.
    Changed,
    /// It is gone.
    Removed,
}

impl Act {
    /// The word in records: `grant_added` and the like end in it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// The objects of a rule book by kind and id, as JSON. Of two with one id the last counts; compiling refuses such a book.
pub fn objects(book: &RuleBook) -> BTreeMap<(ObjectKind, String), Value> {
    let mut objects = BTreeMap::new();
    let mut add =
        |kind, id: &str, object: Value| drop(objects.insert((kind, id.to_owned()), object));
    book.apps.iter().for_each(|app| add(ObjectKind::App, app.id.as_str(), json(app)));
    book.routes.iter().for_each(|route| add(ObjectKind::Route, route.id.as_str(), json(route)));
    book.grants.iter().for_each(|grant| add(ObjectKind::Grant, grant.id.as_str(), json(grant)));
    book.policies.iter().for_each(|own| add(ObjectKind::Policy, own.id.as_str(), json(own)));
    book.assertions.iter().for_each(|own| add(ObjectKind::Assertion, own.id.as_str(), json(own)));
    book.group_names
        .iter()
        .for_each(|(id, name)| add(ObjectKind::GroupName, id.as_str(), json(name)));
    objects
}

/// Names the content of one object (hex): a form that was made from it says so when it comes back.
pub fn revision(object: &impl Serialize) -> String {
    let digest = format!("{:x}", Sha256::digest(json(object).to_string()));
    digest.chars().take(16).collect()
}

/// The rule book with one object as the difference has it afterwards; none when that content is no object of its kind.
pub fn revised(book: &RuleBook, one: &Difference) -> Option<RuleBook> {
    let mut book = serde_json::to_value(book).ok()?;
    let (id, after) = (Value::from(one.id.as_str()), one.after.clone());
    if one.kind == ObjectKind::GroupName {
        let names = book.get_mut(one.kind.list())?.as_object_mut()?;
        names.remove(&one.id);
        names.extend(after.map(|name| (one.id.clone(), name)));
    } else {
        let lists = book.as_object_mut()?.entry(one.kind.list());
        let list = lists.or_insert_with(|| Value::Array(Vec::new())).as_array_mut()?;
        list.retain(|object| object.get("id") != Some(&id));
        list.extend(after);
    }
    serde_json::from_value(book).ok()
}

/// Nothing in a rule book is something that JSON can't say.
fn json(object: &impl Serialize) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

/// Everything that differs, by kind and id.
pub fn between(from: &RuleBook, to: &RuleBook) -> Vec<Difference> {
    let (mut before, after) = (objects(from), objects(to));
    let mut all = Vec::new();
    for ((kind, id), after) in after {
        let before = before.remove(&(kind, id.clone()));
        if before.as_ref() != Some(&after) {
            all.push(Difference { kind, id, before, after: Some(after) });
        }
    }
    all.extend(before.into_iter().map(|((kind, id), before)| Difference {
        kind,
        id,
        before: Some(before),
        after: None,
    }));
    all.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    all
}

impl Difference {
    /// What became of the object.
    pub fn act(&self) -> Act {
        match (&self.before, &self.after) {
            (None, _) => Act::Added,
            (Some(_), Some(_)) => Act::Changed,
            (Some(_), None) => Act::Removed,
        }
    }

    /// `grant:finance-read`, as records name it.
    pub fn object(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.id)
    }

    /// In words: one line for what was added or removed, and for a change one for each thing that is not as it was.
    pub fn lines(&self, names: &GroupNames) -> Vec<String> {
        let [before, after] = [self.before_in_words(names), self.after_in_words(names)]
            .map(Option::unwrap_or_default);
        let (gone, come) =
            (format!("- {}: {before}", self.object()), format!("+ {}: {after}", self.object()));
        match self.act() {
            Act::Added => vec![come],
            Act::Removed => vec![gone],
            Act::Changed if self.kind == ObjectKind::Grant => vec![gone, come],
            Act::Changed => self.fields().iter().map(|field| self.line(field)).collect(),
        }
    }

    /// What it was, as a sentence, a pattern or a name; none when it is new.
    pub fn before_in_words(&self, names: &GroupNames) -> Option<String> {
        self.before.as_ref().map(|value| self.say(value, names))
    }

    /// What it is; none when it is gone.
    pub fn after_in_words(&self, names: &GroupNames) -> Option<String> {
        self.after.as_ref().map(|value| self.say(value, names))
    }

    fn say(&self, value: &Value, names: &GroupNames) -> String {
        let grant = || serde_json::from_value::<Grant>(value.clone()).ok();
        let text =
            |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match self.kind {
            ObjectKind::Grant => {
                grant().map_or_else(String::new, |grant| words::sentence(&grant, names))
            }
            ObjectKind::App => text("name"),
            ObjectKind::Route => text("pattern"),
            ObjectKind::Policy => text("text"),
            ObjectKind::Assertion => text("reason"),
            ObjectKind::GroupName => value.as_str().unwrap_or_default().to_owned(),
        }
    }

    /// `~ route:shop/finance owner: "a" -> "b"`
    fn line(&self, FieldChange { name, before, after }: &FieldChange) -> String {
        let name = if name.is_empty() { String::new() } else { format!(" {name}") };
        format!(
            "~ {}{name}: {} -> {}",
            self.object(),
            spelled(before.as_ref()),
            spelled(after.as_ref())
        )
    }

    /// The fields that are not as they were. What has no fields is one of its own, without a name.
    pub fn fields(&self) -> Vec<FieldChange> {
        let (Some(Value::Object(before)), Some(Value::Object(after))) = (&self.before, &self.after)
        else {
            let (before, after) = (self.before.clone(), self.after.clone());
            return vec![FieldChange { name: String::new(), before, after }];
        };
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let differs = |name: &&String| before.get(*name) != after.get(*name);
        let change = |name: &String| FieldChange {
            name: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        };
        names.into_iter().filter(differs).map(change).collect()
    }
}

fn spelled(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
