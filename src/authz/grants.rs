//! Grants as Cedar policies, through Cedar's JSON policy form.
//!
//! No text is pasted together here: every value that a person typed becomes a JSON string in a place where Cedar expects
//! an id or a literal, so no spelling of it can change the shape of the policy.

use std::collections::BTreeSet;

use cedar_policy::{Policy, PolicyId};
use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::problem::{Object, Problem};
use crate::model::civil::{Hours, Minute};
use crate::model::grant::{Conditions, Effect, Grant, Method, Mfa, Reach, What, Who};
use crate::model::id::{ParameterName, RouteId, TenantId};
use crate::model::record::RuleId;
use crate::model::time::{Span, Timestamp};

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
        "conditions": conditions(grant),
        "annotations": annotations(grant, &id),
    });
    Policy::from_json(Some(PolicyId::new(&id)), form)
        .map_err(|error| Problem::new(Object::Grant(grant.id.clone()), &error))
}

/// The grant's id and, where it has them, its reason and ticket, for whoever reads the Cedar text.
fn annotations(grant: &Grant, id: &str) -> Value {
    let all = [("id", id), ("reason", &grant.reason), ("ticket", &grant.ticket)];
    let said = all.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(name, text)| (name.to_owned(), Value::from(text))).collect::<Map<_, _>>().into()
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
        Who::Tenants(_) | Who::SignedIn => json!({ "op": "is", "entity_type": "User" }),
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

/// One `when` clause for each condition; all must hold.
fn conditions(grant: &Grant) -> Vec<Value> {
    let Grant {
        who,
        when: Conditions { networks, hours, mfa, fresh, auth_context, own, until },
        ..
    } = grant;
    let tenants = match who {
        Who::Tenants(ids) => Some(member_of(ids)),
        Who::Group(_)
        | Who::Role(_)
        | Who::Person(_)
        | Who::Workload(_)
        | Who::SignedIn
        | Who::Everyone => None,
    };
    let bodies = [
        tenants,
        any_of(networks.iter().map(in_network).collect()),
        any_of(hours.iter().map(within).collect()),
        (*mfa == Mfa::Required).then(|| context("mfa")),
        fresh.map(proved_within),
        auth_context.as_ref().map(|name| {
            json!({ "contains": { "left": context("auth_contexts"), "right": literal(name.as_str()) } })
        }),
        own.as_ref().map(is_own),
        until.map(|until| less(context("now"), datetime(until.0))),
    ];
    let clause = |body: Value| json!({ "kind": "when", "body": body });
    bodies.into_iter().flatten().map(clause).collect()
}

/// `[…].contains(principal.tenant) && !principal.guest`
fn member_of(tenants: &BTreeSet<TenantId>) -> Value {
    let ids: Vec<_> = tenants.iter().map(|id| literal(id.as_str())).collect();
    let belongs = json!({ "contains": {
        "left": { "Set": ids },
        "right": attribute(&variable("principal"), "tenant"),
    } });
    both(belongs, json!({ "!": { "arg": attribute(&variable("principal"), "guest") } }))
}

/// `context.ip.isInRange(ip("…"))`
fn in_network(network: &IpNet) -> Value {
    json!({ "isInRange": [context("ip"), { "ip": [literal(&network.to_string())] }] })
}

/// Day and minute by the clocks of the zone.
fn within(hours: &Hours) -> Value {
    let clock = attribute(&context("local"), hours.zone().as_str());
    let days: Vec<_> = hours.days().iter().map(|day| json!({ "Value": day.number() })).collect();
    let day = json!({ "contains": {
        "left": { "Set": days },
        "right": attribute(&clock, "weekday"),
    } });
    let minute = || attribute(&clock, "minute");
    let number = |of: Minute| json!({ "Value": of.number() });
    let from = binary("<=", number(hours.from()), minute());
    let to = less(minute(), number(hours.to()));
    both(both(day, from), to)
}

/// `context has signed_in_at && context.signed_in_at <= context.now && context.now < context.signed_in_at.offset(…)`
///
/// A sign-in that lies ahead of the present proves nothing: a clock was set, and nobody knows how long ago it was.
fn proved_within(Span(span): Span) -> Value {
    let known = json!({ "has": { "left": variable("context"), "attr": "signed_in_at" } });
    let at = context("signed_in_at");
    let past = json!({ "<=": { "left": at, "right": context("now") } });
    let span = json!({ "duration": [literal(&format!("{}s", span.as_secs()))] });
    let recent = less(context("now"), json!({ "offset": [at, span] }));
    both(both(known, past), recent)
}

/// `context.params has name && context.params.name == principal.object_id`
fn is_own(name: &ParameterName) -> Value {
    let has = json!({ "has": { "left": context("params"), "attr": name.as_str() } });
    let own = json!({ "==": {
        "left": attribute(&context("params"), name.as_str()),
        "right": attribute(&variable("principal"), "object_id"),
    } });
    both(has, own)
}

fn variable(name: &str) -> Value {
    json!({ "Var": name })
}

fn attribute(of: &Value, name: &str) -> Value {
    json!({ ".": { "left": of, "attr": name } })
}

fn context(name: &str) -> Value {
    attribute(&variable("context"), name)
}

fn literal(text: &str) -> Value {
    json!({ "Value": text })
}

fn datetime(at: Timestamp) -> Value {
    json!({ "datetime": [literal(&cedar_datetime(at))] })
}

fn less(left: Value, right: Value) -> Value {
    binary("<", left, right)
}

fn both(left: Value, right: Value) -> Value {
    binary("&&", left, right)
}

/// Alternatives as a tree that is no higher than it must be: what reads it takes stack for each level.
fn any_of(mut all: Vec<Value>) -> Option<Value> {
    if all.len() < 2 {
        return all.pop();
    }
    let right = all.split_off(all.len().div_ceil(2));
    Some(either(any_of(all)?, any_of(right)?))
}

fn either(left: Value, right: Value) -> Value {
    binary("||", left, right)
}

fn binary(operator: &str, left: Value, right: Value) -> Value {
    let sides = Map::from_iter([("left".to_owned(), left), ("right".to_owned(), right)]);
    Map::from_iter([(operator.to_owned(), Value::Object(sides))]).into()
}

/// Cedar's `datetime` literal in UTC with milliseconds.
pub(super) fn cedar_datetime(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
