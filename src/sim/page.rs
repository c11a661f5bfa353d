//! Pages of the simulator: who signs in, a second factor, consent, and the form that carries an answer back.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use http::{StatusCode, header};
use url::Url;

use super::answer;
use super::people::{Account, Assignment, Person};
use super::policies::Factor;
use super::request::Asked;
use super::tenant::Sim;

/// One row of the sign-in page.
pub(super) struct Row {
    pub(super) user: String,
    pub(super) name: String,
    pub(super) user_name: String,
    pub(super) about: String,
    pub(super) initials: String,
    /// Colour of the initials, one of six classes.
    pub(super) tint: usize,
    focus: &'static str,
}

#[derive(Template)]
#[template(path = "sim/picker.html")]
struct PickerPage<'a> {
    action: String,
    client: &'a str,
    rows: Vec<Row>,
}

/// One question to a person who is already chosen.
#[derive(Template)]
#[template(path = "sim/factor.html")]
struct FactorPage<'a> {
    action: String,
    client: &'a str,
    row: Row,
    contexts: String,
}

#[derive(Template)]
#[template(path = "sim/consent.html")]
struct ConsentPage<'a> {
    action: String,
    client: &'a str,
    row: Row,
    factor: &'static str,
    scopes: &'a [String],
}

/// A form that sends itself, or waits for a click where there is no script.
#[derive(Template)]
#[template(path = "sim/form_post.html")]
pub(super) struct FormPostPage<'a> {
    pub(super) target: &'a str,
    pub(super) members: &'a [(&'a str, &'a str)],
}

/// The sign-in page: one form per person, each sent to the address that was asked.
pub(super) fn picker(sim: &Sim, asked: &Asked, query: &str) -> Response {
    let mut people = sim.state().people.clone();
    people.retain(|person| asked.named.takes(person.directory));
    if let Some(domain) = &asked.domain
        && people.iter().any(|person| is_of(person, domain))
    {
        people.retain(|person| is_of(person, domain));
    }
    if let Some(hint) = &asked.hint {
        people.sort_by_key(|person| !person.answers_to(hint));
    }
    let rows = people.iter().enumerate().map(|(at, person)| row(at, person)).collect();
    let shown = PickerPage { action: action(asked, query), client: &asked.client.name, rows };
    answer::page(StatusCode::OK, &shown, &targets(&asked.back.uri))
}

/// Whether `domain_hint` means the person's own directory.
fn is_of(person: &Person, domain: &str) -> bool {
    person.user_name.rsplit_once('@').is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain))
}

/// The page that asks for a second factor: one button stands for the phone.
pub(super) fn factor(sim: &Sim, asked: &Asked, (person, query): (&Person, &str)) -> Response {
    let bound = sim.state().policies.bound.clone();
    let contexts = asked.claimed.id_acrs.union(&asked.claimed.access_acrs);
    let contexts: Vec<&str> =
        contexts.filter(|context| bound.contains(*context)).map(String::as_str).collect();
    let shown = FactorPage {
        action: action(asked, query),
        client: &asked.client.name,
        row: row(0, person),
        contexts: contexts.join(", "),
    };
    answer::page(StatusCode::OK, &shown, &targets(&asked.back.uri))
}

/// The page that asks for consent, as `prompt=consent` wants it.
pub(super) fn consent(asked: &Asked, (person, factor): (&Person, Factor), query: &str) -> Response {
    let given = match factor {
        Factor::Given => "given",
        Factor::Missing => "",
    };
    let shown = ConsentPage {
        action: action(asked, query),
        client: &asked.client.name,
        row: row(0, person),
        factor: given,
        scopes: &asked.scopes,
    };
    answer::page(StatusCode::OK, &shown, &targets(&asked.back.uri))
}

fn action(asked: &Asked, query: &str) -> String {
    format!("/{}/oauth2/v2.0/authorize?{query}", asked.segment)
}

/// A person as a row; the first one has the focus.
pub(super) fn row(at: usize, person: &Person) -> Row {
    let initials = person.name.split(' ').filter_map(|word| word.chars().next()).take(2).collect();
    Row {
        user: person.user.clone(),
        name: person.name.clone(),
        user_name: person.user_name.clone(),
        about: about(person),
        initials,
        tint: person.object_id.bytes().last().map_or(0, |last| usize::from(last) % 6),
        focus: if at == 0 { "autofocus" } else { "" },
    }
}

fn about(person: &Person) -> String {
    match (person.account, person.assignment) {
        (Account::Disabled, _) => format!("{} (account disabled)", person.about),
        (Account::Enabled, Assignment::Assigned | Assignment::Unassigned) => person.about.clone(),
    }
}

/// Where a form may lead: the client, and the hosts below it, because browsers hold every further redirect of a
/// form's answer to the same list and the gate sends people on to the host of their app.
pub(super) fn targets(uri: &str) -> Vec<String> {
    let Ok(url) = Url::parse(uri) else { return Vec::new() };
    let origin = url.origin().ascii_serialization();
    let below = url.domain().map(|domain| {
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        format!("{}://*.{domain}{port}", url.scheme())
    });
    std::iter::once(origin).chain(below).collect()
}

/// Lets a page load the simulator's own script.
pub(super) fn allow_script(response: &mut Response) {
    let Some(policy) = response.headers().get(CONTENT_SECURITY_POLICY) else { return };
    let policy = policy.to_str().unwrap_or_default();
    if let Ok(policy) = HeaderValue::from_str(&format!("{policy}; script-src 'self'")) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// `GET /_sim/sim.css`
pub(super) async fn style() -> Response {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("../../templates/sim/sim.css"),
    )
        .into_response()
}

/// `GET /_sim/icon.svg`
pub(super) async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("../../templates/sim/icon.svg"))
        .into_response()
}

/// `GET /_sim/submit.js`: sends the form of a `form_post` answer.
pub(super) async fn script() -> Response {
    let script = "document.forms[0].submit();\n";
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response()
}
