//! What the page of knobs shows: the tenant as it is now, and what is out of order.

use askama::Template;
use secrecy::ExposeSecret;

use super::rules::{CONDITIONS, FACTORS, GROUP_FORMS, TAMPERS};
use crate::sim::aadsts::{Aadsts, TABLE};
use crate::sim::conditions::{Condition, Endpoint, GraphRights};
use crate::sim::fault::{AuthorizeFault, TokenFault};
use crate::sim::groups::Group;
use crate::sim::page::{self, Row};
use crate::sim::people::{Account, Assignment, Directory, Origin, Person};
use crate::sim::policies::FactorPolicy;
use crate::sim::settings::{AssignmentRule, Registration, TokenVersion};
use crate::sim::state::State;
use crate::sim::tenant::Sim;

/// So many groups of a person are listed one by one.
const LISTED: usize = 6;

/// One person with everything that can be changed.
struct PersonView {
    /// The attribute that unfolds the card.
    open: &'static str,
    row: Row,
    home: &'static str,
    groups: Vec<(String, String)>,
    more_groups: usize,
    roles: Vec<String>,
    assigned: &'static str,
    enabled: &'static str,
}

/// One registration with everything that can be changed.
struct ClientView {
    id: String,
    name: String,
    secrets: Vec<(String, &'static str)>,
    redirects: Vec<String>,
    assignment: &'static str,
    version: &'static str,
    form: &'static str,
}

/// One endpoint.
struct EndpointView {
    name: &'static str,
    now: &'static str,
}

#[derive(Template)]
#[template(path = "sim/panel.html")]
pub(super) struct PanelPage {
    origin: String,
    tenant: String,
    faults: Vec<String>,
    people: Vec<PersonView>,
    groups: Vec<(String, String)>,
    more_groups: usize,
    bound: Vec<String>,
    factor: &'static str,
    factors: Vec<(&'static str, &'static str)>,
    endpoints: Vec<EndpointView>,
    conditions: Vec<(&'static str, &'static str)>,
    denied: &'static str,
    limit: usize,
    tampers: Vec<(&'static str, &'static str)>,
    table: &'static [Aadsts],
    skew: i64,
    clock: String,
    clients: Vec<ClientView>,
    forms: Vec<(&'static str, &'static str)>,
}

/// Why a form was not carried out.
#[derive(Template)]
#[template(path = "sim/panel_refused.html")]
pub(super) struct Refused<'a> {
    pub(super) text: &'a str,
}

/// The page as it is now, with the card of the person called `open` unfolded.
pub(super) fn page(sim: &Sim, open: &str) -> PanelPage {
    let (skew, clock) = (sim.skew(), sim.now().to_string());
    let state = sim.state();
    let named = |all: &'static [(&'static str, &'static str)]| all.to_vec();
    PanelPage {
        origin: sim.origin().to_owned(),
        tenant: sim.tenant().to_owned(),
        faults: faults(&state, skew),
        people: state.people.iter().map(|one| person(&state, one, open)).collect(),
        groups: state.groups.iter().filter(|one| !is_filler(one.0)).map(group).collect(),
        more_groups: state.groups.keys().filter(|id| is_filler(id)).count(),
        bound: state.policies.bound.iter().cloned().collect(),
        factor: named_factor(state.policies.factor),
        factors: FACTORS.iter().map(|(name, words, _)| (*name, *words)).collect(),
        endpoints: Endpoint::ALL.iter().map(|one| endpoint(&state, *one)).collect(),
        conditions: CONDITIONS.iter().map(|(name, words, _)| (*name, *words)).collect(),
        denied: if state.graph.rights == GraphRights::Denied { "yes" } else { "" },
        limit: state.graph.size_limit,
        tampers: named(&TAMPERS),
        table: TABLE,
        skew,
        clock,
        clients: state.registrations.iter().map(|one| client(sim, one)).collect(),
        forms: GROUP_FORMS.iter().map(|(name, words, _)| (*name, *words)).collect(),
    }
}

/// The many groups that only make somebody a member of many.
fn is_filler(id: &str) -> bool {
    id.starts_with("9b000000-")
}

fn group((id, group): (&String, &Group)) -> (String, String) {
    (id.clone(), group.name.clone())
}

