//! What an app is told of a person: identity headers and the signed assertion, and no more than its rules mention.

use http::HeaderMap;

use super::Gateway;
use super::assertion::{About, AssertionError};
use super::headers::{self, IdentityHeaders, TooLarge};
use super::visit::Visit;
use crate::authz::decision::Mentions;
use crate::model::id::DecisionId;
use crate::model::principal::Principal;

/// Why an app can't be told who asks.
#[derive(Debug, thiserror::Error)]
pub(super) enum Untold {
    #[error("the assertion could not be made: {0}")]
    Assertion(#[from] AssertionError),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

impl Gateway {
    /// Sets the complete set of identity headers; empty where there is nothing to say.
    pub(super) fn introduce(
        &self,
        visit: Visit<'_>,
        decision: DecisionId,
        headers: &mut HeaderMap,
    ) -> Result<(), Untold> {
        let about = about(visit);
        let assertion = match &about {
            Some(about) => {
                let whose = (visit.caller.principal.hash(), &visit.app.id);
                self.assertions.assertion(whose, about, visit.exchange.at)?.to_string()
            }
            None => String::new(),
        };
        let mut identity = IdentityHeaders {
            decision: decision.to_string(),
            assertion,
            aliases: visit.app.header_aliases.clone(),
            ..IdentityHeaders::default()
        };
        if let Some(about) = about {
            identity.user_id = about.sub;
            identity.user = about.preferred_username;
            identity.name = about.name;
            identity.email = about.email.unwrap_or_default();
            identity.groups = about.groups;
            identity.roles = about.roles;
        }
        Ok(headers::set_identity(headers, &identity)?)
    }
}

/// What there is to say of the caller; nothing of nobody.
fn about(visit: Visit<'_>) -> Option<About> {
    let nothing = Mentions::default();
    let mentions = visit.snapshot.mentions(&visit.app.id).unwrap_or(&nothing);
    match &**visit.caller.principal {
        Principal::User(user) => Some(About {
            sub: user.subject.to_string(),
            name: user.name.clone(),
            preferred_username: user.user_name.clone(),
            email: user.email.clone(),
            groups: user.groups.intersection(&mentions.groups).map(ToString::to_string).collect(),
            roles: user.roles.intersection(&mentions.roles).map(ToString::to_string).collect(),
        }),
        Principal::Workload(workload) => Some(About {
            sub: workload.subject.to_string(),
            name: workload.client.clone(),
            preferred_username: String::new(),
            email: None,
            groups: Vec::new(),
            roles: workload.roles.intersection(&mentions.roles).map(ToString::to_string).collect(),
        }),
        Principal::Anonymous => None,
    }
}
