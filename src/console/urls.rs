//! Every address of the console, as an item: the endpoint table, redirects and pages all take it from here.

use crate::model::id::{DecisionId, GrantId, RouteId};
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
