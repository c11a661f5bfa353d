//! What a hand-written policy speaks of, without its conditions: for lists.

use serde_json::Value;

use super::policy_text;
use super::stack::with_room;
use crate::model::grant::Effect;
use crate::model::id::RouteId;
use crate::model::policy::Policy;

/// A policy's effect and scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Whether it opens or closes.
    pub effect: Effect,
    /// Whom it speaks of: `everyone`, `Group f1a2…`, `any User`.
    pub who: String,
    /// Which actions.
    pub what: String,
    /// Which routes.
    pub place: String,
    /// The same, for asking whether a route is one of them.
    pub spot: Spot,
    /// How many `when` and `unless` clauses narrow it.
    pub conditions: usize,
}

/// Where a policy's scope lets it apply, whatever its conditions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// On every route.
    Everywhere,
    /// On this entity only.
    Only(Entity),
    /// On this entity and all that are in it.
    Within(Entity),
}

/// An entity that a scope names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    kind: String,
    id: String,
}

impl Spot {
    /// Whether it holds a route; `above` are the routes that contain it.
    pub fn holds(&self, route: &RouteId, above: &[&RouteId]) -> bool {
        let is_route = |entity: &Entity, id: &RouteId| entity.is("Route", id.as_str());
        match self {
            Self::Everywhere => true,
            Self::Only(entity) => is_route(entity, route),
            Self::Within(entity) => {
                let mut all = above.iter().copied().chain([route]);
                entity.is("App", route.app().as_str()) || all.any(|id| is_route(entity, id))
            }
        }
    }

    /// The resource of a scope in Cedar's JSON form.
    fn of(scope: &Value) -> Self {
        let only = scope.get("entity").map(Entity::of);
        let within = scope.get("in").and_then(|part| part.get("entity")).map(Entity::of);
        match (only, within) {
            (Some(entity), _) if scope.get("op").and_then(Value::as_str) == Some("==") => {
                Self::Only(entity)
            }
            (Some(entity), _) | (None, Some(entity)) => Self::Within(entity),
            (None, None) => Self::Everywhere,
        }
    }
}

impl Entity {
    fn of(entity: &Value) -> Self {
        let text = |name: &str| entity.get(name).and_then(Value::as_str).unwrap_or_default();
        Self { kind: text("type").to_owned(), id: text("id").to_owned() }
    }

    fn is(&self, kind: &str, id: &str) -> bool {
        self.kind == kind && self.id == id
    }
}

/// The outline of a policy; none of a text that is no policy.
pub fn outline(policy: &Policy) -> Option<Outline> {
    let form = with_room(|| policy_text::read(policy).ok()?.to_json().ok())?;
    let scope = |name: &str, all: &str| form.get(name).map(|scope| said(scope, all));
    let forbids = form.get("effect").and_then(Value::as_str) == Some("forbid");
    Some(Outline {
        effect: if forbids { Effect::Forbid } else { Effect::Permit },
        who: scope("principal", "everyone")?,
        what: scope("action", "any action")?,
        place: scope("resource", "every route")?,
        spot: form.get("resource").map(Spot::of)?,
        conditions: form.get("conditions").and_then(Value::as_array).map_or(0, Vec::len),
    })
}

/// One part of the scope in Cedar's JSON form.
fn said(scope: &Value, all: &str) -> String {
    let kind = scope.get("entity_type").and_then(Value::as_str);
    let narrower = scope.get("in").and_then(|part| part.get("entity")).map(entity);
    let one = scope.get("entity").map(entity);
    let several = scope.get("entities").and_then(Value::as_array);
    let several = several.map(|all| all.iter().map(entity).collect::<Vec<_>>().join(", "));
    match (kind, one.or(several).or(narrower)) {
        (Some(kind), Some(entity)) => format!("any {kind} in {entity}"),
        (Some(kind), None) => format!("any {kind}"),
        (None, Some(entity)) => entity,
        (None, None) => all.to_owned(),
    }
}

/// Actions and routes by their id alone: what they are stands above the column.
fn entity(entity: &Value) -> String {
    let text = |name: &str| entity.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "Action" | "Route" => text("id").to_owned(),
        kind => format!("{kind} {}", text("id")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outline, outline};
    use crate::model::grant::Effect;
    use crate::model::policy::Policy;

    #[track_caller]
    fn check(text: &str, expected: Option<[&str; 3]>, conditions: usize) {
        let policy = Policy { id: "p".parse().unwrap(), text: text.to_owned() };
        let [who, what, place] = match (outline(&policy), expected) {
            (Some(Outline { who, what, place, conditions: found, .. }), Some(_)) => {
                assert_eq!(found, conditions, "{text}");
                [who, what, place]
            }
            (found, expected) => return assert_eq!(found.is_some(), expected.is_some(), "{text}"),
        };
        assert_eq!(Some([who.as_str(), what.as_str(), place.as_str()]), expected, "{text}");
    }

    #[test]
    fn scope_is_said_and_conditions_are_counted() {
        check(
            "permit(principal, action, resource);",
            Some(["everyone", "any action", "every route"]),
            0,
        );
        check(
            r#"permit(principal in AppRole::"R", action == Action::"GET", resource in Route::"a/b") when { context.mfa };"#,
            Some(["AppRole R", "GET", "a/b"]),
            1,
        );
        check(
            r#"forbid(principal is User in AppRole::"R", action in [Action::"GET", Action::"PUT"], resource == Route::"a/b");"#,
            Some(["any User in AppRole R", "GET, PUT", "a/b"]),
            0,
        );
        check("permit(", None, 0);
    }

    #[test]
    fn scope_holds_the_routes_that_it_names_and_those_in_them() {
        let route = |id: &str| id.parse().unwrap();
        let holds = |text: &str, id: &str| {
            let policy = Policy { id: "p".parse().unwrap(), text: text.to_owned() };
            outline(&policy).unwrap().spot.holds(&route(id), &[&route("a/wide")])
        };
        for (text, id, expected) in [
            ("permit(principal, action, resource);", "a/b", true),
            ("permit(principal, action, resource is Route);", "a/b", true),
            (r#"permit(principal, action, resource == Route::"a/b");"#, "a/b", true),
            (r#"permit(principal, action, resource == Route::"a/wide");"#, "a/b", false),
            (r#"permit(principal, action, resource in Route::"a/wide");"#, "a/b", true),
            (r#"permit(principal, action, resource is Route in Route::"a/x");"#, "a/b", false),
            (r#"permit(principal, action, resource in App::"a");"#, "a/b", true),
            (r#"permit(principal, action, resource in App::"b");"#, "a/b", false),
        ] {
            assert_eq!(holds(text, id), expected, "{text} {id}");
        }
    }

    #[test]
    fn forbid_is_told_from_permit() {
        let policy = Policy {
            id: "p".parse().unwrap(),
            text: "forbid(principal, action, resource);".to_owned(),
        };
        assert_eq!(outline(&policy).unwrap().effect, Effect::Forbid);
    }
}
