//! Principals, routes and circumstances as Cedar values.
//!
//! Everything typed is parsed before Cedar sees it: an address that can't be read denies here instead of making a
//! policy fail there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::str::FromStr;

use cedar_policy::{Context, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};

use super::decision::Question;
use super::grants::cedar_datetime;
use super::reads::{Part, Parts};
use crate::model::civil::{LocalTime, Zone};
use crate::model::id::{AppId, GrantId, PolicyId, RouteId};
use crate::model::principal::{GuestStatus, Principal, User, Workload};
use crate::model::record::{ClientAddress, MfaState, RuleId};
use crate::model::route::Route;

/// Cedar's names for our kinds of things, parsed once.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    user: EntityTypeName,
    workload: EntityTypeName,
    anonymous: EntityTypeName,
    group: EntityTypeName,
    app_role: EntityTypeName,
    app: EntityTypeName,
    route: EntityTypeName,
    action: EntityTypeName,
}

/// Something that Cedar would not take. While deciding, each of these is a deny.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);

fn unusable(error: impl std::fmt::Display) -> Unusable {
    Unusable(error.to_string())
}

impl Vocabulary {
    /// Parses the names.
    ///
    /// # Errors
    /// When one is not a Cedar type name, which would be a fault of ours.
    pub fn new() -> Result<Self, Unusable> {
        let name = |text: &str| text.parse::<EntityTypeName>().map_err(unusable);
        Ok(Self {
            user: name("User")?,
            workload: name("Workload")?,
            anonymous: name("Anonymous")?,
            group: name("Group")?,
            app_role: name("AppRole")?,
            app: name("App")?,
            route: name("Route")?,
            action: name("Action")?,
        })
    }

    fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
    }

    /// `Action::"GET"` and the like.
    pub fn action(&self, name: &str) -> EntityUid {
        Self::uid(&self.action, name)
    }

    /// `Route::"<app>/<route>"`.
    pub fn route(&self, id: &RouteId) -> EntityUid {
        Self::uid(&self.route, id.as_str())
    }

    fn app(&self, id: &AppId) -> EntityUid {
        Self::uid(&self.app, id.as_str())
    }

    /// The entity of a principal with its groups and roles as parents.
    ///
    /// # Errors
    /// When Cedar refuses an attribute.
    pub fn principal(&self, principal: &Principal) -> Result<Entity, Unusable> {
        match principal {
            Principal::User(user) => self.user(user),
            Principal::Workload(workload) => self.workload(workload),
            Principal::Anonymous => {
                Ok(Entity::new_no_attrs(Self::uid(&self.anonymous, "anonymous"), HashSet::new()))
            }
        }
    }

    fn user(&self, user: &User) -> Result<Entity, Unusable> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let directory_roles = user.directory_roles.iter().map(|role| text(role.as_str()));
        let mut attributes = HashMap::from([
            ("object_id".to_owned(), text(user.subject.object.as_str())),
            ("name".to_owned(), text(&user.name)),
            ("user_name".to_owned(), text(&user.user_name)),
            ("tenant".to_owned(), text(user.subject.tenant.as_str())),
            ("guest".to_owned(), RestrictedExpression::new_bool(user.guest == GuestStatus::Guest)),
            ("directory_roles".to_owned(), RestrictedExpression::new_set(directory_roles)),
        ]);
        if let Some(email) = &user.email {
            attributes.insert("email".to_owned(), text(email));
        }
        let groups = user.groups.iter().map(|id| Self::uid(&self.group, id.as_str()));
        let roles = user.roles.iter().map(|value| Self::uid(&self.app_role, value.as_str()));
        let uid = Self::uid(&self.user, &user.subject.to_string());
        Entity::new(uid, attributes, groups.chain(roles).collect()).map_err(unusable)
    }

    fn workload(&self, workload: &Workload) -> Result<Entity, Unusable> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let attributes = HashMap::from([
            ("object_id".to_owned(), text(workload.subject.object.as_str())),
            ("client".to_owned(), text(&workload.client)),
            ("tenant".to_owned(), text(workload.subject.tenant.as_str())),
        ]);
        let roles = workload.roles.iter().map(|value| Self::uid(&self.app_role, value.as_str()));
        let uid = Self::uid(&self.workload, &workload.subject.to_string());
        Entity::new(uid, attributes, roles.collect()).map_err(unusable)
    }

    /// The entity of a route; `wider` are all routes of the app that contain it.
    ///
    /// # Errors
    /// When Cedar refuses an attribute.
    pub fn route_entity(&self, route: &Route, wider: &[&RouteId]) -> Result<Entity, Unusable> {
        let app = self.app(route.id.app());
        let labels =
            route.labels.iter().map(|label| RestrictedExpression::new_string(label.clone()));
        let attributes = HashMap::from([
            ("app".to_owned(), RestrictedExpression::new_entity_uid(app.clone())),
            ("labels".to_owned(), RestrictedExpression::new_set(labels)),
        ]);
        let parents = wider.iter().map(|id| self.route(id)).chain([app]);
        Entity::new(self.route(&route.id), attributes, parents.collect()).map_err(unusable)
    }
}

