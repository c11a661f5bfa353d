//! Every address of the console, as an item: the endpoint table, redirects and pages all take it from here.

use crate::model::grant::What;
use crate::model::id::{
    AppId, AppRole, AssertionId, DecisionId, GrantId, GroupId, PolicyId, ReleaseNumber, RouteId,
    SessionId, Subject,
};
use crate::model::query::{self, Pattern, Query, Sense, Term, TextKey};
use crate::web::link::Link;

/// Endpoint pattern of the console's door.
pub const HOME: &str = "/console/";
/// The same without its slash.
pub const BARE_HOME: &str = "/console";
/// Endpoint pattern of the numbers of the first page as they change.
pub const NUMBERS: &str = "/console/numbers";
/// Endpoint pattern of the list of routes.
pub const ROUTES: &str = "/console/routes";
/// Endpoint pattern of one route.
pub const ROUTE: &str = "/console/routes/{app}/{name}";
/// Endpoint pattern of one route's grants; a form posts to it.
pub const GRANTS: &str = "/console/routes/{app}/{name}/grants";
/// Endpoint pattern of one grant; a form posts to it.
pub const GRANT: &str = "/console/routes/{app}/{name}/grants/{grant}";
/// Endpoint pattern that ends a grant now.
pub const GRANT_END: &str = "/console/routes/{app}/{name}/grants/{grant}/end";
/// Endpoint pattern that removes a grant.
pub const GRANT_REMOVE: &str = "/console/routes/{app}/{name}/grants/{grant}/remove";
/// Endpoint pattern of everything about a route that is no grant; a form posts to it.
pub const ROUTE_SETTINGS: &str = "/console/routes/{app}/{name}/settings";
/// Endpoint pattern that removes a route, and of the page that asks first.
pub const REMOVE_ROUTE: &str = "/console/routes/{app}/{name}/remove";
/// Endpoint pattern of an app that is being described.
pub const NEW_APP: &str = "/console/new-app";
/// Endpoint pattern of one app; a form posts to it.
pub const APP: &str = "/console/apps/{app}";
/// Endpoint pattern that removes an app, and of the page that asks first.
pub const REMOVE_APP: &str = "/console/apps/{app}/remove";
/// Endpoint pattern of a route that is being described.
pub const NEW_ROUTE: &str = "/console/apps/{app}/new-route";
/// Endpoint pattern of the draft's review.
pub const DRAFT: &str = "/console/draft";
/// Endpoint pattern of whom the draft would affect.
pub const IMPACT: &str = "/console/draft/impact";
/// Endpoint pattern of all releases.
pub const RELEASES: &str = "/console/releases";
/// Endpoint pattern that leads to the difference between two releases.
pub const COMPARE: &str = "/console/compare";
/// Endpoint pattern of the difference between two releases: `3...5`.
pub const DIFFERENCE: &str = "/console/releases/{pair}";
/// Endpoint pattern that brings a release back into the draft.
pub const RESTORE: &str = "/console/releases/{number}/restore";
/// Endpoint pattern of all rules.
pub const POLICIES: &str = "/console/policies";
/// Endpoint pattern of a policy that is being written.
pub const NEW_POLICY: &str = "/console/new-policy";
/// Endpoint pattern of one policy; a form posts to it.
pub const POLICY: &str = "/console/policies/{policy}";
/// Endpoint pattern that removes a policy.
pub const REMOVE_POLICY: &str = "/console/policies/{policy}/remove";
/// Endpoint pattern of all assertions; a form posts to it.
pub const ASSERTIONS: &str = "/console/assertions";
/// Endpoint pattern that removes an assertion.
pub const REMOVE_ASSERTION: &str = "/console/assertions/{assertion}/remove";
/// Endpoint pattern that undoes one change of the draft.
pub const UNDO: &str = "/console/draft/undo";
/// Endpoint pattern that throws the draft away, and of the page that asks first.
pub const DISCARD: &str = "/console/draft/discard";
/// Endpoint pattern that approves of the draft.
pub const APPROVE: &str = "/console/draft/approve";
/// Endpoint pattern that publishes the draft.
pub const PUBLISH: &str = "/console/draft/publish";
/// Endpoint pattern of the newest decisions.
pub const DECISIONS: &str = "/console/decisions";
/// Endpoint pattern of decisions as they are made.
pub const LIVE: &str = "/console/decisions/live";
/// Endpoint pattern of taking decisions away.
pub const EXPORT: &str = "/console/decisions/export";
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
/// Endpoint pattern of what was changed, and what else happened.
pub const EVENTS: &str = "/console/changes";
/// Endpoint pattern of one event of the log.
pub const EVENT: &str = "/console/changes/{event}";
/// Endpoint pattern of the proof that a record is in the log.
pub const PROOF: &str = "/console/decisions/{id}/proof";
/// Endpoint pattern of whether the log is whole.
pub const INTEGRITY: &str = "/console/integrity";
/// Endpoint pattern that begins a check of the log.
pub const CHECK: &str = "/console/integrity/check";
/// Endpoint pattern of how far a check is, as it goes on.
pub const CHECK_PROGRESS: &str = "/console/integrity/progress";
/// Endpoint pattern that ends a check of the log.
pub const CHECK_CANCEL: &str = "/console/integrity/cancel";
/// Endpoint pattern of what a check found, for printing.
pub const CERTIFICATE: &str = "/console/integrity/certificates/{check}";
/// Endpoint pattern of the reports.
pub const REPORTS: &str = "/console/reports";
/// Endpoint pattern of who can reach what; a form that takes it away posts to it.
pub const ACCESS_REPORT: &str = "/console/reports/access";
/// Endpoint pattern of what was refused; a form that takes it away posts to it.
pub const REFUSALS_REPORT: &str = "/console/reports/refusals";
/// Endpoint pattern of what was changed and published; a form that takes it away posts to it.
pub const CHANGES_REPORT: &str = "/console/reports/changes";
/// Endpoint pattern of what was sent under a sign-in too old for it, to be sent again.
pub const AGAIN: &str = "/console/again/{id}";
/// Endpoint pattern of the settings.
pub const SETTINGS: &str = "/console/settings";

