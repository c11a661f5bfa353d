//! The directory of groups: ids, display names, kinds.

use std::collections::BTreeMap;

use super::people::{FINANCE, IT_ADMINS, MAX_GROUPS, filler_group};

/// What kind of group it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKind {
    /// A security group: stands in tokens.
    Security,
    /// A Microsoft 365 group without the security flag: Graph knows it, tokens don't.
    Microsoft365,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `displayName`.
    pub name: String,
    /// Security group or not.
    pub kind: GroupKind,
}

impl Group {
    /// A security group of this name.
    pub fn security(name: &str) -> Self {
        Self { name: name.to_owned(), kind: GroupKind::Security }
    }
}

/// Finance, IT-Admins and the many that max is in, by object id.
pub(super) fn contoso() -> BTreeMap<String, Group> {
    let fillers = (1..MAX_GROUPS).map(|number| (filler_group(number), format!("Team {number:03}")));
    let named = [(FINANCE.to_owned(), "Finance"), (IT_ADMINS.to_owned(), "IT-Admins")];
    let named = named.into_iter().map(|(id, name)| (id, name.to_owned()));
    named.chain(fillers).map(|(id, name)| (id, Group::security(&name))).collect()
}
