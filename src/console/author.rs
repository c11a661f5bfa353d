//! Who made a change, as pages of the rules name them.

use super::Console;
use super::guard::Admitted;
use crate::authz::console::ConsoleAction;
use crate::model::id::Subject;
use crate::model::known::Known;

/// Whether a reader sees the ids of accounts: whoever may read people does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accounts {
    /// They do.
    Shown,
    /// They see names only.
    Hidden,
}

impl Accounts {
    /// For whoever asked.
    pub(super) fn of(console: &Console, asked: &Admitted) -> Self {
        if asked.may(console, ConsoleAction::ReadPeople) { Self::Shown } else { Self::Hidden }
    }
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorName {
    /// Display name of a person who was here; of anybody else the beginning of the account id.
    pub name: String,
    /// As records have it, for those who see accounts.
    pub account: Option<String>,
}

impl AuthorName {
    /// Of an author as records have it.
    pub fn of(by: &str, (known, accounts): (&Known, Accounts)) -> Self {
        let account = match accounts {
            Accounts::Shown => Some(by.to_owned()),
            Accounts::Hidden => None,
        };
        Self { name: name(by, known), account }
    }
}

/// The name of an author as records have it.
pub(super) fn name(by: &str, known: &Known) -> String {
    if let Some(operator) = by.strip_prefix("operator:") {
        return format!("{operator}, at the command line");
    }
    let Ok(subject) = by.parse::<Subject>() else { return by.to_owned() };
    known.get(&subject).map_or_else(|| subject.short(), |person| person.content.display_name())
}
