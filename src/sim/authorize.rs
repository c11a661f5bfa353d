//! The authorize endpoint: signs a browser in at the simulator and sends a code back.
//!
//! Nobody types a password: the page has one form per person. A person who is not assigned stays on a page of the
//! provider and the client is told nothing, as at Entra.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::response::Response;
use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use url::Url;
use url::form_urlencoded::Serializer;

use super::answer::{self, Failure};
use super::error::SimError;
use super::page::{self, FormPostPage};
use super::params::Params;
use super::people::{Account, Assignment, Person};
use super::request::{Asked, Mode, Prompt, Refused, Return};
use super::state::{BrowserSession, Code, Granted, Use};
use super::tenant::{Sim, random, random_guid};

/// The simulator's own sign-in, so that signing out means something.
pub(super) const COOKIE_NAME: &str = "sim_session";

const UNASSIGNED: Failure = Failure::new(
    "interaction_required",
    50105,
    "Your administrator has configured the application to block users unless they are specifically granted access.",
);
const DISABLED: Failure =
    Failure::new("interaction_required", 50057, "The user account is disabled.");
const NOBODY: Failure = Failure::new(
    "login_required",
    50058,
    "A silent sign-in request was sent but no user is signed in.",
);
const STRONGER: Failure = Failure::new(
    "interaction_required",
    50076,
    "You must use multi-factor authentication to access this resource.",
);
const CANCELLED: Failure =
    Failure::new("access_denied", 65004, "The user cancelled the authentication.");
const UNKNOWN_PERSON: Failure =
    Failure::new("invalid_request", 50034, "The user account does not exist in the directory.");

/// `GET /{tenant}/oauth2/v2.0/authorize`
pub(super) async fn ask(
    Shared(sim): Shared<Sim>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let asked = match Asked::parse(&sim, &tenant, &query) {
        Ok(asked) => asked,
        Err(refused) => return refuse(refused),
    };
    let session = session_of(&sim, &headers);
    let met = session.as_ref().is_some_and(|(_, s)| asked.acrs.iter().all(|a| s.acrs.contains(a)));
    match (asked.prompt, session) {
        (Prompt::Auto, Some((id, _))) if met && is_hinted(&sim, &asked, &id) => {
            answer::or_broken(silent(&sim, &asked, &id))
        }
        (Prompt::Auto | Prompt::Choose, _) => page::picker(&sim, &asked, &query),
        (Prompt::None, None) => back(&asked.back, NOBODY, ""),
        (Prompt::None, Some(_)) if !met => back(&asked.back, STRONGER, ""),
        (Prompt::None, Some((id, _))) if !is_hinted(&sim, &asked, &id) => {
            back(&asked.back, NOBODY, "")
        }
        (Prompt::None, Some((id, _))) => answer::or_broken(silent(&sim, &asked, &id)),
    }
}

/// `POST` to the same address with the same query: one form of the page was sent.
pub(super) async fn choose(
    Shared(sim): Shared<Sim>,
    (Path(tenant), RawQuery(query)): (Path<String>, RawQuery),
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = match Asked::parse(&sim, &tenant, &query.unwrap_or_default()) {
        Ok(asked) => asked,
        Err(refused) => return refuse(refused),
    };
    let form = std::str::from_utf8(&body).ok().and_then(Params::parse).unwrap_or_default();
    if form.get("cancel").is_some() {
        return back(&asked.back, CANCELLED, "cancel");
    }
    let chosen = form
        .get("person")
        .and_then(|user| sim.state().people.iter().find(|person| person.user == user).cloned());
    let Some(person) = chosen else {
        return answer::refusal(UNKNOWN_PERSON, "Nobody of that name works at Contoso.");
    };
    if let Some(failure) = closed_to(&person) {
        let text = format!("{} cannot sign in to this application.", person.name);
        return answer::refusal(failure, &text);
    }
    answer::or_broken(sign_in(&sim, &asked, &person, &headers))
}

fn closed_to(person: &Person) -> Option<Failure> {
    match (person.account, person.assignment) {
        (Account::Disabled, _) => Some(DISABLED),
        (Account::Enabled, Assignment::Unassigned) => Some(UNASSIGNED),
        (Account::Enabled, Assignment::Assigned) => None,
    }
}

/// The simulator's session of a browser, by its cookie.
pub(super) fn session_of(sim: &Sim, headers: &HeaderMap) -> Option<(String, BrowserSession)> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|p| p.split_once('='));
    let (_, id) = pairs.find(|(name, _)| name.trim() == COOKIE_NAME)?;
    let session = sim.state().sessions.get(id.trim())?.clone();
    Some((id.trim().to_owned(), session))
}

