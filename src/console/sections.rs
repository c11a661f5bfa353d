//! The places of the console that the navigation shows, in its order.

use crate::authz::console::ConsoleAction;
use crate::web::link::Link;
use crate::web::page::{NavGroup, NavItem, Place};

use super::urls;

/// A place of the console that the navigation shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// How things stand.
    Dashboard,
    /// Routes and who may open them.
    Routes,
    /// All rules.
    Policies,
    /// What must stay true of them.
    Assertions,
    /// What waits to be published.
    Draft,
    /// What was published.
    Releases,
    /// Who can reach what.
    Explorer,
    /// What would be decided if.
    Simulator,
    /// Groups and roles.
    Groups,
    /// Who was here.
    People,
    /// Who is signed in.
    Sessions,
    /// What was decided.
    Decisions,
    /// What was changed, and what else happened.
    Changes,
    /// Whether the log is whole.
    Integrity,
    /// What is printed for those who ask.
    Reports,
    /// How Cedargate itself stands at Entra.
    Entra,
    /// The settings as they are in force.
    Settings,
}

/// How a place is shown.
struct Sign {
    group: &'static str,
    label: &'static str,
    icon: &'static str,
    link: Link,
}

impl Section {
    /// Every place; those of one group stand together.
    pub const ALL: [Self; 17] = [
        Self::Dashboard,
        Self::Routes,
        Self::Policies,
        Self::Assertions,
        Self::Draft,
        Self::Releases,
        Self::Explorer,
        Self::Simulator,
        Self::Groups,
        Self::People,
        Self::Sessions,
        Self::Decisions,
        Self::Changes,
        Self::Integrity,
        Self::Reports,
        Self::Entra,
        Self::Settings,
    ];

    /// What a person must be allowed to do, to be led there.
    pub fn action(self) -> ConsoleAction {
        match self {
            Self::Dashboard
            | Self::Routes
            | Self::Policies
            | Self::Assertions
            | Self::Draft
            | Self::Releases
            | Self::Simulator
            | Self::Groups
            | Self::Entra => ConsoleAction::ReadRules,
            Self::Explorer | Self::People | Self::Sessions => ConsoleAction::ReadPeople,
            Self::Settings => ConsoleAction::ReadSettings,
            Self::Decisions | Self::Changes | Self::Integrity | Self::Reports => {
                ConsoleAction::ReadLog
            }
        }
    }

    fn sign(self) -> Sign {
        let sign = |group, label, icon, link| Sign { group, label, icon, link };
        match self {
            Self::Dashboard => sign("Overview", "Dashboard", "activity", urls::home()),
            Self::Routes => sign("Access", "Routes", "route", urls::routes()),
            Self::Policies => sign("Access", "Policies", "file-text", urls::policies()),
            Self::Assertions => sign("Access", "Assertions", "check", urls::assertions()),
            Self::Releases => sign("Access", "Releases", "git-compare", urls::releases()),
            Self::Draft => sign("Access", "Draft", "pencil", urls::draft()),
            Self::Explorer => sign("Access", "Who can what", "eye", urls::who()),
            Self::Simulator => sign("Access", "Simulator", "flask-conical", urls::simulate()),
            Self::Groups => sign("Directory", "Groups and roles", "users", urls::groups()),
            Self::People => sign("Directory", "People", "user", urls::people()),
            Self::Sessions => sign("Directory", "Sessions", "monitor", urls::sessions()),
            Self::Decisions => sign("Assurance", "Decisions", "scroll-text", urls::decisions()),
            Self::Changes => sign("Assurance", "Changes", "history", urls::events()),
            Self::Integrity => sign("Assurance", "Integrity", "shield-check", urls::integrity()),
            Self::Reports => sign("Assurance", "Reports", "chart-no-axes-column", urls::reports()),
            Self::Entra => sign("Set-up", "Entra", "key-round", urls::entra()),
            Self::Settings => sign("Set-up", "Settings", "settings", urls::settings()),
        }
    }
}

/// The navigation with `here` marked: the places among `open` that this person may see.
pub fn nav(here: Section, open: &[Section]) -> Vec<NavGroup> {
    let mut groups: Vec<NavGroup> = Vec::new();
    for section in Section::ALL.into_iter().filter(|section| open.contains(section)) {
        let Sign { group, label, icon, link } = section.sign();
        let place = if section == here { Place::Here } else { Place::Elsewhere };
        let item = NavItem { label, link, icon, place };
        match groups.last_mut().filter(|last| last.label == group) {
            Some(last) => last.items.push(item),
            None => groups.push(NavGroup { label: group, items: vec![item] }),
        }
    }
    groups
}
