//! Every address of the console, as an item: the endpoint table, redirects and pages all take it from here.

use crate::model::grant::What;
use crate::model::id::{AppRole, DecisionId, GrantId, GroupId, RouteId, SessionId, Subject};
use crate::web::link::Link;

/// Endpoint pattern of the console's door.
pub const HOME: &str = "/console/";
/// The same without its slash.
pub const BARE_HOME: &str = "/console";
/// Endpoint pattern of the list of routes.
pub const ROUTES: &str = "/console/routes";
/// Endpoint pattern of one route.
pub const ROUTE: &str = "/console/routes/{app}/{name}";
/// Endpoint pattern of one route's grants; a form posts to it.
pub const GRANTS: &str = "/console/routes/{app}/{name}/grants";
/// Endpoint pattern of the newest decisions.
pub const DECISIONS: &str = "/console/decisions";
/// Endpoint pattern of one decision.
pub const DECISION: &str = "/console/decisions/{id}";

/// Endpoint pattern of who can reach a route.
pub const WHO: &str = "/console/explore/who";
/// Endpoint pattern of what somebody can reach.
pub const WHAT: &str = "/console/explore/what";
/// Endpoint pattern of the simulator.
pub const SIMULATE: &str = "/console/simulate";
/// Endpoint pattern of the groups and roles.
pub const GROUPS: &str = "/console/groups";
/// Endpoint pattern of one group.
pub const GROUP: &str = "/console/groups/{group}";
/// Endpoint pattern of one app role; which, its query says, for a value may hold slashes.
pub const ROLE: &str = "/console/groups/role";
/// Endpoint pattern of the people.
pub const PEOPLE: &str = "/console/people";
/// Endpoint pattern of one person.
pub const PERSON: &str = "/console/people/{subject}";
/// Endpoint pattern of everybody's sessions.
pub const SESSIONS: &str = "/console/sessions";
/// Endpoint pattern of the page that asks before sessions are ended, and of the form that ends them.
pub const ENDING: &str = "/console/sessions/end";
/// Endpoint pattern of the settings.
pub const SETTINGS: &str = "/console/settings";

/// Endpoint pattern of how Cedargate stands at Entra.
pub const ENTRA: &str = "/console/entra";

/// All routes.
pub fn routes() -> Link {
    Link::path(&["console", "routes"])
}

/// One route.
pub fn route(id: &RouteId) -> Link {
    Link::path(&["console", "routes", id.app().as_str(), id.name()])
}

/// Where one route's grants are added.
pub fn grants(id: &RouteId) -> Link {
    Link::path(&["console", "routes", id.app().as_str(), id.name(), "grants"])
}

/// One grant, on the page of its route.
pub fn grant(route_id: &RouteId, id: &GrantId) -> Link {
    route(route_id).with_fragment(&format!("grant-{id}"))
}

/// One route, saying that this grant was added to it.
pub fn added(route_id: &RouteId, id: &GrantId) -> Link {
    route(route_id).with_query("added", id.as_str()).with_fragment(&format!("grant-{id}"))
}

/// The newest decisions.
pub fn decisions() -> Link {
    Link::path(&["console", "decisions"])
}

/// The newest decisions that match.
pub fn decisions_where(query: &str, verdict: &str) -> Link {
    let filters =
        [("q", query), ("verdict", verdict)].into_iter().filter(|(_, value)| !value.is_empty());
    filters.fold(decisions(), |link, (name, value)| link.with_query(name, value))
}

/// One decision.
pub fn decision(id: &DecisionId) -> Link {
    Link::path(&["console", "decisions", &id.to_string()])
}

/// How Cedargate stands at Entra.
pub fn entra() -> Link {
    Link::path(&["console", "entra"])
}

/// Who can reach a route.
pub fn who() -> Link {
    Link::path(&["console", "explore", "who"])
}

/// Who can do this on a route.
pub fn who_can(route_id: &RouteId, what: &What) -> Link {
    let action = if *what == What::Write { "write" } else { "read" };
    who().with_path("route", route_id.as_str()).with_query("action", action)
}

/// What somebody can reach.
pub fn what() -> Link {
    Link::path(&["console", "explore", "what"])
}

/// What this person can reach.
pub fn what_can(subject: &Subject) -> Link {
    what().with_query("user", &subject.to_string())
}

/// The simulator.
pub fn simulate() -> Link {
    Link::path(&["console", "simulate"])
}

/// Why a decision fell: the simulator with everything taken from its record.
pub fn simulate_from(id: &DecisionId) -> Link {
    simulate().with_query("from", &id.to_string())
}

/// Groups and roles.
pub fn groups() -> Link {
    Link::path(&["console", "groups"])
}

/// One group.
pub fn group(id: &GroupId) -> Link {
    Link::path(&["console", "groups", id.as_str()])
}

/// One app role.
pub fn role(value: &AppRole) -> Link {
    Link::path(&["console", "groups", "role"]).with_query("value", value.as_str())
}

/// The people.
pub fn people() -> Link {
    Link::path(&["console", "people"])
}

/// One person.
pub fn person(subject: &Subject) -> Link {
    Link::path(&["console", "people", &subject.to_string()])
}

/// The settings.
pub fn settings() -> Link {
    Link::path(&["console", "settings"])
}

/// Everybody's sessions.
pub fn sessions() -> Link {
    Link::path(&["console", "sessions"])
}

/// The sessions of one person.
pub fn sessions_of(subject: &Subject) -> Link {
    sessions().with_query("q", &subject.to_string())
}

/// Where sessions are ended.
pub fn ending() -> Link {
    Link::path(&["console", "sessions", "end"])
}

/// Where one session can be ended.
pub fn end_session(id: &SessionId) -> Link {
    ending().with_query("session", id.as_str())
}

/// Where all sessions of a person can be ended.
pub fn end_sessions_of(subject: &Subject) -> Link {
    ending().with_query("user", &subject.to_string())
}