fn is_hinted(sim: &Sim, asked: &Asked, session: &str) -> bool {
    let Some(hint) = &asked.hint else { return true };
    let state = sim.state();
    let object_id = state.sessions.get(session).map(|session| session.object_id.as_str());
    object_id.and_then(|id| state.person(id)).is_some_and(|person| person.answers_to(hint))
}

fn sign_in(
    sim: &Sim,
    asked: &Asked,
    person: &Person,
    headers: &HeaderMap,
) -> Result<Response, SimError> {
    let before = session_of(sim, headers);
    let id = random(32)?;
    let session = BrowserSession {
        object_id: person.object_id.clone(),
        sid: random_guid()?,
        acrs: asked.acrs.clone(),
        clients: Vec::new(),
    };
    {
        let mut state = sim.state();
        if let Some((old, _)) = before {
            state.sessions.remove(&old);
        }
        state.sessions.insert(id.clone(), session);
    }
    let mut response = silent(sim, asked, &id)?;
    let secure = if sim.origin().starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={id}; Path=/; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Sends a code for whoever is signed in under `session`.
fn silent(sim: &Sim, asked: &Asked, session: &str) -> Result<Response, SimError> {
    let code = format!("1.{}", random(192)?);
    let mut state = sim.state();
    let Some(signed_in) = state.sessions.get_mut(session) else {
        return Ok(back(&asked.back, NOBODY, ""));
    };
    if !signed_in.clients.contains(&asked.client) {
        signed_in.clients.push(asked.client.clone());
    }
    let signed_in = signed_in.clone();
    // Invariant: somebody who was unassigned since is stopped here too, on the page or by an error.
    let person = state.person(&signed_in.object_id);
    if let Some(failure) = person.map_or(Some(DISABLED), closed_to) {
        return Ok(match asked.prompt {
            Prompt::None => back(&asked.back, failure, ""),
            Prompt::Auto | Prompt::Choose => answer::refusal(failure, "Access was taken away."),
        });
    }
    let made = Code {
        granted: Granted {
            client: asked.client.clone(),
            object_id: signed_in.object_id,
            sid: signed_in.sid.clone(),
            scopes: asked.scopes.clone(),
            acrs: asked.acrs.clone(),
        },
        tenant_segment: asked.tenant.clone(),
        redirect_uri: asked.back.uri.clone(),
        challenge: asked.challenge.clone(),
        nonce: asked.nonce.clone(),
        made_at: sim.now(),
        used: Use::Fresh,
    };
    state.codes.insert(code.clone(), made);
    drop(state);
    Ok(send(&asked.back, &[("code", &code), ("session_state", &signed_in.sid)]))
}

fn refuse(refused: Refused) -> Response {
    match refused {
        Refused::Here(failure) => answer::refusal(
            failure,
            "The application asked in a way that cannot be answered safely.",
        ),
        Refused::Back(to, failure) => back(&to, failure, ""),
    }
}

/// An error for the client; `subcode` empty when there is none.
fn back(to: &Return, failure: Failure, subcode: &str) -> Response {
    let sentence = failure.sentence();
    let mut members = vec![("error", failure.error), ("error_description", sentence.as_str())];
    if !subcode.is_empty() {
        members.push(("error_subcode", subcode));
    }
    send(to, &members)
}

fn send(to: &Return, members: &[(&str, &str)]) -> Response {
    let state = to.state.as_deref().map(|state| ("state", state));
    let members: Vec<(&str, &str)> = members.iter().copied().chain(state).collect();
    let Ok(mut url) = Url::parse(&to.uri) else { return answer::broken() };
    match to.mode {
        Mode::Query => {
            url.query_pairs_mut().extend_pairs(&members);
            // Entra ends every redirect with an empty fragment.
            url.set_fragment(Some(""));
            answer::redirect(url.as_str())
        }
        Mode::Fragment => {
            let text = Serializer::new(String::new()).extend_pairs(&members).finish();
            url.set_fragment(Some(&text));
            answer::redirect(url.as_str())
        }
        Mode::FormPost => {
            let shown = FormPostPage { target: &to.uri, members: &members };
            let mut response = answer::page(StatusCode::OK, &shown, &page::targets(&to.uri));
            page::allow_script(&mut response);
            response
        }
    }
}
