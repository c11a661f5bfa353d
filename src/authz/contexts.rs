//! Which authentication contexts a hand-written policy speaks of.
//!
//! Read from Cedar's JSON policy form, where `context.auth_contexts.contains("c1")` holds the string `c1` as a literal. A
//! literal of that shape in another place only widens what a person may be asked to prove; it opens nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::id::AuthContext;

/// Every authentication context that this policy names.
pub(super) fn named_in(form: &Value) -> BTreeSet<AuthContext> {
    let mut found = BTreeSet::new();
    collect(form.get("conditions").unwrap_or(&Value::Null), &mut found);
    found
}

fn collect(form: &Value, found: &mut BTreeSet<AuthContext>) {
    match form {
        Value::String(text) => found.extend(text.parse::<AuthContext>()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
