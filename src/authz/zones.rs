//! Which time zones a hand-written policy names. Cedar has none: the gate tells it what the clocks there show.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::civil::Zone;

/// The zones that this policy reads as `context.local["…"]`.
///
/// A text there that is no zone is left out, so that the policy does not validate.
pub(super) fn named_in(form: &Value) -> BTreeSet<Zone> {
    let mut found = BTreeSet::new();
    collect(form, &mut found);
    found
}

fn collect(form: &Value, found: &mut BTreeSet<Zone>) {
    match form {
        Value::Object(members) => {
            let of_local = members.get("left").is_some_and(is_local);
            let attr = members.get("attr").and_then(Value::as_str).filter(|_| of_local);
            found.extend(attr.and_then(|name| name.parse::<Zone>().ok()));
            members.values().for_each(|member| collect(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `context.local`
fn is_local(form: &Value) -> bool {
    form.pointer("/./attr").is_some_and(|attr| attr == "local")
        && form.pointer("/./left/Var").is_some_and(|var| var == "context")
}
