//! Who asks Graph, about whom, and whether that is allowed.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::sim::answer;
use crate::sim::conditions::GraphRights;
use crate::sim::people::Person;
use crate::sim::state::{Access, Subject};
use crate::sim::tenant::{Sim, random_guid};

/// Permissions that open other people's memberships and the names of groups.
pub(super) const READS_GROUPS: [&str; 4] =
    ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"];

/// Permissions that open other people.
const READS_PEOPLE: [&str; 4] =
    ["User.ReadBasic.All", "User.Read.All", "Directory.Read.All", "GroupMember.Read.All"];

/// Permissions that open the signed-in person.
const READS_ME: [&str; 4] = ["User.Read", "User.ReadWrite", "User.Read.All", "Directory.Read.All"];

/// Whom a call is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom<'a> {
    /// The signed-in person.
    Me,
    /// A person by object id or user name.
    User(&'a str),
}

/// One request to Graph: the simulator and what the request's head says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) sim: &'a Sim,
    pub(super) headers: &'a HeaderMap,
}

/// Why Graph does not answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Too many requests; the client shall wait so long.
    Throttled(Duration),
    /// No token, an old one, or one for another API.
    Unauthenticated,
    /// The token lacks a permission.
    Forbidden,
    /// `/me` in a token that is about nobody.
    NobodySignedIn,
    /// Nobody has this id.
    Missing(String),
    /// The call is unknown.
    Unknown(String),
    /// The request is malformed.
    Bad(String),
    /// The query needs more than was sent.
    Unsupported(&'static str),
    /// The answer would be too long.
    TooMany,
}

/// A good answer's body, or why there is none.
pub(super) type Answer = Result<Value, Refusal>;

/// `GET /oidc/userinfo`
pub(super) async fn userinfo(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    call.finish(info(call))
}

fn info(call: Call<'_>) -> Answer {
    let access = call.access()?;
    let person = call.person(Whom::Me, &access)?;
    let (given, family) = person.name.split_once(' ').unwrap_or((&person.name, ""));
    Ok(json!({
        "sub": access.sub, "name": person.name, "given_name": given, "family_name": family,
        "email": person.email, "picture": format!("{}/v1.0/me/photo/$value", call.sim.origin()),
    }))
}

/// `GET /v1.0/me`
pub(super) async fn me(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    call.finish(profile(call, Whom::Me))
}

/// `GET /v1.0/users/{id}`
pub(super) async fn user(
    State(sim): State<Sim>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    call.finish(profile(call, Whom::User(&id)))
}

fn profile(call: Call<'_>, whom: Whom<'_>) -> Answer {
    let access = call.access()?;
    call.person(whom, &access).map(|person| entity(&person))
}

fn entity(person: &Person) -> Value {
    let (given, family) = person.name.split_once(' ').unwrap_or((&person.name, ""));
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users/$entity",
        "businessPhones": [], "displayName": person.name, "givenName": given, "jobTitle": null,
        "mail": person.email, "mobilePhone": null, "officeLocation": null,
        "preferredLanguage": null, "surname": family, "userPrincipalName": person.user_name,
        "id": person.object_id,
    })
}

