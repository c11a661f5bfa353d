//! Access tokens that callers bring: what they must be beside the checks of every token, and whom they speak of.
//!
//! Entra does not mark access tokens as such (`typ` is `JWT`), and with one registration for pages and API an ID token
//! has the same issuer and audience. They are told apart by claims that Entra puts into one kind only and that no
//! policy of a tenant can add to the other: an access token names its client (`azp`, in v1.0 `appid`) and has `scp` or
//! `idtyp`; an ID token has `nonce`, `at_hash` or none of these. What is neither for certain is refused.
//!
//! Any app of a tenant can get a token without roles for any API of it, and so can, for some time still, apps that have
//! no service principal there (`oid` is absent then). So a service needs an app role and a person the scope.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::entra;
use super::error::{IdpError, guid};
use super::jwt::{Unverified, Verified};
use super::settings::TokenVersion;
use crate::model::id::{AppRole, GroupId};
use crate::model::principal::{Principal, PrincipalSnapshot, Workload};
use crate::model::record::MfaState;
use crate::model::time::Timestamp;

/// More than any header that passes the gate; Entra's tokens stay below 12 KiB.
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// Somebody who came with an access token that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerCaller {
    /// A [`Principal::User`] whom the token acts for, or a [`Principal::Workload`].
    pub principal: Arc<PrincipalSnapshot>,
    /// `acrs`: authentication contexts that the token vouches for.
    pub auth_contexts: BTreeSet<String>,
    /// Whether the MFA context of the settings is among them.
    pub mfa: MfaState,
    /// `auth_time`: when the person last proved who they are, if the token says so.
    pub authenticated_at: Option<Timestamp>,
    /// `exp`: it counts for nothing after this.
    pub expires_at: Timestamp,
    /// When its authentication contexts cease to count; none when it has none that count.
    pub contexts_end: Option<Timestamp>,
}

/// Why an access token opens nothing (RFC 6750 section 3.1). The problem is a fixed ASCII text without quotes that
/// continues "the token …"; nothing of the token is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerRefusal {
    /// `invalid_token`, 401: it is not a sound token for us.
    #[error("the token {problem}")]
    Invalid {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// `insufficient_scope`, 403: it is sound, but gives its holder nothing here.
    #[error("the token {problem}")]
    Insufficient {
        /// What it lacks.
        problem: &'static str,
    },
    /// 503: whether it is sound, or whom it speaks of, can't be found out now. Trying again later may work.
    #[error("the token {problem}")]
    Unsettled {
        /// What could not be found out.
        problem: &'static str,
    },
}

impl BearerRefusal {
    /// What is wrong, continuing "the token …".
    pub fn problem(self) -> &'static str {
        match self {
            Self::Invalid { problem }
            | Self::Insufficient { problem }
            | Self::Unsettled { problem } => problem,
        }
    }
}

impl From<IdpError> for BearerRefusal {
    fn from(error: IdpError) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the others are about Entra, not the token"
        )]
        match error {
            IdpError::BadToken { check } => Self::Invalid { problem: words(check) },
            IdpError::ForeignTenant { .. } => {
                Self::Invalid { problem: "belongs to a tenant that is not allowed here" }
            }
            // Settings at Entra or here: coming again changes nothing.
            IdpError::GroupNames => {
                Self::Insufficient { problem: "names groups instead of giving their object ids" }
            }
            IdpError::GroupsAsRoles => {
                Self::Insufficient { problem: "gives groups as roles (emit_as_roles)" }
            }
            IdpError::TooManyGroups => Self::Insufficient {
                problem: "leaves out the groups of its person, and this gate asks nobody else for them",
            },
            IdpError::GroupsUnavailable { .. } | IdpError::NoPermission { .. } => {
                Self::Unsettled { problem: GROUPS_UNTOLD }
            }
            _ => Self::Unsettled {
                problem: "can't be checked now: the keys of Entra are not at hand",
            },
        }
    }
}

/// Graph had no answer.
pub(super) const GROUPS_UNTOLD: &str =
    "leaves out the groups of its person, and Microsoft Graph did not tell them";

/// A check that failed, as the sentence that goes on after "the token".
pub(super) fn words(check: &str) -> &'static str {
    match check {
        "size" => "is longer than 16 KiB",
        "format" => "is not a signed token in compact form",
        "duplicate" => "has a member twice",
        "algorithm" => "is not signed with RS256",
        "graph" => "is meant for Microsoft Graph",
        "header" => "has a header that points to keys or asks to be read differently",
        "type" => "has another type than JWT",
        "kid" => "is signed with a key that Entra does not publish",
        "key_issuer" => "is signed with a key of another issuer",
        "signature" => "has a signature that does not verify",
        "tenant" => "names no tenant",
        "issuer" => "was not issued by the tenant and cloud that are trusted here",
        "version" => "has a version that is not accepted here",
        "object_id" => "names no object id: its service has no service principal in the tenant",
        "subject" => "names no subject",
        "audience" => "is meant for somebody else",
        "expiry" => "has expired, or does not say when it does",
        "not_before" => "is not valid yet, or does not say since when it is",
        "issued_at" => "was issued at an impossible time, or does not say when",
        "id_token" => "is an ID token; an access token is needed",
        "access_token" => "is an access token; an ID token is needed",
        "nonce" => "is not the answer to this sign-in",
        "authorized_party" => "was issued to another client",
        "access_token_hash" => "does not belong to the access token that came with it",
        "client" => "does not name the client that asked for it",
        "kind" => "speaks for a person and for a service at once",
        "groups" | "roles" | "acrs" | "auth_time" | "wids" => "has a claim of an unexpected shape",
        _ => "failed a check",
    }
}

