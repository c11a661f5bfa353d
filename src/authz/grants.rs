//! Grants as Cedar policies, through Cedar's JSON policy form.
//!
//! No text is pasted together here: every value that a person typed becomes a JSON string in a place where Cedar expects
//! an id or a literal, so no spelling of it can change the shape of the policy.

use cedar_policy::{Policy, PolicyId};
use serde_json::{Value, json};

use super::problem::{Object, Problem};
use crate::model::grant::{Conditions, Effect, Grant, Method, Mfa, Reach, What, Who};
use crate::model::id::RouteId;
use crate::model::record::RuleId;

/// The Cedar policy of a grant; its id is `grant:<grant id>`.
///
/// # Errors
/// When Cedar refuses the JSON form, which would be a fault of ours.
pub fn to_policy(grant: &Grant) -> Result<Policy, Problem> {
    let id = RuleId::Grant(grant.id.clone()).to_string();
    let form = json!({
        "effect": match grant.effect { Effect::Permit => "permit", Effect::Forbid => "forbid" },
        "principal": principal(&grant.who),
        "action": action(&grant.what),
        "resource": resource(&grant.route, grant.reach),
        "conditions": conditions(&grant.when),
        "annotations": annotations(grant, &id),
    });
    Policy::from_json(Some(PolicyId::new(&id)), form)
        .map_err(|error| Problem::new(Object::Grant(grant.id.clone()), &error))
}

/// The grant's id and, where it has one, its reason, for whoever reads the Cedar text.
fn annotations(grant: &Grant, id: &str) -> Value {
    match grant.reason.as_str() {
        "" => json!({ "id": id }),
        reason => json!({ "id": id, "reason": reason }),
    }
}

fn entity(kind: &str, id: &str) -> Value {
    json!({ "type": kind, "id": id })
}

fn principal(who: &Who) -> Value {
    match who {
        Who::Group(id) => json!({ "op": "in", "entity": entity("Group", id.as_str()) }),
        Who::Role(value) => json!({ "op": "in", "entity": entity("AppRole", value.as_str()) }),
        Who::Person(subject) => {
            json!({ "op": "==", "entity": entity("User", &subject.to_string()) })
        }
        Who::Workload(subject) => {
            json!({ "op": "==", "entity": entity("Workload", &subject.to_string()) })
        }
        Who::SignedIn => json!({ "op": "is", "entity_type": "User" }),
        Who::Everyone => json!({ "op": "All" }),
    }
}

fn action(what: &What) -> Value {
    let named = |name: &str| entity("Action", name);
    match what {
        What::Read => json!({ "op": "in", "entity": named("read") }),
        What::Write => json!({ "op": "in", "entity": named("write") }),
        What::All => json!({ "op": "All" }),
        What::Methods(methods) => {
            let entities: Vec<_> =
                methods.iter().map(|method: &Method| named(method.as_str())).collect();
            json!({ "op": "in", "entities": entities })
        }
    }
}

fn resource(route: &RouteId, reach: Reach) -> Value {
    let op = match reach {
        Reach::Below => "in",
        Reach::Only => "==",
    };
    json!({ "op": op, "entity": entity("Route", route.as_str()) })
}

fn conditions(when: &Conditions) -> Value {
    let context = |attr: &str| json!({ ".": { "left": { "Var": "context" }, "attr": attr } });
    let literal = |text: String| json!({ "Value": text });
    let network = |net: &ipnet::IpNet| json!({ "isInRange": [context("ip"), { "ip": [literal(net.to_string())] }] });
    let either = |left: Value, right: Value| json!({ "||": { "left": left, "right": right } });
    let mut bodies: Vec<Value> =
        when.networks.iter().map(network).reduce(either).into_iter().collect();
    if when.mfa == Mfa::Required {
        bodies.push(context("mfa"));
    }
    if let Some(until) = when.until {
        let end = literal(cedar_datetime(until.0));
        bodies.push(json!({ "<": { "left": context("now"), "right": { "datetime": [end] } } }));
    }
    bodies.into_iter().map(|body| json!({ "kind": "when", "body": body })).collect()
}

/// Cedar's `datetime` literal in UTC with milliseconds.
pub(super) fn cedar_datetime(at: crate::model::time::Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
