//! Which time zones the rules of a release name. Cedar has none: the gate tells it what the clocks there show.

use std::collections::BTreeSet;

use cedar_policy::PolicySet;
use serde_json::Value;

use crate::model::civil::Zone;
use crate::model::rule_book::RuleBook;

/// The zones of all grants, and those that hand-written policies read as `context.local["…"]`.
///
/// A text there that is no zone is left out, so that the policy does not validate.
pub(super) fn named_in(book: &RuleBook, policies: &PolicySet) -> BTreeSet<Zone> {
    let hours = book.grants.iter().flat_map(|grant| &grant.when.hours);
    let mut found: BTreeSet<Zone> = hours.map(|hours| hours.zone().clone()).collect();
    if book.policies.is_empty() {
        return found;
    }
    let forms = policies.policies().filter_map(|policy| policy.to_json().ok());
    forms.for_each(|form| collect(&form, &mut found));
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
