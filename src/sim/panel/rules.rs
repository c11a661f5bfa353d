//! Knobs of policies, errors, endpoints, Graph, tokens, keys and registrations.

use std::time::Duration;

use serde_json::json;

use super::orders::{member, number, unknown};
use crate::sim::aadsts;
use crate::sim::conditions::{Condition, Endpoint, GraphRights};
use crate::sim::fault::{AuthorizeFault, Tamper, TokenFault};
use crate::sim::keys::Overlap;
use crate::sim::params::Params;
use crate::sim::people::{GUEST_HOME, NIGHTLY_JOB};
use crate::sim::policies::FactorPolicy;
use crate::sim::settings::{AssignmentRule, GroupClaims, TokenVersion};
use crate::sim::tenant::Sim;

/// How slow a slow endpoint is.
const SLOW: Duration = Duration::from_secs(3);

/// Conditions by their names in forms, with what the page says about them.
pub(super) const CONDITIONS: [(&str, &str, Condition); 6] = [
    ("well", "works", Condition::Well),
    ("slow", "answers after 3 seconds", Condition::Slow(SLOW)),
    ("hanging", "never answers", Condition::Hanging),
    ("dead", "drops the connection", Condition::Dead),
    ("unavailable", "status 503", Condition::Unavailable),
    ("not-json", "status 502 with HTML", Condition::NotJson),
];

/// Where a second factor is wanted, likewise.
pub(super) const FACTORS: [(&str, &str, FactorPolicy); 3] = [
    ("nowhere", "only for bound contexts", FactorPolicy::Nowhere),
    ("at-refresh", "at refreshes too", FactorPolicy::AtRefresh),
    ("everywhere", "at every sign-in and refresh", FactorPolicy::Everywhere),
];

/// Forms of group claims, likewise.
pub(super) const GROUP_FORMS: [(&str, &str, GroupClaims); 4] = [
    ("ids", "ids in groups", GroupClaims::Ids),
    ("absent", "no groups", GroupClaims::Absent),
    ("ids-as-roles", "ids in roles", GroupClaims::IdsAsRoles),
    ("names-as-roles", "names in roles", GroupClaims::NamesAsRoles),
];

/// Wrong tokens, likewise.
pub(super) const TAMPERS: [(&str, &str); 13] = [
    ("issuer", "issuer of another host"),
    ("tenant", "tenant and issuer of fabrikam.example"),
    ("audience", "audience of another registration"),
    ("signature", "signed by a key that nobody published"),
    ("personal", "signed by the key of personal accounts"),
    ("payload", "changed after signing"),
    ("none", "alg none"),
    ("hmac", "HS256 with the public key"),
    ("kid", "key id that nobody knows"),
    ("nonce", "nonce of another sign-in"),
    ("expired", "expired an hour ago"),
    ("future", "valid in an hour"),
    ("large", "12 KB of roles"),
];

pub(super) fn policy(sim: &Sim, order: &str, form: &Params) -> Result<(), String> {
    match order {
        "policy-bind" => sim.bind_context(context(form)?),
        "policy-unbind" => sim.unbind_context(context(form)?),
        "policy-factor" => {
            let named = member(form, "factor")?;
            let found = FACTORS.iter().find(|(name, _, _)| *name == named);
            sim.want_factor(found.ok_or_else(|| unknown(named))?.2);
        }
        _ => return Err(unknown(order)),
    }
    Ok(())
}

/// `c1` to `c99`.
fn context(form: &Params) -> Result<&str, String> {
    let text = member(form, "context")?;
    let number = text.strip_prefix('c').and_then(|digits| digits.parse::<u8>().ok());
    let known = number.is_some_and(|number| (1..=99).contains(&number));
    if known { Ok(text) } else { Err(format!("`{text}` is none of c1 to c99.")) }
}

pub(super) fn fail(sim: &Sim, form: &Params) -> Result<(), String> {
    let code: u32 = number(form, "number")?;
    aadsts::find(code).ok_or_else(|| format!("AADSTS{code} is not in the table."))?;
    match member(form, "where")? {
        "authorize" => sim.fail_next_authorize(AuthorizeFault::AsEntra(code)),
        "back" => sim.fail_next_authorize(AuthorizeFault::SentBack(code)),
        "token" => sim.fail_next_token(TokenFault::Aadsts(code)),
        other => return Err(unknown(other)),
    }
    Ok(())
}