/// Endpoint pattern of how Cedargate stands at Entra.
pub const ENTRA: &str = "/console/entra";

/// The first page.
pub fn home() -> Link {
    Link::path(&["console", ""])
}

/// The numbers of the first page as they change.
pub fn numbers() -> Link {
    Link::path(&["console", "numbers"])
}

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

/// One route, with a grant of it as a form.
pub fn edit_grant(route_id: &RouteId, id: &GrantId) -> Link {
    route(route_id).with_query("edit", id.as_str()).with_fragment("grant-form")
}

/// One route, saying that this grant was saved to the draft.
pub fn saved(route_id: &RouteId, id: &GrantId) -> Link {
    route(route_id).with_query("saved", id.as_str()).with_fragment(&format!("grant-{id}"))
}

/// Where one grant is changed.
pub fn change_grant(route_id: &RouteId, id: &GrantId) -> Link {
    at_grant(route_id, id, &[])
}

/// Where one grant is ended.
pub fn end_grant(route_id: &RouteId, id: &GrantId) -> Link {
    at_grant(route_id, id, &["end"])
}

/// Where one grant is removed.
pub fn remove_grant(route_id: &RouteId, id: &GrantId) -> Link {
    at_grant(route_id, id, &["remove"])
}

fn at_grant(route_id: &RouteId, id: &GrantId, further: &[&str]) -> Link {
    let (app, name) = (route_id.app().as_str(), route_id.name());
    Link::path(&[&["console", "routes", app, name, "grants", id.as_str()], further].concat())
}

/// Everything about a route that is no grant.
pub fn route_settings(id: &RouteId) -> Link {
    Link::path(&["console", "routes", id.app().as_str(), id.name(), "settings"])
}

/// One route, saying that its settings were saved to the draft.
pub fn saved_route(id: &RouteId) -> Link {
    route(id).with_query("settings", "saved")
}

/// Where a route is removed.
pub fn remove_route(id: &RouteId) -> Link {
    Link::path(&["console", "routes", id.app().as_str(), id.name(), "remove"])
}

/// Where an app is added.
pub fn new_app() -> Link {
    Link::path(&["console", "new-app"])
}

/// One app.
pub fn app(id: &AppId) -> Link {
    Link::path(&["console", "apps", id.as_str()])
}

/// One app, saying that it was saved to the draft.
pub fn saved_app(id: &AppId) -> Link {
    app(id).with_query("settings", "saved")
}

/// Where an app is removed.
pub fn remove_app(id: &AppId) -> Link {
    Link::path(&["console", "apps", id.as_str(), "remove"])
}

/// Where a route of an app is added.
pub fn new_route(id: &AppId) -> Link {
    Link::path(&["console", "apps", id.as_str(), "new-route"])
}

/// The draft's review.
pub fn draft() -> Link {
    Link::path(&["console", "draft"])
}

/// Whom the draft would affect.
pub fn impact() -> Link {
    Link::path(&["console", "draft", "impact"])
}