impl Call<'_> {
    /// The token that came with the request, unless Graph is throttled or was told to refuse.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn access(&self) -> Result<Access, Refusal> {
        let now = self.sim.now();
        let mut state = self.sim.state();
        if let Some(wait) = state.graph.take_throttle() {
            return Err(Refusal::Throttled(wait));
        }
        let token = self.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let known = token.and_then(|token| state.access.get(token));
        let known = known.filter(|access| now < access.expires_at).cloned();
        match (known, state.graph.rights) {
            (None, _) => Err(Refusal::Unauthenticated),
            (Some(_), GraphRights::Denied) => Err(Refusal::Forbidden),
            (Some(access), GraphRights::AsHeld) => Ok(access),
        }
    }

    /// The person that a call is about, when the token may see them.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn person(&self, whom: Whom<'_>, access: &Access) -> Result<Person, Refusal> {
        let state = self.sim.state();
        match (whom, &access.subject) {
            (Whom::Me, Subject::Client(_)) => Err(Refusal::NobodySignedIn),
            (Whom::Me, Subject::Person(own)) => {
                // Signing in alone opens `/oidc/userinfo`, which asks for no more.
                let person = state.person(own).cloned().ok_or(Refusal::Unauthenticated)?;
                let opened = access.permissions.contains("openid") || holds(access, &READS_ME);
                if opened { Ok(person) } else { Err(Refusal::Forbidden) }
            }
            (Whom::User(id), subject) => {
                let own = matches!(subject, Subject::Person(own) if own == id);
                if !own && !holds(access, &READS_PEOPLE) {
                    return Err(Refusal::Forbidden);
                }
                let mut all = state.people.iter();
                let person = all.find(|one| one.object_id == id || one.user_name == id).cloned();
                person.ok_or_else(|| Refusal::Missing(id.to_owned()))
            }
        }
    }

    /// Whether the token holds one of these permissions.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] when not.
    pub(super) fn allowed(access: &Access, any: &[&str]) -> Result<(), Refusal> {
        if holds(access, any) { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// The answer, in Graph's form either way.
    pub(super) fn finish(&self, answer: Answer) -> Response {
        match answer {
            Ok(body) => self.marked(answer::json(StatusCode::OK, &body)),
            Err(refusal) => self.refused(&refusal),
        }
    }

    fn refused(&self, refusal: &Refusal) -> Response {
        let (status, code, message) = words(refusal);
        let id = random_guid().unwrap_or_default();
        let date = self.sim.now().to_jiff().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let body = json!({ "error": { "code": code, "message": message, "innerError": {
            "date": date, "request-id": id, "client-request-id": self.client_id().unwrap_or(&id),
        } } });
        let mut response = self.marked(answer::json(status, &body));
        if let Refusal::Throttled(wait) = refusal {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        if matches!(refusal, Refusal::Unauthenticated) {
            answer::set(&mut response, "www-authenticate", "Bearer realm=\"\"");
        }
        response
    }

    fn client_id(&self) -> Option<&str> {
        self.headers.get("client-request-id").and_then(|value| value.to_str().ok())
    }

    /// Every answer names itself.
    fn marked(&self, mut response: Response) -> Response {
        let id = random_guid().ok().and_then(|id| HeaderValue::from_str(&id).ok());
        if let Some(id) = id {
            response.headers_mut().insert("request-id", id);
        }
        if let Some(id) = self.headers.get("client-request-id") {
            response.headers_mut().insert("client-request-id", id.clone());
        }
        response
    }
}

/// Status, code and message of a refusal.
fn words(refusal: &Refusal) -> (StatusCode, &'static str, String) {
    let bad = StatusCode::BAD_REQUEST;
    match refusal {
        Refusal::Throttled(_) => {
            (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests.".to_owned())
        }
        Refusal::Unauthenticated => (
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            "Access token validation failure.".to_owned(),
        ),
        Refusal::Forbidden => (
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.".to_owned(),
        ),
        Refusal::NobodySignedIn => (
            bad,
            "BadRequest",
            "/me request is only valid with delegated authentication flow.".to_owned(),
        ),
        Refusal::Missing(id) => (
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            ),
        ),
        Refusal::Unknown(name) => {
            (bad, "BadRequest", format!("Resource not found for the segment '{name}'."))
        }
        Refusal::Bad(text) => (bad, "Request_BadRequest", text.clone()),
        Refusal::Unsupported(text) => (bad, "Request_UnsupportedQuery", (*text).to_owned()),
        Refusal::TooMany => (
            bad,
            "Directory_ResultSizeLimitExceeded",
            "The result size limit for the query has been exceeded.".to_owned(),
        ),
    }
}

/// Whether a token holds one of these permissions.
pub(super) fn holds(access: &Access, any: &[&str]) -> bool {
    any.iter().any(|permission| access.permissions.contains(*permission))
}