/// The client's address.
///
/// # Errors
/// When it is unknown: nothing may be decided then.
pub(super) fn address(question: &Question<'_>) -> Result<IpAddr, Unusable> {
    match question.client {
        ClientAddress::Known(ip) => Ok(ip),
        ClientAddress::Unknown => Err(Unusable("the client's address is unknown".to_owned())),
    }
}

/// The context of nothing but the client's address.
///
/// # Errors
/// When Cedar refuses it, which would be a fault of ours.
pub(super) fn address_context(ip: IpAddr) -> Result<Context, Unusable> {
    let value = RestrictedExpression::new_ip(ip.to_string());
    Context::from_pairs([(Part::Ip.as_str().to_owned(), value)]).map_err(unusable)
}

/// The Cedar context of a question, as far as policies look at it: some parts cost more than a decision.
///
/// # Errors
/// When the client's address is unknown, or Cedar refuses a value.
pub(super) fn context(question: &Question<'_>, parts: Parts) -> Result<Context, Unusable> {
    if parts == Parts::NONE {
        return Ok(Context::empty());
    }
    let mut pairs = Vec::with_capacity(Part::ALL.len());
    for part in Part::ALL.into_iter().filter(|part| parts.has(*part)) {
        let value = value(question, part)?;
        pairs.extend(value.map(|value| (part.as_str().to_owned(), value)));
    }
    Context::from_pairs(pairs).map_err(unusable)
}

/// None for what is not there: nobody signed in has no time of signing in.
fn value(question: &Question<'_>, part: Part) -> Result<Option<RestrictedExpression>, Unusable> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let at = |at| RestrictedExpression::new_datetime(cedar_datetime(at));
    let circumstances = question.circumstances;
    Ok(Some(match part {
        Part::Ip => RestrictedExpression::new_ip(address(question)?.to_string()),
        Part::Now => at(circumstances.now),
        Part::Local => clocks(&circumstances.local)?,
        Part::Method => text(question.method.as_str()),
        Part::Path => text(question.path),
        Part::Host => text(question.host.as_str()),
        Part::Mfa => RestrictedExpression::new_bool(circumstances.mfa == MfaState::Met),
        Part::AuthContexts => {
            let names = circumstances.auth_contexts.iter().map(|name| text(name));
            RestrictedExpression::new_set(names)
        }
        Part::Params => {
            let params = circumstances.params.iter();
            let params = params.map(|(name, value)| (name.clone(), text(value)));
            RestrictedExpression::new_record(params).map_err(unusable)?
        }
        Part::SignedInAt => return Ok(circumstances.signed_in_at.map(at)),
    }))
}

fn clocks(local: &BTreeMap<Zone, LocalTime>) -> Result<RestrictedExpression, Unusable> {
    let clocks = local.iter().map(|(zone, time)| Ok((zone.to_string(), clock(*time)?)));
    RestrictedExpression::new_record(clocks.collect::<Result<Vec<_>, Unusable>>()?)
        .map_err(unusable)
}

fn clock(LocalTime { weekday, minute }: LocalTime) -> Result<RestrictedExpression, Unusable> {
    let number = RestrictedExpression::new_long;
    let parts = [("weekday", number(weekday.number())), ("minute", number(minute))];
    let parts = parts.map(|(name, value)| (name.to_owned(), value));
    RestrictedExpression::new_record(parts).map_err(unusable)
}

/// Our id of a compiled policy.
pub(super) fn rule_id(id: &cedar_policy::PolicyId) -> Option<RuleId> {
    let text: &str = id.as_ref();
    let (kind, name) = text.split_once(':')?;
    match kind {
        "grant" => GrantId::from_str(name).ok().map(RuleId::Grant),
        "policy" => PolicyId::from_str(name).ok().map(RuleId::Policy),
        _ => None,
    }
}
