//! An authorization request (RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core 1.0 sections 3.1.2.1 and 5.5),
//! checked before anything is shown.
//!
//! What makes the redirect target untrustworthy stays on the provider's page; everything else goes back to the client.

use std::collections::BTreeSet;

use serde_json::Value;

use super::aadsts;
use super::failure::Failure;
use super::params::Params;
use super::scopes;
use super::settings::Registration;
use super::state::Challenge;
use super::tenant::{Named, Sim};

/// Longer queries are refused.
const MAX_QUERY: usize = 16 * 1024;

/// How the answer travels back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// What the client wants to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Whatever is needed.
    Auto,
    /// No page at all.
    None,
    /// The sign-in page, whoever is signed in.
    Choose,
    /// The sign-in page, and then the page that asks for consent.
    Consent,
}

/// Where an answer goes.
#[derive(Debug, Clone)]
pub(super) struct Return {
    pub(super) uri: String,
    pub(super) mode: Mode,
    pub(super) state: Option<String>,
}

/// Whether the answer of the token endpoint says who it is about, for MSAL's cache of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientInfo {
    Wanted,
    Unwanted,
}

/// What a claims request wants to be met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Claimed {
    /// Authentication contexts for the ID token.
    pub(super) id_acrs: BTreeSet<String>,
    /// Authentication contexts for the access token.
    pub(super) access_acrs: BTreeSet<String>,
    /// Conditional Access policies, as a challenge of the token endpoint names them.
    pub(super) policies: BTreeSet<String>,
}

/// A request that is in order.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The tenant as the address names it.
    pub(super) segment: String,
    pub(super) named: Named,
    pub(super) client: Registration,
    pub(super) back: Return,
    pub(super) scopes: Vec<String>,
    pub(super) challenge: Challenge,
    pub(super) nonce: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) hint: Option<String>,
    pub(super) domain: Option<String>,
    /// How old the sign-in may be, in seconds.
    pub(super) max_age: Option<i64>,
    pub(super) claimed: Claimed,
    pub(super) client_info: ClientInfo,
}

/// Why a request is not in order, and who is told.
#[derive(Debug)]
pub(super) enum Refused {
    /// The person, on the provider's page.
    Here(Failure),
    /// The client, at its redirect URI.
    Back(Box<(Return, Failure)>),
}

impl Asked {
    /// Checks a request that came to the tenant named `segment` with this raw query.
    pub(super) fn parse(sim: &Sim, segment: &str, query: &str) -> Result<Self, Refused> {
        let here = |number: u32| Refused::Here(aadsts::authorize(number));
        if query.len() > MAX_QUERY {
            return Err(here(90015));
        }
        let named = sim.resolve(segment).ok_or_else(|| here(90002))?;
        let params = Params::parse(query).ok_or_else(|| here(900_144))?;
        let client = params.get("client_id").and_then(|id| sim.client(id));
        let client = client.ok_or_else(|| here(700_016))?;
        named.admits(&client).map_err(here)?;
        let uri = params.get("redirect_uri").filter(|uri| client.has_redirect(uri));
        let uri = uri.ok_or_else(|| here(50011))?.to_owned();
        let state = params.get("state").map(str::to_owned);
        let mode = mode(params.get("response_mode"));
        let back = Return { uri, mode: mode.unwrap_or(Mode::Query), state };
        let refused = |failure| Refused::Back(Box::new((back.clone(), failure)));
        mode.ok_or_else(|| refused(aadsts::authorize(9_002_313)))?;
        let rest = Rest::parse(sim, &params).map_err(refused)?;
        let text = |name: &str| params.get(name).map(str::to_owned);
        Ok(Self {
            segment: segment.to_owned(),
            named,
            client,
            scopes: rest.scopes,
            challenge: rest.challenge,
            nonce: text("nonce"),
            prompt: rest.prompt,
            hint: text("login_hint"),
            domain: text("domain_hint"),
            max_age: rest.max_age,
            claimed: rest.claimed,
            client_info: match params.get("client_info") {
                Some("1") => ClientInfo::Wanted,
                Some(_) | None => ClientInfo::Unwanted,
            },
            back,
        })
    }
}

