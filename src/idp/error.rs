//! What can go wrong between us and Entra: one variant per situation that a person or an operator can act on.
//!
//! Nothing that came from a browser or a token is ever part of a message, but for error codes from a fixed list,
//! numbers, and ids of the right shape. Error codes are those of RFC 6749 sections 4.1.2.1 and 5.2 and OpenID Connect
//! Core 1.0 section 3.1.2.6; the AADSTS number is for messages, never for deciding.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::credential_problem::{CredentialProblem, Which};
use crate::model::id::{RequestId, TenantId};

/// Why a person could not be signed in, checked again or sent away.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IdpError {
    /// The settings can't work. For the operator.
    #[error("can't use the Entra setting `{setting}`: {problem}")]
    Settings {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// The metadata or the keys of the provider are not what they must be. For the operator.
    #[error("can't trust the provider metadata at `{url}`: {problem}")]
    Discovery {
        /// Where it was fetched; made of settings only.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The provider can't be reached, is overloaded or broken. Trying again later may work.
    #[error("can't reach the {endpoint} of the identity provider at `{at}` (request `{request}`)")]
    Unavailable {
        /// Which endpoint.
        endpoint: &'static str,
        /// The origin that was asked; made of settings and of metadata that passed its checks.
        at: String,
        /// Our `client-request-id`, under which the provider may find the request.
        request: RequestId,
        /// How it failed.
        #[source]
        cause: HttpError,
    },
    /// So many people are signing in that nobody else is let in for the moment.
    #[error("too many people are signing in at once")]
    Busy,
    /// The person declined or cancelled. Offer to try again; never do so unasked.
    #[error("the sign-in was cancelled or declined ({0})")]
    Cancelled(Refusal),
    /// The person has to act at the provider again (sign in, consent, prove more).
    #[error("the identity provider wants the person to act again ({0})")]
    InteractionNeeded(Refusal),
    /// The code is spent, expired or not ours. A new sign-in helps.
    #[error("the identity provider did not accept the code of this sign-in ({0})")]
    CodeRefused(Refusal),
    /// The provider does not accept our secret. For the operator, at once: nobody can sign in.
    #[error("the identity provider does not accept our client credentials ({0})")]
    ClientRefused(Refusal),
    /// What we prove ourselves with can't be used: its files are missing, broken or too old. For the operator, at once.
    #[error("the credential in `[{}]` can't be used: {problem}", which.table())]
    Credential {
        /// Which one.
        which: Which,
        /// What is wrong with it, and with which file.
        problem: CredentialProblem,
    },
    /// A policy at the provider keeps the person out, such as one of Conditional Access.
    #[error("the identity provider does not let the person in ({0})")]
    Denied(Refusal),
    /// The provider says that it is overloaded. Trying again later may work.
    #[error("the identity provider asks to try again later ({0})")]
    Overloaded(Refusal),
    /// Any other refusal: mostly a fault in the registration. For the operator.
    #[error("the identity provider refused the request ({0})")]
    Refused(Refusal),
    /// The ID token failed a check.
    #[error("the ID token failed the check `{check}`")]
    BadToken {
        /// Which one, in a fixed word such as `nonce` or `audience`.
        check: &'static str,
    },
    /// The person came back without what was asked for: they stopped half-way, or nothing at Entra asks it of them.
    #[error("the sign-in did not bring what was asked for: {what}")]
    StepUpUnmet {
        /// What is missing: `context`, or `max_age`.
        what: &'static str,
    },
    /// The person belongs to a tenant that is not allowed.
    #[error("people of tenant `{tenant}` are not allowed to sign in")]
    ForeignTenant {
        /// The tenant of the token.
        tenant: TenantId,
    },
    /// The person is in more groups than fit into a token, and Microsoft Graph did not tell which.
    #[error("can't read the person's groups from Microsoft Graph: {reason}")]
    GroupsUnavailable {
        /// What happened, in fixed words, with the HTTP status where there was one.
        reason: String,
    },
    /// The person is in more groups than fit into a token, and the settings say to ask nobody else. For the operator.
    #[error(
        "the person is in more groups than fit into a token; set `entra.groups` to `graph_on_overage`"
    )]
    TooManyGroups,
    /// The `groups` claim holds names. For the operator: only object ids can't be taken by somebody else.
    #[error(
        "the `groups` claim holds names; set it to emit object ids (Group ID) in the registration"
    )]
    GroupNames,
    /// Microsoft Graph does not let our registration read this. For the operator, where it is wanted at all.
    #[error(
        "Microsoft Graph does not let us read {what}; it needs the application permission `{permission}`"
    )]
    NoPermission {
        /// What was asked for.
        what: &'static str,
        /// What an admin would have to grant.
        permission: &'static str,
    },
    /// The `roles` claim holds object ids. For the operator: groups that come as roles (`emit_as_roles`) are missing
    /// where rules look for groups, and one that is called like an app role would be taken for it.
    #[error(
        "the `roles` claim holds object ids: the registration emits groups as roles (`emit_as_roles`); let it emit them as `groups` instead"
    )]
    GroupsAsRoles,
    /// The operating system gave no random bytes.
    #[error("can't get random bytes from the operating system")]
    Randomness,
}