pub(super) fn endpoint(sim: &Sim, form: &Params) -> Result<(), String> {
    let (endpoint, condition) = (member(form, "endpoint")?, member(form, "condition")?);
    let endpoint = Endpoint::ALL.into_iter().find(|one| one.name() == endpoint);
    let condition = CONDITIONS.iter().find(|(name, _, _)| *name == condition);
    match (endpoint, condition) {
        (Some(endpoint), Some((_, _, condition))) => sim.set_condition(endpoint, *condition),
        _ => return Err("There is no such endpoint or condition.".to_owned()),
    }
    Ok(())
}

pub(super) fn graph(sim: &Sim, order: &str, form: &Params) -> Result<(), String> {
    match order {
        "graph-throttle" => {
            let wait = Duration::from_secs(number::<u32>(form, "wait")?.into());
            sim.throttle_graph(number(form, "times")?, wait);
        }
        "graph-deny" => sim.set_graph_rights(GraphRights::Denied),
        "graph-allow" => sim.set_graph_rights(GraphRights::AsHeld),
        "graph-limit" => sim.limit_graph(number(form, "most")?),
        _ => return Err(unknown(order)),
    }
    Ok(())
}

pub(super) fn token(sim: &Sim, order: &str, form: &Params) -> Result<(), String> {
    let tamper = tamper(sim, member(form, "what")?)?;
    match order {
        "token-id" => sim.tamper_next_id_token(tamper),
        "token-access" => sim.tamper_next_access_token(tamper),
        _ => return Err(unknown(order)),
    }
    Ok(())
}

fn tamper(sim: &Sim, what: &str) -> Result<Tamper, String> {
    let claim = |name: &str, value| Tamper::Claim(name.to_owned(), value);
    let now = sim.now().as_seconds();
    Ok(match what {
        "issuer" => claim("iss", json!(format!("https://evil.example/{}/v2.0", sim.tenant()))),
        "tenant" => claim("tid", json!(GUEST_HOME)),
        "audience" => claim("aud", json!(NIGHTLY_JOB)),
        "signature" => Tamper::OtherKey,
        "personal" => Tamper::PersonalAccountKey,
        "payload" => Tamper::Payload,
        "none" => Tamper::AlgNone,
        "hmac" => Tamper::HmacWithPublicKey,
        "kid" => Tamper::Header("kid".to_owned(), json!("a-key-of-nobody")),
        "nonce" => claim("nonce", json!("of-another-sign-in")),
        "expired" => claim("exp", json!(now.saturating_sub(3600))),
        "future" => claim("nbf", json!(now.saturating_add(3600))),
        "large" => {
            let roles: Vec<String> =
                (0..300).map(|n| format!("A.Role.With.A.Very.Long.Name.{n:03}")).collect();
            claim("roles", json!(roles))
        }
        _ => return Err(unknown(what)),
    })
}

pub(super) fn key(sim: &Sim, form: &Params) -> Result<(), String> {
    let done = match member(form, "how")? {
        "keep" => sim.rotate_keys(Overlap::Keep),
        "drop" => sim.rotate_keys(Overlap::Drop),
        "roll" => sim.roll_keys(),
        other => return Err(unknown(other)),
    };
    done.map_err(|error| error.to_string())
}

pub(super) fn client(sim: &Sim, order: &str, form: &Params) -> Result<(), String> {
    let client = member(form, "client")?;
    let done = match order {
        "client-expire" => sim.expire_secrets(client),
        "client-renew" => sim.change_client(client, |one| {
            for secret in &mut one.secrets {
                secret.expires_at = None;
            }
        }),
        "client-require" => {
            sim.change_client(client, |one| one.assignment = AssignmentRule::Required)
        }
        "client-open" => sim.change_client(client, |one| one.assignment = AssignmentRule::Open),
        "client-v1" => sim.change_client(client, |one| one.access_tokens = TokenVersion::V1),
        "client-v2" => sim.change_client(client, |one| one.access_tokens = TokenVersion::V2),
        "client-groups" => {
            let named = member(form, "form")?;
            let found = GROUP_FORMS.iter().find(|(name, _, _)| *name == named);
            let form = found.ok_or_else(|| unknown(named))?.2;
            sim.change_client(client, |one| one.group_claims = form)
        }
        _ => return Err(unknown(order)),
    };
    done.map_err(|error| error.to_string())
}