/// All releases.
pub fn releases() -> Link {
    Link::path(&["console", "releases"])
}

/// Where two releases are chosen.
pub fn compare() -> Link {
    Link::path(&["console", "compare"])
}

/// What differs between two releases.
pub fn difference(from: ReleaseNumber, to: ReleaseNumber) -> Link {
    Link::path(&["console", "releases", &format!("{from}...{to}")])
}

/// Where a release is brought back into the draft.
pub fn restore(number: ReleaseNumber) -> Link {
    Link::path(&["console", "releases", &number.to_string(), "restore"])
}

/// All rules.
pub fn policies() -> Link {
    Link::path(&["console", "policies"])
}

/// Where a policy is written.
pub fn new_policy() -> Link {
    Link::path(&["console", "new-policy"])
}

/// One policy.
pub fn policy(id: &PolicyId) -> Link {
    Link::path(&["console", "policies", id.as_str()])
}

/// Where a policy is removed.
pub fn remove_policy(id: &PolicyId) -> Link {
    Link::path(&["console", "policies", id.as_str(), "remove"])
}

/// All assertions.
pub fn assertions() -> Link {
    Link::path(&["console", "assertions"])
}

/// Where an assertion is removed.
pub fn remove_assertion(id: &AssertionId) -> Link {
    Link::path(&["console", "assertions", id.as_str(), "remove"])
}

/// Where one change of the draft is undone.
pub fn undo() -> Link {
    Link::path(&["console", "draft", "undo"])
}

/// Where the draft is thrown away.
pub fn discard() -> Link {
    Link::path(&["console", "draft", "discard"])
}

/// Where the draft is approved of.
pub fn approve() -> Link {
    Link::path(&["console", "draft", "approve"])
}

/// Where the draft is published.
pub fn publish() -> Link {
    Link::path(&["console", "draft", "publish"])
}

/// The newest decisions.
pub fn decisions() -> Link {
    Link::path(&["console", "decisions"])
}

/// The decisions that a query finds, over all that is kept.
pub fn decisions_where(query: &str) -> Link {
    decisions().with_query("q", query).with_query("range", "all")
}

/// One decision.
pub fn decision(id: &DecisionId) -> Link {
    Link::path(&["console", "decisions", &id.to_string()])
}

/// What was changed, and what else happened.
pub fn events() -> Link {
    Link::path(&["console", "changes"])
}

/// What a query finds of what happened, over all that is kept.
pub fn events_where(query: &str) -> Link {
    events().with_query("q", query).with_query("range", "all")
}

/// What one person or operator did, over all that is kept.
pub fn events_of(actor: &str) -> Link {
    let user = query::What::Text(TextKey::User, vec![Pattern::Is(actor.to_owned())]);
    let terms = vec![Term { sense: Sense::Is, what: user }];
    events().with_query("q", &Query { terms }.to_string()).with_query("range", "all")
}

/// One event of the log.
pub fn event(id: &DecisionId) -> Link {
    Link::path(&["console", "changes", &id.to_string()])
}

/// The proof that a record is in the log.
pub fn proof(id: &DecisionId) -> Link {
    Link::path(&["console", "decisions", &id.to_string(), "proof"])
}

/// Whether the log is whole.
pub fn integrity() -> Link {
    Link::path(&["console", "integrity"])
}

/// Where a check of the log is begun.
pub fn check() -> Link {
    Link::path(&["console", "integrity", "check"])
}

/// How far a check is, as it goes on.
pub fn check_progress() -> Link {
    Link::path(&["console", "integrity", "progress"])
}

/// Where a check of the log is ended.
pub fn check_cancel() -> Link {
    Link::path(&["console", "integrity", "cancel"])
}

/// What a check found, for printing.
pub fn certificate(id: &DecisionId) -> Link {
    Link::path(&["console", "integrity", "certificates", &id.to_string()])
}

/// The reports.
pub fn reports() -> Link {
    Link::path(&["console", "reports"])
}

/// Who can reach what.
pub fn access_report() -> Link {
    Link::path(&["console", "reports", "access"])
}

/// Who can reach one route, for printing.
pub fn access_report_of(route_id: &RouteId) -> Link {
    access_report().with_path("route", route_id.as_str())
}

/// What was refused.
pub fn refusals_report() -> Link {
    Link::path(&["console", "reports", "refusals"])
}

/// What was changed and published.
pub fn changes_report() -> Link {
    Link::path(&["console", "reports", "changes"])
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

/// What was refused so, to be sent again.
pub fn again(id: &DecisionId) -> Link {
    Link::path(&["console", "again", &id.to_string()])
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