/// What is checked once it is known where errors go.
struct Rest {
    scopes: Vec<String>,
    challenge: Challenge,
    prompt: Prompt,
    max_age: Option<i64>,
    claimed: Claimed,
}

impl Rest {
    fn parse(sim: &Sim, params: &Params) -> Result<Self, Failure> {
        if params.get("response_type") != Some("code") {
            return Err(aadsts::authorize(700_054));
        }
        if params.get("resource").is_some() {
            return Err(aadsts::authorize(901_002));
        }
        let scopes = scopes::split(params.get("scope").unwrap_or_default());
        if !scopes.iter().any(|scope| scope == "openid") {
            return Err(aadsts::authorize(70011).because("The scope must contain 'openid'."));
        }
        let origins = sim.origins();
        scopes::wanted(&sim.state(), &origins, &scopes)?;
        let malformed =
            |name: &str| aadsts::authorize(9_002_313).because(&format!("Parameter: '{name}'."));
        Ok(Self {
            scopes,
            challenge: challenge(params)?,
            prompt: prompt(params.get("prompt")).ok_or_else(|| malformed("prompt"))?,
            max_age: age(params.get("max_age")).ok_or_else(|| malformed("max_age"))?,
            claimed: claimed(params.get("claims")).ok_or_else(|| malformed("claims"))?,
        })
    }
}

fn mode(text: Option<&str>) -> Option<Mode> {
    match text {
        None | Some("query") => Some(Mode::Query),
        Some("fragment") => Some(Mode::Fragment),
        Some("form_post") => Some(Mode::FormPost),
        Some(_) => None,
    }
}

fn prompt(text: Option<&str>) -> Option<Prompt> {
    match text {
        None => Some(Prompt::Auto),
        Some("none") => Some(Prompt::None),
        Some("login" | "select_account") => Some(Prompt::Choose),
        Some("consent") => Some(Prompt::Consent),
        Some(_) => None,
    }
}

/// None for text that is no age at all.
#[expect(clippy::option_option, reason = "absent and unreadable are different")]
fn age(text: Option<&str>) -> Option<Option<i64>> {
    let Some(text) = text else { return Some(None) };
    text.parse::<i64>().ok().filter(|age| *age >= 0).map(Some)
}

/// A missing method means `plain` (RFC 7636 section 4.3).
fn challenge(params: &Params) -> Result<Challenge, Failure> {
    let Some(sent) = params.get("code_challenge") else { return Ok(Challenge::Absent) };
    if !(43..=128).contains(&sent.len()) {
        return Err(aadsts::authorize(501_491));
    }
    match params.get("code_challenge_method") {
        Some("S256") => Ok(Challenge::S256(sent.to_owned())),
        None | Some("plain") => Ok(Challenge::Plain(sent.to_owned())),
        Some(_) => Err(aadsts::authorize(9_002_313).because("Parameter: 'code_challenge_method'.")),
    }
}

/// None for text that is no claims request.
fn claimed(text: Option<&str>) -> Option<Claimed> {
    let Some(text) = text else { return Some(Claimed::default()) };
    let request: Value = serde_json::from_str(text).ok()?;
    request.as_object()?;
    Some(Claimed {
        id_acrs: values(&request, "/id_token/acrs"),
        access_acrs: values(&request, "/access_token/acrs"),
        policies: values(&request, "/access_token/capolids"),
    })
}

/// The values that are asked of one claim, alone or in a list.
fn values(request: &Value, pointer: &str) -> BTreeSet<String> {
    let Some(asked) = request.pointer(pointer) else { return BTreeSet::new() };
    let one = asked.get("value").into_iter();
    let many = asked.get("values").and_then(Value::as_array).into_iter().flatten();
    one.chain(many).filter_map(Value::as_str).map(str::to_owned).collect()
}
