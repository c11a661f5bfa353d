//! What an app is told of a person: identity headers and the signed assertion, and no more than its rules mention.

use std::sync::Arc;

use http::HeaderMap;
use quick_cache::sync::Cache;

use super::Gateway;
use super::assertion::{About, AssertionError, Assertions};
use super::headers::{Identity, IdentityHeaders, TooLarge};
use super::visit::Visit;
use crate::authz::decision::Mentions;
use crate::model::app::App;
use crate::model::id::{AppId, DecisionId};
use crate::model::principal::{Principal, PrincipalHash, PrincipalSnapshot};
use crate::model::time::Timestamp;

/// For how long an assertion of 60 seconds is sent again.
const REUSE_SECONDS: i64 = 30;
const CACHED: usize = 10_000;

/// Why an app can't be told who asks.
#[derive(Debug, thiserror::Error)]
pub(super) enum Untold {
    #[error("the assertion could not be made: {0}")]
    Assertion(#[from] AssertionError),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    #[error("the release in force does not know the app")]
    UnknownApp,
}

impl Gateway {
    /// Sets the complete set of identity headers; empty where there is nothing to say.
    pub(super) fn introduce(
        &self,
        visit: Visit<'_>,
        decision: DecisionId,
        headers: &mut HeaderMap,
    ) -> Result<(), Untold> {
        let Some(mentions) = visit.snapshot.mentions(&visit.app.id) else {
            return Err(Untold::UnknownApp);
        };
        let whom = Whom { principal: &visit.caller.principal, app: visit.app, mentions };
        let made = self.introductions.of(whom, visit.exchange.at)?;
        Ok(made.headers().set(headers, decision.to_string())?)
    }
}

/// Whom to introduce, and to what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whom<'a> {
    pub(super) principal: &'a PrincipalSnapshot,
    pub(super) app: &'a Arc<App>,
    /// All that the app needs to know of anybody.
    pub(super) mentions: &'a Arc<Mentions>,
}

/// What an app was told of a principal, and all that it was made from besides the principal.
#[derive(Debug)]
pub(super) struct Introduction {
    app: Arc<App>,
    mentions: Arc<Mentions>,
    at: Timestamp,
    headers: IdentityHeaders,
}

impl Introduction {
    /// What is set on each of their requests.
    pub(super) fn headers(&self) -> &IdentityHeaders {
        &self.headers
    }

    // Who asks is part of the key. The app and its mentions are held from the making on: where the pointers are the same, so is
    // what they lead to.
    fn holds_for(&self, whom: Whom<'_>, now: Timestamp) -> bool {
        let age = now.as_seconds() - self.at.as_seconds();
        Arc::ptr_eq(&self.app, whom.app)
            && Arc::ptr_eq(&self.mentions, whom.mentions)
            && (0..REUSE_SECONDS).contains(&age)
    }
}

/// Makes introductions, and keeps the last of each principal for each app: it is used again as long as its assertion may be.
#[derive(Debug)]
pub struct Introductions {
    assertions: Assertions,
    made: Cache<(PrincipalHash, AppId), Arc<Introduction>>,
}

impl Introductions {
    /// Introductions that these assertions confirm.
    pub fn new(assertions: Assertions) -> Self {
        Self { assertions, made: Cache::new(CACHED) }
    }

    /// The introduction at `now`.
    ///
    /// # Errors
    /// When there is no assertion for it.
    pub(super) fn of(&self, whom: Whom<'_>, now: Timestamp) -> Result<Arc<Introduction>, Untold> {
        let key = (whom.principal.hash(), whom.app.id.clone());
        if let Some(made) = self.made.get(&key)
            && made.holds_for(whom, now)
        {
            return Ok(made);
        }
        let made = Arc::new(self.make(whom, now)?);
        self.made.insert(key, Arc::clone(&made));
        Ok(made)
    }

    fn make(&self, whom: Whom<'_>, now: Timestamp) -> Result<Introduction, Untold> {
        let mut identity =
            Identity { aliases: whom.app.header_aliases.clone(), ..Identity::default() };
        if let Some(about) = about(whom) {
            identity.assertion = self.assertions.sign(&whom.app.id, &about, now)?;
            identity.user_id = about.sub;
            identity.user = about.preferred_username;
            identity.name = about.name;
            identity.email = about.email.unwrap_or_default();
            identity.groups = about.groups;
            identity.roles = about.roles;
        }
        Ok(Introduction {
            app: Arc::clone(whom.app),
            mentions: Arc::clone(whom.mentions),
            at: now,
            headers: IdentityHeaders::new(&identity)?,
        })
    }
}

/// What there is to say of the caller; nothing of nobody.
fn about(Whom { principal, mentions, .. }: Whom<'_>) -> Option<About> {
    match &**principal {
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