fn person(state: &State, person: &Person, open: &str) -> PersonView {
    let name = |id: &String| {
        let known = state.groups.get(id).map(|group| group.name.clone());
        (id.clone(), known.unwrap_or_else(|| "unknown to Graph".to_owned()))
    };
    let mut row = page::row(1, person);
    row.about = match person.account {
        Account::Disabled => "account disabled".to_owned(),
        Account::Enabled => String::new(),
    };
    PersonView {
        open: if person.user == open { "open" } else { "" },
        row,
        home: home(person),
        groups: person.groups.iter().take(LISTED).map(name).collect(),
        more_groups: person.groups.len().saturating_sub(LISTED),
        roles: person.roles.iter().cloned().collect(),
        assigned: if person.assignment == Assignment::Assigned { "yes" } else { "" },
        enabled: if person.account == Account::Enabled { "yes" } else { "" },
    }
}

/// Where a person is from.
fn home(person: &Person) -> &'static str {
    match (person.directory, &person.origin) {
        (Directory::Contoso, Origin::Member) => "contoso.example",
        (Directory::Contoso, Origin::Guest { .. }) => "guest",
        (Directory::Fabrikam, _) => "fabrikam.example",
    }
}

fn endpoint(state: &State, endpoint: Endpoint) -> EndpointView {
    let now = state.conditions.get(&endpoint).copied().unwrap_or(Condition::Well);
    let known = CONDITIONS.iter().find(|(_, _, condition)| *condition == now);
    EndpointView { name: endpoint.name(), now: known.map_or("slow", |(name, _, _)| name) }
}

fn named_factor(policy: FactorPolicy) -> &'static str {
    FACTORS.iter().find(|(_, _, known)| *known == policy).map_or("", |(name, _, _)| name)
}

fn client(sim: &Sim, registration: &Registration) -> ClientView {
    let now = sim.now();
    let secrets = registration.secrets.iter().map(|secret| {
        let ended = secret.expires_at.is_some_and(|end| end <= now);
        (secret.value.expose_secret().to_owned(), if ended { "expired" } else { "" })
    });
    let form = GROUP_FORMS.iter().find(|(_, _, form)| *form == registration.group_claims);
    ClientView {
        id: registration.client_id.clone(),
        name: registration.name.clone(),
        secrets: secrets.collect(),
        redirects: registration.redirect_uris.clone(),
        assignment: match registration.assignment {
            AssignmentRule::Required => "required",
            AssignmentRule::Open => "open",
        },
        version: match registration.access_tokens {
            TokenVersion::V1 => "v1",
            TokenVersion::V2 => "v2",
        },
        form: form.map_or("", |(name, _, _)| name),
    }
}

/// What is out of order now, one sentence each.
fn faults(state: &State, skew: i64) -> Vec<String> {
    let mut all = Vec::new();
    for (endpoint, condition) in &state.conditions {
        let words = CONDITIONS.iter().find(|(_, _, known)| known == condition);
        let words = words.map_or("answers slowly", |(_, words, _)| words);
        if *condition != Condition::Well {
            all.push(format!("The {} endpoint: {words}.", endpoint.name()));
        }
    }
    if state.graph.throttled > 0 {
        all.push(format!("Graph answers {} more requests with status 429.", state.graph.throttled));
    }
    if state.graph.rights == GraphRights::Denied {
        all.push("Graph refuses every call with status 403.".to_owned());
    }
    match state.policies.factor {
        FactorPolicy::Nowhere => {}
        FactorPolicy::AtRefresh => all.push("Refreshes want a second factor.".to_owned()),
        FactorPolicy::Everywhere => all.push("Every sign-in wants a second factor.".to_owned()),
    }
    ordered(state, &mut all);
    if skew != 0 {
        all.push(format!("The clock is off by {skew} seconds."));
    }
    all
}

/// What happens once, with the next request.
fn ordered(state: &State, all: &mut Vec<String>) {
    match state.next_authorize {
        Some(AuthorizeFault::AsEntra(number) | AuthorizeFault::SentBack(number)) => {
            all.push(format!("The next authorization fails with AADSTS{number}."));
        }
        None => {}
    }
    match &state.next_fault {
        Some(TokenFault::Aadsts(number) | TokenFault::InvalidGrant(number)) => {
            all.push(format!("The next token request fails with AADSTS{number}."));
        }
        Some(
            TokenFault::Unavailable
            | TokenFault::Challenge { .. }
            | TokenFault::NotJson
            | TokenFault::NoIdToken,
        ) => all.push("The next token request fails.".to_owned()),
        None => {}
    }
    if state.next_tamper.is_some() {
        all.push("The next ID token is wrong.".to_owned());
    }
    if state.next_access_tamper.is_some() {
        all.push("The next access token is wrong.".to_owned());
    }
}
