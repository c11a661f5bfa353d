//! Which claim of Entra's tokens means what.
//!
//! The lasting identity is `tid` and `oid`. Names and addresses are for showing: people and administrators can change
//! them. A marker for "more groups than fit" wins over a `groups` claim that is there as well.

use std::collections::BTreeSet;

use serde_json::Value;

use super::error::{IdpError, guid};
use super::jwt::{LEEWAY, Verified};
use crate::model::id::{AppRole, DirectoryRole, GroupId};
use crate::model::principal::{GuestStatus, User};
use crate::model::session::{Identity, StepUp};
use crate::model::time::Timestamp;

/// The groups as far as the token tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenGroups {
    /// All of them.
    All(BTreeSet<GroupId>),
    /// There are more than fit; Graph knows them.
    Overage,
}

/// What the token says of the groups.
///
/// # Errors
/// [`IdpError::GroupNames`] for names, [`IdpError::BadToken`] for claims of another shape.
pub(super) fn groups(token: &Verified) -> Result<TokenGroups, IdpError> {
    if is_overage(token)? {
        return Ok(TokenGroups::Overage);
    }
    let texts = texts(token, "groups")?;
    let ids: Result<_, _> = texts.into_iter().map(str::parse).collect();
    ids.map(TokenGroups::All).map_err(|_| IdpError::GroupNames)
}

/// Whether nothing in the token speaks of groups. So it is for people in none, and for everybody where the registration
/// does not emit the claim.
pub(super) fn is_silent_on_groups(token: &Verified) -> bool {
    token.claim("groups").is_none()
}

fn is_overage(token: &Verified) -> Result<bool, IdpError> {
    let elsewhere = match token.claim("_claim_names") {
        None => false,
        Some(Value::Object(names)) => names.contains_key("groups"),
        Some(_) => return Err(IdpError::BadToken { check: "groups" }),
    };
    let marked = match token.claim("hasgroups") {
        None => false,
        Some(Value::Bool(marked)) => *marked,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        Some(_) => return Err(IdpError::BadToken { check: "groups" }),
    };
    Ok(elsewhere || marked)
}

/// The person whom the token describes, in these `groups`.
///
/// # Errors
/// [`IdpError::BadToken`] for app roles, directory roles or authentication contexts of another shape.
pub(super) fn identity(token: &Verified, groups: BTreeSet<GroupId>) -> Result<Identity, IdpError> {
    let text = |name: &str| token.claims.text(name).map(str::to_owned);
    Ok(Identity {
        user: User {
            subject: token.subject.clone(),
            user_name: text("preferred_username").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            email: text("email").filter(|email| !email.is_empty()),
            guest: guest(token),
            groups,
            roles: roles(token)?,
            directory_roles: directory_roles(token)?,
        },
        auth_contexts: auth_contexts(token)?,
        authenticated_at: authenticated_at(token)?,
        entra_session: text("sid").filter(|sid| !sid.is_empty()),
        login_hint: text("login_hint").filter(|hint| !hint.is_empty()),
    })
}

/// The app roles that the token gives.
///
/// # Errors
/// [`IdpError::BadToken`] for a claim of another shape, [`IdpError::GroupsAsRoles`] for object ids: no app role is called
/// like one, so these are groups, and they are missing where rules look for them.
pub(super) fn roles(token: &Verified) -> Result<BTreeSet<AppRole>, IdpError> {
    let texts = texts(token, "roles")?;
    if texts.iter().any(|text| guid(text).is_some()) {
        return Err(IdpError::GroupsAsRoles);
    }
    let roles: Result<_, _> = texts.into_iter().map(str::parse).collect();
    roles.map_err(|_| IdpError::BadToken { check: "roles" })
}

/// `wids`: template ids of directory roles.
fn directory_roles(token: &Verified) -> Result<BTreeSet<DirectoryRole>, IdpError> {
    let roles: Result<_, _> = texts(token, "wids")?.into_iter().map(str::parse).collect();
    roles.map_err(|_| IdpError::BadToken { check: "wids" })
}

/// `acct` 1, or a home provider that is not this tenant. Members can carry their own tenant as `idp` in the older
/// spelling (`https://sts.windows.net/<tenant>/`).
fn guest(token: &Verified) -> GuestStatus {
    let marked = match token.claim("acct") {
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        Some(Value::String(text)) => text == "1",
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => false,
    };
    let own = |idp: &str| {
        token.claims.text("iss") == Some(idp)
            || idp.split('/').any(|part| part == token.subject.tenant.as_str())
    };
    let foreign = token.claims.text("idp").is_some_and(|idp| !own(idp));
    if marked || foreign { GuestStatus::Guest } else { GuestStatus::Member }
}

/// `auth_time`, in whole seconds (OpenID Connect Core 1.0 section 2).
fn authenticated_at(token: &Verified) -> Result<Option<Timestamp>, IdpError> {
    if token.claim("auth_time").is_none() {
        return Ok(None);
    }
    let seconds = token.claims.seconds("auth_time");
    let seconds = seconds.ok_or(IdpError::BadToken { check: "auth_time" })?;
    Ok(Some(Timestamp::from_seconds(seconds)))
}

/// Whether the person came back with everything that was asked for. Both are claims of a token that passed its checks;
/// what the browser brought along says nothing.
///
/// # Errors
/// [`IdpError::StepUpUnmet`], naming what is missing.
pub(super) fn met(identity: &Identity, asked: &StepUp, now: Timestamp) -> Result<(), IdpError> {
    let unmet = |what| Err(IdpError::StepUpUnmet { what });
    if asked.context.as_ref().is_some_and(|c| !identity.auth_contexts.contains(c.as_str())) {
        return unmet("context");
    }
    let Some(max_age) = asked.max_age else { return Ok(()) };
    // Entra dates to the second, and the way back takes time.
    let limit = max_age.saturating_add(LEEWAY);
    match identity.authenticated_at {
        Some(at) if now.since(at) <= limit && at.since(now) <= LEEWAY => Ok(()),
        Some(_) | None => unmet("max_age"),
    }
}

/// `acrs`: an array, or a lone string.
fn auth_contexts(token: &Verified) -> Result<BTreeSet<String>, IdpError> {
    if let Some(Value::String(one)) = token.claim("acrs") {
        return Ok(BTreeSet::from([one.clone()]));
    }
    Ok(texts(token, "acrs")?.into_iter().map(str::to_owned).collect())
}

/// A claim that is an array of strings; none when it is absent.
fn texts<'a>(token: &'a Verified, name: &'static str) -> Result<Vec<&'a str>, IdpError> {
    let Some(claim) = token.claim(name) else { return Ok(Vec::new()) };
    let texts = claim.as_array().map(|values| values.iter().map(Value::as_str).collect());
    texts.flatten().ok_or(IdpError::BadToken { check: name })
}
