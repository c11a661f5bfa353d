//! Who was here: people and services as they were when they were last seen.
//!
//! Nobody is imported from a directory; we know those who came. What is known of them is as old as their last visit, and
//! each says how old that is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::id::{AppRole, GroupId, Subject};
use super::principal::{Principal, PrincipalSnapshot};
use super::time::Timestamp;

/// Somebody who was here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPrincipal {
    /// As they were when they were last seen.
    pub content: Arc<PrincipalSnapshot>,
    /// When that was; at most a day too early.
    pub seen_at: Timestamp,
}

/// Everybody who was here, each once.
#[derive(Debug, Clone, Default)]
pub struct Known(BTreeMap<Subject, KnownPrincipal>);

impl Known {
    /// Of all that was seen of somebody the newest counts. Nobody known is left out.
    pub fn newest(all: impl IntoIterator<Item = KnownPrincipal>) -> Self {
        let mut known: BTreeMap<Subject, KnownPrincipal> = BTreeMap::new();
        for one in all {
            let Some(subject) = one.content.subject().cloned() else { continue };
            let is_older = known.get(&subject).is_some_and(|other| one.seen_at < other.seen_at);
            if !is_older {
                known.insert(subject, one);
            }
        }
        Self(known)
    }

    /// Who has this lasting identity.
    pub fn get(&self, subject: &Subject) -> Option<&KnownPrincipal> {
        self.0.get(subject)
    }

    /// What somebody is called; the lasting identity of somebody who was not here.
    pub fn name(&self, subject: &Subject) -> String {
        let known = self.get(subject).map(|one| one.content.display_name());
        known.unwrap_or_else(|| subject.to_string())
    }

    /// All, in the order of their lasting identities.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, &KnownPrincipal)> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody was here yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the oldest of them was seen, and when the newest.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let seen = || self.0.values().map(|one| one.seen_at);
        seen().min().zip(seen().max())
    }

    /// Those whose name, user name or e-mail address is this very text, in any case and with any blanks.
    pub fn called(&self, text: &str) -> Vec<(&Subject, &KnownPrincipal)> {
        self.0.iter().filter(|(_, one)| one.is_called(text)).collect()
    }

    /// Those whose name, user name, e-mail address or lasting identity contains this text, in any case, by name.
    pub fn named(&self, text: &str) -> Vec<(&Subject, &KnownPrincipal)> {
        let wanted = text.trim().to_lowercase();
        let mut found: Vec<_> =
            self.0.iter().filter(|(_, one)| is_named(&one.content, &wanted)).collect();
        found.sort_by_cached_key(|(subject, one)| {
            (one.content.display_name().to_lowercase(), (*subject).clone())
        });
        found
    }
}

impl KnownPrincipal {
    /// Whether they were in this group.
    pub fn is_in(&self, group: &GroupId) -> bool {
        match &**self.content {
            Principal::User(user) => user.groups.contains(group),
            Principal::Workload(_) | Principal::Anonymous => false,
        }
    }

    /// Whether they had this app role.
    pub fn has_role(&self, role: &AppRole) -> bool {
        match &**self.content {
            Principal::User(user) => user.roles.contains(role),
            Principal::Workload(workload) => workload.roles.contains(role),
            Principal::Anonymous => false,
        }
    }

    /// Whether this very text is their name, user name or e-mail address, in any case and with any blanks.
    pub fn is_called(&self, text: &str) -> bool {
        let (wanted, shown) = (plain(text), self.content.display_name());
        let mut all = names(&self.content).into_iter().chain([shown.as_str()]);
        all.any(|name| !name.is_empty() && plain(name) == wanted)
    }
}

/// A name as it is compared: letters of no case, one blank between words.
fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Name, user name and e-mail address; empty where there is none.
fn names(principal: &Principal) -> [&str; 3] {
    match principal {
        Principal::User(user) => {
            [user.name.as_str(), &user.user_name, user.email.as_deref().unwrap_or_default()]
        }
        Principal::Workload(workload) => [workload.client.as_str(), "", ""],
        Principal::Anonymous => [""; 3],
    }
}

/// Whether a name, the user name, the e-mail address or the lasting identity contains this text, which is in lower case.
pub fn is_named(principal: &Principal, wanted: &str) -> bool {
    let subject = principal.subject().map(ToString::to_string).unwrap_or_default();
    let mut all = names(principal).into_iter().chain([subject.as_str()]);
    all.any(|text| text.to_lowercase().contains(wanted))
}