/// Reads it into parts, without verifying anything.
///
/// # Errors
/// [`IdpError::BadToken`] when it is not a token of Entra's form.
pub(super) fn read(raw: &SecretString) -> Result<Unverified<'_>, IdpError> {
    Unverified::read(raw.expose_secret(), MAX_BYTES)
}

/// For whom a token speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// A person, through some client (`scp`).
    Person,
    /// The client itself (`idtyp` is `app`).
    Service,
}

/// For whom a token that passed the checks of every token speaks, when it gives them anything here.
///
/// # Errors
/// [`BearerRefusal::Invalid`] for what is no access token, [`BearerRefusal::Insufficient`].
pub(super) fn holder(token: &Verified, scope: &str) -> Result<Holder, BearerRefusal> {
    let invalid = |check| Err(BearerRefusal::Invalid { problem: words(check) });
    let lacks = |problem| Err(BearerRefusal::Insufficient { problem });
    let of_id_tokens = ["nonce", "at_hash", "c_hash"];
    if of_id_tokens.into_iter().any(|name| token.claims.mentions(name)) {
        return invalid("id_token");
    }
    if client(token).is_none() {
        return invalid("client");
    }
    let text = |name| token.claims.text(name);
    let named = |name| token.claim(name).is_some();
    match (text("scp"), text("idtyp")) {
        _ if named("scp") && named("idtyp") && text("idtyp") != Some("user") => invalid("kind"),
        (Some(scopes), _) if scopes.split(' ').any(|one| one == scope) => Ok(Holder::Person),
        (Some(_), _) => lacks("does not hold the scope that is needed here"),
        (None, Some("app")) if entra::roles(token)?.is_empty() => {
            lacks("belongs to a service without an app role here")
        }
        (None, Some("app")) => Ok(Holder::Service),
        (None, _) => lacks("says neither `scp` nor that it belongs to a service (`idtyp`)"),
    }
}

/// The client id of whoever asked for the token: `azp` in v2.0 tokens, `appid` in v1.0 ones.
fn client(token: &Verified) -> Option<String> {
    let version = token.claims.text("ver");
    let name = if version == Some(TokenVersion::V1.claim()) { "appid" } else { "azp" };
    guid(token.claims.text(name)?)
}

/// The service that a token belongs to.
///
/// # Errors
/// [`BearerRefusal::Invalid`] for claims of another shape.
pub(super) fn service(token: &Verified) -> Result<BearerCaller, BearerRefusal> {
    let roles: BTreeSet<AppRole> = entra::roles(token)?;
    let client = client(token).ok_or(BearerRefusal::Invalid { problem: words("client") })?;
    let workload = Workload { subject: token.subject.clone(), client, roles };
    Ok(BearerCaller {
        principal: PrincipalSnapshot::new(Principal::Workload(workload)),
        auth_contexts: BTreeSet::new(),
        mfa: MfaState::NotMet,
        authenticated_at: None,
        expires_at: expiry(token),
        contexts_end: None,
    })
}

/// Until when the authentication contexts of a token count: as long after the proof of the person as they do in a
/// session. Without `auth_time` the proof is as old as the token at least, so it counts from `iat`.
pub(super) fn contexts_end(token: &Verified, span: Duration) -> Timestamp {
    let seconds = |name| token.claims.seconds(name);
    let proved = seconds("auth_time").or_else(|| seconds("iat")).unwrap_or(0);
    Timestamp::from_seconds(proved).plus(span)
}

/// The person whom a token acts for, in these `groups`.
///
/// # Errors
/// [`BearerRefusal::Invalid`] for claims of another shape.
pub(super) fn person(
    token: &Verified,
    groups: BTreeSet<GroupId>,
    mfa_context: Option<&str>,
) -> Result<BearerCaller, BearerRefusal> {
    let identity = entra::identity(token, groups)?;
    let mut user = identity.user;
    if user.user_name.is_empty() {
        // As v1.0 tokens call it; for showing, like all names.
        let older = ["upn", "unique_name"].into_iter().find_map(|name| token.claims.text(name));
        older.unwrap_or_default().clone_into(&mut user.user_name);
    }
    let met = mfa_context.is_some_and(|wanted| identity.auth_contexts.contains(wanted));
    Ok(BearerCaller {
        principal: PrincipalSnapshot::new(Principal::User(user)),
        mfa: if met { MfaState::Met } else { MfaState::NotMet },
        auth_contexts: identity.auth_contexts,
        authenticated_at: identity.authenticated_at,
        expires_at: expiry(token),
        contexts_end: None,
    })
}

/// `exp`, which the checks have seen.
fn expiry(token: &Verified) -> Timestamp {
    Timestamp::from_seconds(token.claims.seconds("exp").unwrap_or(0))
}
