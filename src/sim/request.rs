//! An authorization request (RFC 6749 section 4.1.1, RFC 7636), checked before anything is shown.
//!
//! What makes the redirect target untrustworthy stays on the provider's page; everything else goes back to the client.

use serde_json::Value;

use super::answer::Failure;
use super::discovery::UNKNOWN_TENANT;
use super::params::Params;
use super::tenant::Sim;

const UNKNOWN_CLIENT: Failure = Failure::new(
    "unauthorized_client",
    700_016,
    "Application with this identifier was not found in the directory.",
);
const OTHER_REDIRECT: Failure = Failure::new(
    "invalid_request",
    50011,
    "The redirect URI specified in the request does not match the redirect URIs configured for the application.",
);
const TWICE: Failure =
    Failure::new("invalid_request", 900_144, "A parameter was given more than once.");
const NOT_CODE: Failure = Failure::new(
    "unsupported_response_type",
    700_054,
    "Only response_type 'code' is enabled for the application.",
);
const NO_OPENID: Failure = Failure::new("invalid_scope", 70011, "The scope must contain 'openid'.");
const NO_S256: Failure = Failure::new(
    "invalid_request",
    9_002_325,
    "Proof Key for Code Exchange with method S256 is required.",
);
const BAD_MODE: Failure =
    Failure::new("invalid_request", 900_144, "The response_mode is not supported.");

/// Characters of a SHA-256 in base64url.
const CHALLENGE_LENGTH: usize = 43;

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
}

/// Where an answer goes.
#[derive(Debug, Clone)]
pub(super) struct Return {
    pub(super) uri: String,
    pub(super) mode: Mode,
    pub(super) state: Option<String>,
}

/// A request that is in order.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) tenant: String,
    pub(super) client: String,
    pub(super) back: Return,
    pub(super) scopes: Vec<String>,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) hint: Option<String>,
    pub(super) acrs: Vec<String>,
}

/// Why a request is not in order, and who is told.
#[derive(Debug)]
pub(super) enum Refused {
    /// The person, on the provider's page.
    Here(Failure),
    /// The client, at its redirect URI.
    Back(Return, Failure),
}

impl Asked {
    /// Checks a request that came to the tenant named `tenant` with this raw query.
    pub(super) fn parse(sim: &Sim, tenant: &str, query: &str) -> Result<Self, Refused> {
        sim.resolve(tenant).ok_or(Refused::Here(UNKNOWN_TENANT))?;
        let params = Params::parse(query).ok_or(Refused::Here(TWICE))?;
        let client = params.get("client_id").and_then(|id| sim.client(id));
        let client = client.ok_or(Refused::Here(UNKNOWN_CLIENT))?;
        let uri = params.get("redirect_uri").filter(|uri| client.has_redirect(uri));
        let uri = uri.ok_or(Refused::Here(OTHER_REDIRECT))?.to_owned();
        let state = params.get("state").map(str::to_owned);
        let mode = mode(params.get("response_mode"));
        let back = Return { uri, mode: mode.unwrap_or(Mode::Query), state };
        let refused = |failure| Refused::Back(back.clone(), failure);
        mode.ok_or_else(|| refused(BAD_MODE))?;
        if params.get("response_type") != Some("code") {
            return Err(refused(NOT_CODE));
        }
        let scopes: Vec<String> = params
            .get("scope")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect();
        if !scopes.iter().any(|scope| scope == "openid") {
            return Err(refused(NO_OPENID));
        }
        let challenge = challenge(&params).ok_or_else(|| refused(NO_S256))?;
        Ok(Self {
            tenant: tenant.to_owned(),
            client: client.client_id.clone(),
            scopes,
            challenge,
            nonce: params.get("nonce").map(str::to_owned),
            prompt: prompt(params.get("prompt")),
            hint: params.get("login_hint").map(str::to_owned),
            acrs: params.get("claims").map(contexts).unwrap_or_default(),
            back,
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

fn prompt(text: Option<&str>) -> Prompt {
    match text {
        Some("none") => Prompt::None,
        Some("login" | "select_account" | "consent") => Prompt::Choose,
        Some(_) | None => Prompt::Auto,
    }
}

fn challenge(params: &Params) -> Option<String> {
    let challenge = params.get("code_challenge")?;
    let fits =
        params.get("code_challenge_method") == Some("S256") && challenge.len() == CHALLENGE_LENGTH;
    fits.then(|| challenge.to_owned())
}

/// Authentication contexts that a claims request asks for in the ID token.
fn contexts(claims: &str) -> Vec<String> {
    let claims: Value = serde_json::from_str(claims).unwrap_or_default();
    let Some(asked) = claims.pointer("/id_token/acrs") else { return Vec::new() };
    let one = asked.get("value").into_iter();
    let many = asked.get("values").and_then(Value::as_array).into_iter().flatten();
    one.chain(many).filter_map(Value::as_str).map(str::to_owned).collect()
}
