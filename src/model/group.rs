//! What groups are called: by Entra, by an admin, or not at all.
//!
//! Rules and tokens speak of groups by object id, for a name can be changed and taken by another group. People read
//! names. Where Entra gives one it is the one that is shown, even where an admin typed another: whoever lets a group in
//! must see what it is called where its members are chosen. The typed name stands beside it then.
//!
//! The people whom rules name go along, since both are told in one sentence: by name to those who may read people.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::id::{GroupId, Subject};
use super::time::Timestamp;

/// A group that rules or people brought up, and what Entra said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGroup {
    /// Its object id.
    pub id: GroupId,
    /// Its name, as Entra last gave it; none when Entra never knew it or was never asked.
    pub name: Option<String>,
    /// What it was called before it was renamed.
    pub former_name: Option<String>,
    /// When the renaming was noticed.
    pub renamed_at: Option<Timestamp>,
    /// Since when Entra does not know it; none while it does, and while nobody was asked.
    pub gone_at: Option<Timestamp>,
    /// When somebody's token last carried it.
    pub seen_at: Option<Timestamp>,
    /// When Entra was last asked about it; none: never.
    pub checked_at: Option<Timestamp>,
}

/// What is to be said of a group beside its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupMark {
    /// Entra knew it once, and does not any more.
    Deleted,
    /// Entra never knew it: most likely a typing mistake.
    Unknown,
    /// It had this name before.
    Renamed(String),
    /// An admin typed this other name for it.
    Typed(String),
}

/// Names for group ids.
#[derive(Debug, Clone, Default)]
pub struct GroupNames {
    typed: BTreeMap<GroupId, String>,
    known: Arc<BTreeMap<GroupId, KnownGroup>>,
    people: PeopleNames,
}

/// How people and services are called where rules name them.
#[derive(Debug, Clone, Default)]
pub enum PeopleNames {
    /// By their whole account id, as in rule files.
    #[default]
    Whole,
    /// By the beginning of it, for those who may not read people.
    Short,
    /// By name, where they were here.
    Known(Arc<BTreeMap<Subject, String>>),
}

impl GroupNames {
    /// The names that an admin typed into the rule book, and what Entra said.
    pub fn new(
        typed: BTreeMap<GroupId, String>,
        known: Arc<BTreeMap<GroupId, KnownGroup>>,
    ) -> Self {
        Self { typed, known, people: PeopleNames::Whole }
    }

    /// What a group is called: by Entra, else by an admin; none when nobody gave it a name.
    pub fn name(&self, id: &GroupId) -> Option<&str> {
        let known = self.known.get(id).and_then(|group| group.name.as_ref());
        known.or_else(|| self.typed.get(id)).map(String::as_str)
    }

    /// The name, or the id where there is none.
    pub fn label(&self, id: &GroupId) -> String {
        self.name(id).map_or_else(|| id.to_string(), str::to_owned)
    }

    /// Whether groups have the same names in both.
    pub fn calls_groups_as(&self, other: &Self) -> bool {
        self.typed == other.typed && self.known == other.known
    }

    /// The same with other names for people.
    #[must_use]
    pub fn with_people(self, people: PeopleNames) -> Self {
        Self { people, ..self }
    }

    /// What it has for people.
    pub fn people(&self) -> &PeopleNames {
        &self.people
    }

    /// What somebody is called whom a rule names.
    pub fn person(&self, subject: &Subject) -> String {
        match &self.people {
            PeopleNames::Whole => subject.to_string(),
            PeopleNames::Short => subject.short(),
            PeopleNames::Known(names) => {
                names.get(subject).map_or_else(|| subject.short(), String::clone)
            }
        }
    }

    /// Their account id, for those who may read people.
    pub fn account(&self, subject: &Subject) -> Option<String> {
        match &self.people {
            PeopleNames::Whole | PeopleNames::Known(_) => Some(subject.to_string()),
            PeopleNames::Short => None,
        }
    }

    /// What is to be said beside the name: the worst there is.
    pub fn mark(&self, id: &GroupId) -> Option<GroupMark> {
        let known = self.known.get(id)?;
        if known.gone_at.is_some() {
            let mark = known.name.as_ref().map_or(GroupMark::Unknown, |_| GroupMark::Deleted);
            return Some(mark);
        }
        let name = known.name.as_ref()?;
        let typed = self.typed.get(id).filter(|typed| *typed != name).cloned();
        let former = known.former_name.clone().filter(|former| former != name);
        former.map(GroupMark::Renamed).or_else(|| typed.map(GroupMark::Typed))
    }

    /// The groups with this name, whoever gave it, in any case. Deleted ones have none any more.
    pub fn called(&self, name: &str) -> Vec<&GroupId> {
        let wanted = name.to_lowercase();
        let is_called = |id: &&GroupId| {
            let known = self.known.get(id).filter(|known| known.gone_at.is_none());
            let own = known.and_then(|known| known.name.as_ref());
            own.into_iter().chain(self.typed.get(id)).any(|name| name.to_lowercase() == wanted)
        };
        self.ids().filter(is_called).collect()
    }

    /// Every group that has a name and is there, with the name, in the order of names.
    pub fn all(&self) -> Vec<(&GroupId, &str)> {
        let there = |id: &&GroupId| self.known.get(id).is_none_or(|group| group.gone_at.is_none());
        let mut all: Vec<_> =
            self.ids().filter(there).filter_map(|id| Some((id, self.name(id)?))).collect();
        all.sort_by_key(|(id, name)| (name.to_lowercase(), (*id).clone()));
        all
    }

    /// Each group once.
    fn ids(&self) -> impl Iterator<Item = &GroupId> {
        let typed_only = self.typed.keys().filter(|id| !self.known.contains_key(*id));
        self.known.keys().chain(typed_only)
    }
}
