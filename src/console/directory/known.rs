//! Who was here, from the log and from the sessions, and how pages name them.

use crate::console::urls;
use crate::model::id::Subject;
use crate::model::principal::{GuestStatus, Principal};
use crate::store::audit::PEOPLE;
use crate::web::link::Link;

pub(in crate::console) use crate::console::people::known;

/// What must be said where so many are known that there may be more.
pub(in crate::console) fn limit(count: usize) -> Option<String> {
    let most = usize::try_from(PEOPLE).unwrap_or(usize::MAX);
    (count >= most).then(|| {
        format!("Of all who were here, the {PEOPLE} seen last are known; others are missing.")
    })
}

/// Somebody, as tables name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonCell {
    /// Lasting identity.
    pub id: String,
    /// Display name.
    pub name: String,
    /// User name; `service` for one.
    pub user_name: String,
    /// `Guest`, `Service`, or nothing to say.
    pub kind: Option<&'static str>,
    /// Their page.
    pub link: Link,
}

impl PersonCell {
    /// Of a principal that has this lasting identity.
    pub fn of(subject: &Subject, principal: &Principal) -> Self {
        let (user_name, kind) = match principal {
            Principal::User(user) => {
                (user.user_name.clone(), (user.guest == GuestStatus::Guest).then_some("Guest"))
            }
            Principal::Workload(_) => (String::new(), Some("Service")),
            Principal::Anonymous => (String::new(), None),
        };
        let name = principal.display_name();
        Self { id: subject.to_string(), name, user_name, kind, link: urls::person(subject) }
    }
}
