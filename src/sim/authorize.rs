//! The authorize endpoint: signs a browser in at the simulator and sends a code back.
//!
//! Nobody types a password: the page has one form per person. A person who is not assigned stays on a page of the
//! provider and the client is told nothing, as at Entra.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::response::Response;
use http::HeaderMap;
use http::header::{HeaderValue, SET_COOKIE};

use super::aadsts::{self, Ends};
use super::answer;
use super::back;
use super::error::SimError;
use super::fault::AuthorizeFault;
use super::page;
use super::params::Params;
use super::people::Person;
use super::policies::Factor;
use super::redeem::closed;
use super::request::{Asked, ClientInfo, Prompt, Refused};
use super::session::{self, COOKIE_NAME, session_of};
use super::settings::OptionalClaim;
use super::state::{BrowserSession, Code, Granted, State, Use};
use super::tenant::{Sim, random};

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
        Err(refused) => return refuse(&sim, refused),
    };
    if let Some(response) = ordered(&sim, &asked) {
        return response;
    }
    let signed_in = session_of(&sim, &headers).and_then(|found| usable(&sim, &asked, found));
    match (asked.prompt, signed_in) {
        (Prompt::Auto, Some((id, session, person))) => {
            if lacks_factor(&sim, &asked, &session) {
                return page::factor(&sim, &asked, (&person, &query));
            }
            answer::or_broken(send_code(&sim, &asked, &id))
        }
        (Prompt::Auto | Prompt::Choose | Prompt::Consent, _) => page::picker(&sim, &asked, &query),
        (Prompt::None, None) => back::failure(&asked.back, &aadsts::authorize(50058)),
        (Prompt::None, Some((_, session, _))) if lacks_factor(&sim, &asked, &session) => {
            back::failure(&asked.back, &aadsts::authorize(50076))
        }
        (Prompt::None, Some((id, _, _))) => answer::or_broken(send_code(&sim, &asked, &id)),
    }
}

/// `POST` to the same address with the same query: one form of the page was sent.
pub(super) async fn choose(
    Shared(sim): Shared<Sim>,
    (Path(tenant), RawQuery(query)): (Path<String>, RawQuery),
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = query.unwrap_or_default();
    let asked = match Asked::parse(&sim, &tenant, &query) {
        Ok(asked) => asked,
        Err(refused) => return refuse(&sim, refused),
    };
    let form = std::str::from_utf8(&body).ok().and_then(Params::parse).unwrap_or_default();
    if form.get("cancel").is_some() {
        return back::cancelled(&asked.back);
    }
    if form.get("decline").is_some() {
        return back::failure(&asked.back, &aadsts::authorize(65004));
    }
    match chosen(&sim, &asked, &form) {
        Ok(person) => next_step(&sim, &asked, (&person, &query), (&headers, &form)),
        Err((number, text)) => answer::refusal(&sim, &aadsts::authorize(number), &text),
    }
}

/// The person of the form, when the door is open.
fn chosen(sim: &Sim, asked: &Asked, form: &Params) -> Result<Person, (u32, String)> {
    let state = sim.state();
    let found = form.get("person").and_then(|user| state.people.iter().find(|p| p.user == user));
    let nobody = || (50034, "Nobody of that name has an account here.".to_owned());
    let person = found.ok_or_else(nobody)?;
    if !asked.named.takes(person.directory) {
        return Err((50020, format!("{} has no account in this tenant.", person.name)));
    }
    let shut =
        |number| (number, format!("{} cannot sign in to {}.", person.name, asked.client.name));
    closed(person, &asked.client).map_or_else(|| Ok(person.clone()), |number| Err(shut(number)))
}

/// A further page, or the code.
fn next_step(
    sim: &Sim,
    asked: &Asked,
    (person, query): (&Person, &str),
    (headers, form): (&HeaderMap, &Params),
) -> Response {
    let given = form.get("factor") == Some("given");
    if !given && wants_factor(sim, asked) {
        return page::factor(sim, asked, (person, query));
    }
    let factor = if given { Factor::Given } else { Factor::Missing };
    if asked.prompt == Prompt::Consent && form.get("consent") != Some("given") {
        return page::consent(asked, (person, factor), query);
    }
    answer::or_broken(sign_in(sim, asked, (person, factor), headers))
}

/// The browser's session, when it can answer this request: of a person who may sign in here, whom the client means,
/// and not too old.
fn usable(
    sim: &Sim,
    asked: &Asked,
    (id, session): (String, BrowserSession),
) -> Option<(String, BrowserSession, Person)> {
    let person = sim.state().person(&session.object_id).cloned()?;
    let meant = asked.hint.as_ref().is_none_or(|hint| person.answers_to(hint));
    let age = sim.now().since(session.authenticated_at).as_secs();
    // `max_age=0` means now, however little time has passed.
    let fresh = asked.max_age.is_none_or(|most| most > 0 && age <= most.unsigned_abs());
    let usable = asked.named.takes(person.directory) && meant && fresh;
    usable.then_some((id, session, person))
}