impl IdpError {
    /// Reads the error that the provider put into the callback URL. The texts come from whoever made that URL: only a
    /// known `error` and the numbers and ids inside `error_description` are kept.
    pub fn from_callback(error: &str, description: Option<&str>) -> Self {
        let refusal = Refusal::read(error, description);
        match refusal.error {
            "access_denied" if refusal.is_of_will() => Self::Cancelled(refusal),
            "access_denied" => Self::Denied(refusal),
            "login_required" | "interaction_required" | "consent_required" => {
                Self::InteractionNeeded(refusal)
            }
            "temporarily_unavailable" | "server_error" => Self::Overloaded(refusal),
            _ => Self::Refused(refusal),
        }
    }

    /// Reads the error that the token endpoint answered a code with.
    pub(super) fn from_token_endpoint(refusal: Refusal) -> Self {
        if refusal.is_of_credential() {
            return Self::ClientRefused(refusal);
        }
        if refusal.is_passing() {
            return Self::Overloaded(refusal);
        }
        match refusal.error {
            // The code is spent; but with a claims request Entra says what would make the next one good.
            "invalid_grant" if refusal.claims.is_some() => Self::InteractionNeeded(refusal),
            "invalid_grant" => Self::CodeRefused(refusal),
            "unauthorized_client" => Self::ClientRefused(refusal),
            "interaction_required" | "login_required" | "consent_required" => {
                Self::InteractionNeeded(refusal)
            }
            "temporarily_unavailable" | "server_error" => Self::Overloaded(refusal),
            _ => Self::Refused(refusal),
        }
    }
}

/// What the provider said when it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The OAuth error code, or `other` for one that is not known.
    pub error: &'static str,
    /// The number of the AADSTS code.
    pub aadsts: Option<u32>,
    /// Entra's id for the request, for its support.
    pub correlation_id: Option<String>,
    /// What Entra wants to be asked for the next time. Only the token endpoint's word for it is taken.
    pub claims: Option<ClaimsRequest>,
}

/// A claims request that Entra wrote (OpenID Connect Core 1.0 section 5.5): to be passed on as it is, and never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsRequest(Map<String, Value>);

/// Longer ones would make an address that Entra itself refuses (AADSTS90015).
const LONGEST_CLAIMS: usize = 2048;

impl ClaimsRequest {
    /// Reads the JSON object that an error body carries as text; none for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST_CLAIMS {
            return None;
        }
        serde_json::from_str(text).ok().map(Self)
    }

    /// The request of its own that a step-up makes, and this one besides.
    pub(super) fn with(&self, own: Option<&Value>) -> String {
        let mut all = self.0.clone();
        let own = own.and_then(Value::as_object).into_iter().flatten();
        for (part, claims) in own {
            let place = all.entry(part.clone()).or_insert_with(|| Value::Object(Map::new()));
            match (place.as_object_mut(), claims.as_object()) {
                (Some(place), Some(claims)) => place.extend(claims.clone()),
                (None, _) | (_, None) => *place = claims.clone(),
            }
        }
        Value::Object(all).to_string()
    }
}

/// The body of an error: RFC 6749 section 5.2 with Entra's additions. Prints codes and ids only.
#[derive(Deserialize, Serialize)]
pub(super) struct EntraError {
    error: String,
    #[serde(default, deserialize_with = "text_if_any")]
    error_description: Option<String>,
    #[serde(default, deserialize_with = "numbers_if_any")]
    error_codes: Vec<u32>,
    #[serde(default, deserialize_with = "text_if_any")]
    correlation_id: Option<String>,
    #[serde(default, deserialize_with = "text_if_any")]
    claims: Option<String>,
}

/// A member besides `error` that is not as it should be tells nothing; the refusal itself stands.
fn text_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Value::deserialize(from)?.as_str().map(str::to_owned))
}

fn numbers_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u32>, D::Error> {
    let named = Value::deserialize(from)?;
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    Ok(named.as_array().into_iter().flatten().filter_map(number).collect())
}

impl EntraError {
    /// Reads a body; none when it is not such an error.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// What of it may stand in a message.
    pub(super) fn refusal(&self) -> Refusal {
        let read = Refusal::read(&self.error, self.error_description.as_deref());
        let named = self.correlation_id.as_deref().and_then(guid);
        Refusal {
            // Of two, the last is the cause: `[70002, 54005]` is a code that was redeemed before.
            aadsts: self.error_codes.last().copied().or(read.aadsts),
            claims: self.claims.as_deref().and_then(ClaimsRequest::read),
            correlation_id: named.or(read.correlation_id),
            ..read
        }
    }
}

