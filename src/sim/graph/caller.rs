//! Who asks Graph, about whom, and whether that is allowed.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::sim::answer;
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

/// `GET /oidc/userinfo`
pub(super) async fn userinfo(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    let found = call.access().and_then(|access| Ok((call.person(Whom::Me, &access)?, access)));
    found.map_or_else(
        |refused| refused,
        |(person, access)| {
            let (given, family) = person.name.split_once(' ').unwrap_or((&person.name, ""));
            call.answer(&json!({
                "sub": access.sub, "name": person.name, "given_name": given,
                "family_name": family, "email": person.email,
                "picture": format!("{}/v1.0/me/photo/$value", sim.origin()),
            }))
        },
    )
}

/// `GET /v1.0/me`
pub(super) async fn me(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    profile(Call { sim: &sim, headers: &headers }, Whom::Me)
}

/// `GET /v1.0/users/{id}`
pub(super) async fn user(
    State(sim): State<Sim>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    profile(Call { sim: &sim, headers: &headers }, Whom::User(&id))
}

fn profile(call: Call<'_>, whom: Whom<'_>) -> Response {
    let found = call.access().and_then(|access| call.person(whom, &access));
    found.map_or_else(|refused| refused, |person| call.answer(&entity(&person)))
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
    /// The token that came with the request, unless Graph is throttling or was told to refuse.
    ///
    /// # Errors
    /// The answer that says why not.
    pub(super) fn access(&self) -> Result<Access, Response> {
        if let Some(wait) = self.sim.state().graph.take_throttle() {
            return Err(self.throttled(wait));
        }
        let token = self.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let now = self.sim.now();
        let state = self.sim.state();
        let known = token.and_then(|token| state.access.get(token));
        let known = known.filter(|access| now < access.expires_at).cloned();
        let denied = state.graph.denied;
        drop(state);
        let access = known.ok_or_else(|| self.unauthenticated())?;
        if denied { Err(self.forbidden()) } else { Ok(access) }
    }

    /// The person that a call is about, when the token may see them.
    ///
    /// # Errors
    /// The answer that says why not.
    pub(super) fn person(&self, whom: Whom<'_>, access: &Access) -> Result<Person, Response> {
        let state = self.sim.state();
        match (whom, &access.subject) {
            (Whom::Me, Subject::Client(_)) => {
                let text = "/me request is only valid with delegated authentication flow.";
                Err(self.refused(StatusCode::BAD_REQUEST, ("BadRequest", text)))
            }
            (Whom::Me, Subject::Person(own)) => {
                // Signing in alone opens `/oidc/userinfo`, which asks for no more.
                let person = state.person(own).cloned();
                let person = person.ok_or_else(|| self.unauthenticated())?;
                let signs_in = access.permissions.contains("openid");
                if signs_in || holds(access, &READS_ME) { Ok(person) } else { Err(self.forbidden()) }
            }
            (Whom::User(id), subject) => {
                let own = matches!(subject, Subject::Person(own) if own == id);
                if !own && !holds(access, &READS_PEOPLE) {
                    return Err(self.forbidden());
                }
                let all = &mut state.people.iter();
                let person = all.find(|one| one.object_id == id || one.user_name == id).cloned();
                person.ok_or_else(|| self.missing(id))
            }
        }
    }

    /// Whether the token holds one of these permissions.
    ///
    /// # Errors
    /// 403 when not.
    pub(super) fn allowed(&self, access: &Access, any: &[&str]) -> Result<(), Response> {
        if holds(access, any) { Ok(()) } else { Err(self.forbidden()) }
    }

    /// A good answer.
    pub(super) fn answer(&self, body: &Value) -> Response {
        self.marked(answer::json(StatusCode::OK, body))
    }

    /// An error in Graph's form.
    pub(super) fn refused(&self, status: StatusCode, (code, message): (&str, &str)) -> Response {
        let id = random_guid().unwrap_or_default();
        let date = self.sim.now().to_jiff().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let body = json!({ "error": { "code": code, "message": message, "innerError": {
            "date": date, "request-id": id, "client-request-id": self.client_id().unwrap_or(&id),
        } } });
        self.marked(answer::json(status, &body))
    }

    fn unauthenticated(&self) -> Response {
        let text = "Access token validation failure.";
        let mut response =
            self.refused(StatusCode::UNAUTHORIZED, ("InvalidAuthenticationToken", text));
        answer::set(&mut response, "www-authenticate", "Bearer realm=\"\"");
        response
    }

    fn forbidden(&self) -> Response {
        let text = "Insufficient privileges to complete the operation.";
        self.refused(StatusCode::FORBIDDEN, ("Authorization_RequestDenied", text))
    }

    fn missing(&self, id: &str) -> Response {
        let text = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        );
        self.refused(StatusCode::NOT_FOUND, ("Request_ResourceNotFound", &text))
    }

    /// The address names a call that Graph does not have here.
    pub(super) fn unknown(&self, name: &str) -> Response {
        let text = format!("Resource not found for the segment '{name}'.");
        self.refused(StatusCode::BAD_REQUEST, ("BadRequest", &text))
    }

    fn throttled(&self, wait: Duration) -> Response {
        let text = "Too many requests.";
        let mut response =
            self.refused(StatusCode::TOO_MANY_REQUESTS, ("TooManyRequests", text));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
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

/// Whether a token holds one of these permissions.
pub(super) fn holds(access: &Access, any: &[&str]) -> bool {
    any.iter().any(|permission| access.permissions.contains(*permission))
}