fn wants_factor(sim: &Sim, asked: &Asked) -> bool {
    let state = sim.state();
    let claimed = &asked.claimed;
    let contexts = claimed.id_acrs.iter().chain(&claimed.access_acrs);
    !claimed.policies.is_empty()
        || state.policies.bind(contexts)
        || state.policies.sign_in_wants_factor()
}

fn lacks_factor(sim: &Sim, asked: &Asked, session: &BrowserSession) -> bool {
    session.factor == Factor::Missing && wants_factor(sim, asked)
}

fn sign_in(
    sim: &Sim,
    asked: &Asked,
    (person, factor): (&Person, Factor),
    headers: &HeaderMap,
) -> Result<Response, SimError> {
    let id = session::begin(sim, (person, factor), headers)?;
    let mut response = send_code(sim, asked, &id)?;
    let secure = if sim.origin().starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={id}; Path=/; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Sends a code for whoever is signed in under `session`.
fn send_code(sim: &Sim, asked: &Asked, session: &str) -> Result<Response, SimError> {
    let code = format!("1.{}", random(192)?);
    let mut state = sim.state();
    let Some(signed_in) = state.sessions.get_mut(session) else {
        return Ok(back::failure(&asked.back, &aadsts::authorize(50058)));
    };
    if !signed_in.clients.contains(&asked.client.client_id) {
        signed_in.clients.push(asked.client.client_id.clone());
    }
    let signed_in = signed_in.clone();
    let Some(person) = state.person(&signed_in.object_id).cloned() else {
        return Ok(back::failure(&asked.back, &aadsts::authorize(50058)));
    };
    // Invariant: somebody who was unassigned since is stopped here too, on the page or by an error.
    if let Some(number) = closed(&person, &asked.client) {
        let failure = aadsts::authorize(number);
        drop(state);
        return Ok(match asked.prompt {
            Prompt::None => back::failure(&asked.back, &failure),
            Prompt::Auto | Prompt::Choose | Prompt::Consent => {
                answer::refusal(sim, &failure, "Access was taken away.")
            }
        });
    }
    let made = Code {
        granted: grant(&state, asked, &signed_in),
        tenant_segment: asked.segment.clone(),
        redirect_uri: asked.back.uri.clone(),
        challenge: asked.challenge.clone(),
        nonce: asked.nonce.clone(),
        made_at: sim.now(),
        used: Use::Fresh,
    };
    state.codes.insert(code.clone(), made);
    drop(state);
    let mut members = vec![("code", code), ("session_state", signed_in.sid)];
    if asked.client_info == ClientInfo::Wanted {
        members.push(("client_info", answer::client_info(sim, &person)));
    }
    Ok(back::send(&asked.back, &members))
}

fn grant(state: &State, asked: &Asked, signed_in: &BrowserSession) -> Granted {
    let mut id_acrs = asked.claimed.id_acrs.clone();
    if signed_in.factor == Factor::Given && asked.client.lists(OptionalClaim::Acrs) {
        id_acrs.extend(state.policies.bound.iter().cloned());
    }
    Granted {
        client: asked.client.client_id.clone(),
        object_id: signed_in.object_id.clone(),
        sid: signed_in.sid.clone(),
        scopes: asked.scopes.clone(),
        id_acrs,
        access_acrs: asked.claimed.access_acrs.clone(),
        factor: signed_in.factor,
        authenticated_at: signed_in.authenticated_at,
        max_age: asked.max_age,
    }
}

fn ordered(sim: &Sim, asked: &Asked) -> Option<Response> {
    let fault = sim.state().next_authorize.take()?;
    let (number, ends) = match fault {
        AuthorizeFault::SentBack(number) => (number, Ends::Back),
        AuthorizeFault::AsEntra(number) if asked.prompt == Prompt::None => (number, Ends::Back),
        AuthorizeFault::AsEntra(number) => (number, aadsts::ends(number)),
    };
    let failure = aadsts::authorize(number);
    Some(match ends {
        Ends::Back => back::failure(&asked.back, &failure),
        Ends::Page => answer::refusal(sim, &failure, "This failure was ordered."),
    })
}

fn refuse(sim: &Sim, refused: Refused) -> Response {
    match refused {
        Refused::Here(failure) => {
            answer::refusal(sim, &failure, "The app asked in a way that cannot be answered safely.")
        }
        Refused::Back(told) => back::failure(&told.0, &told.1),
    }
}
