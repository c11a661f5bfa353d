//! Who was here, from the log and from the sessions, and what those are called whom rules name.

use std::sync::Arc;

use super::Console;
use super::showing::Shown;
use crate::model::difference::ObjectKind;
use crate::model::grant::{Grant, Who};
use crate::model::group::PeopleNames;
use crate::model::known::Known;
use crate::store::StoreError;

/// Everybody who was here, as they were then; sessions know it better than the log.
///
/// # Errors
/// When either can't be read.
pub(super) async fn known(console: &Console) -> Result<Known, StoreError> {
    let recorded = console.reader.people().await?;
    let signed_in = console.store.people_of_sessions().await?;
    Ok(Known::newest(recorded.into_iter().chain(signed_in)))
}

/// Names for the people of rules and draft. Nobody is looked up where no grant names anybody.
///
/// # Errors
/// When they can't be read.
pub(super) async fn names(console: &Console, shown: &Shown) -> Result<PeopleNames, StoreError> {
    let waiting = shown.pending().iter().map(|pending| &pending.difference);
    let waiting = waiting.filter(|one| one.kind == ObjectKind::Grant);
    let drafted =
        waiting.filter_map(|one| serde_json::from_value::<Grant>(one.after.clone()?).ok());
    if !shown.book.grants.iter().any(names_somebody)
        && !drafted.into_iter().any(|grant| names_somebody(&grant))
    {
        return Ok(PeopleNames::Short);
    }
    names_of_all(console).await
}

/// Names for everybody who was here.
///
/// # Errors
/// When they can't be read.
pub(super) async fn names_of_all(console: &Console) -> Result<PeopleNames, StoreError> {
    let known = known(console).await?;
    let named = known.iter().map(|(subject, one)| (subject.clone(), one.content.display_name()));
    Ok(PeopleNames::Known(Arc::new(named.collect())))
}

fn names_somebody(grant: &Grant) -> bool {
    match grant.who {
        Who::Person(_) | Who::Workload(_) => true,
        Who::Group(_) | Who::Role(_) | Who::Tenants(_) | Who::SignedIn | Who::Everyone => false,
    }
}