impl fmt::Debug for EntraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for EntraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.refusal(), f)
    }
}

/// Codes that may stand in a message. Whatever else arrives becomes `other`.
const KNOWN: [&str; 15] = [
    "access_denied",
    "consent_required",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_resource",
    "invalid_scope",
    "invalid_tenant",
    "login_required",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
];

/// The person declined to consent.
const DECLINED: u32 = 65_004;

/// Numbers that say that a secret or an assertion of ours is not taken. A federated token that no entry of the
/// registration matches comes under another OAuth code.
const OF_CREDENTIALS: [u32; 11] = [
    50_012, 70_002, 70_021, 700_024, 700_027, 700_030, 700_211, 700_212, 700_213, 7_000_215,
    7_000_222,
];

/// Numbers that say that something at Entra's side fails for a while, or that it is asked too often. Some of them come
/// with `invalid_grant`, though they say nothing of the person.
const PASSING: [u32; 9] = [40_010, 50_033, 50_196, 90_006, 90_012, 90_024, 90_033, 90_055, 90_090];

impl Refusal {
    /// Whether it is our credential that is refused. The code or refresh token is not spent then.
    pub(super) fn is_of_credential(&self) -> bool {
        let numbered = self.aadsts.is_some_and(|number| OF_CREDENTIALS.contains(&number));
        self.error == "invalid_client" || (numbered && self.error != "invalid_grant")
    }

    /// Whether `access_denied` means that the person did not want to: so it does without a number, and with AADSTS65004.
    fn is_of_will(&self) -> bool {
        self.aadsts.is_none_or(|number| number == DECLINED)
    }

    /// Whether the same request may well succeed a little later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.error, "temporarily_unavailable" | "server_error")
            || self.aadsts.is_some_and(|number| PASSING.contains(&number))
    }

    /// Whether the person of a refresh token is out: disabled, revoked, unassigned, or asked to act again. RFC 6749
    /// section 5.2; the number only tells what is not meant so.
    pub(super) fn is_of_person(&self) -> bool {
        let refused = matches!(
            self.error,
            "invalid_grant"
                | "interaction_required"
                | "consent_required"
                | "login_required"
                | "access_denied"
        );
        refused && !self.is_of_credential() && !self.is_passing()
    }

    /// Reads a code and a description such as `AADSTS50105: … Correlation ID: <guid> …`.
    pub(super) fn read(error: &str, description: Option<&str>) -> Self {
        let error = KNOWN.into_iter().find(|known| *known == error).unwrap_or("other");
        let text = description.unwrap_or("");
        Self { error, aadsts: aadsts(text), correlation_id: correlation_id(text), claims: None }
    }

    /// `AADSTS50105`, or the OAuth code when there is no number.
    pub fn code(&self) -> String {
        self.aadsts.map_or_else(|| self.error.to_owned(), |number| format!("AADSTS{number}"))
    }
}

/// `invalid_grant`, `AADSTS70008`, correlation `…`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.error)?;
        self.aadsts.iter().try_for_each(|number| write!(f, ", `AADSTS{number}`"))?;
        self.correlation_id.iter().try_for_each(|id| write!(f, ", correlation `{id}`"))
    }
}

fn aadsts(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(9).collect();
    digits.parse().ok()
}

fn correlation_id(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Correlation ID: ")?;
    guid(&rest.chars().take(36).collect::<String>())
}

/// `text` when it is a GUID, in lower case.
pub(super) fn guid(text: &str) -> Option<String> {
    text.parse::<crate::model::id::ObjectId>().ok().map(|id| id.as_str().to_owned())
}

/// Why an exchange with the provider gave no usable answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HttpError {
    /// No answer within the limit.
    #[error("no answer within {} s", limit.as_secs())]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// The connection failed: name, network or certificate.
    #[error("the connection failed")]
    Connection(#[source] Arc<hyper_util::client::legacy::Error>),
    /// The answer broke off.
    #[error("the answer broke off")]
    Body,
    /// The answer is longer than allowed.
    #[error("the answer is longer than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// The answer is compressed though nothing asked for it.
    #[error("the answer is compressed, which was not asked for")]
    Encoded,
    /// The answer has a status that is of no use: an error of the server, a redirect.
    #[error("the answer has status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// The answer is not the JSON it should be.
    #[error("the answer is not the JSON that it should be")]
    Unreadable,
    /// The request could not be made.
    #[error("the request could not be made")]
    Request,
}

/// `error` and all its causes in one line: the outermost often says no more than that something failed.
pub fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
