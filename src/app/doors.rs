//! The doors, each given exactly what it works with.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::front::{Front, Names, nothing_here, wrong_method};
use super::tls;
use crate::audit::Audit;
use crate::authz::console::{ConsoleRole, ConsoleRules, Holder};
use crate::config::{self, AccessTokens, Config, ConsoleMember};
use crate::console::Console;
use crate::console::again::kept::Kept;
use crate::console::changes::trials::Trials;
use crate::console::integrity::checks::{Checks, Means};
use crate::gateway::Gateway;
use crate::gateway::assertion::Assertions;
use crate::gateway::enforce::Enforcer;
use crate::gateway::identity::Introductions;
use crate::gateway::step_up::StepUps;
use crate::gateway::upstream::Upstream;
use crate::groups::{Groups, Refresher};
use crate::idp::{ApiSettings, EntraSettings, Idp, TokenVersion};
use crate::keys::Keys;
use crate::live::Live;
use crate::login::{Login, Rounds};
use crate::model::id::AuthContext;
use crate::model::id::GroupId;
use crate::model::time::{Clock, Timestamp};
use crate::portal::Portal;
use crate::publishing::Publishing;
use crate::session::{Counted, Directory, Parts, SessionLimits, Sessions};
use crate::store::Store;
use crate::store::audit::AuditReader;
use crate::store::audit::search::Searcher;
use crate::telemetry::Metrics;
use crate::web::doorkeeper::Doorkeeper;
use crate::web::flood::{Flood, Limit};
use crate::web::house::House;
use crate::web::refuser::Refuser;

/// Refusals that a source may cause before it is turned away: generous for a page whose many scripts find the session
/// ended at once, and nothing for a scanner.
const REFUSALS: Limit = Limit { per_second: 20, burst: 300 };
/// Sessions that one person may have at once; the oldest end.
const SESSIONS_PER_PERSON: u32 = 20;

/// What the doors stand on.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) config: &'a Config,
    pub(super) clock: Clock,
    pub(super) keys: Keys,
    pub(super) idp: Idp,
    pub(super) store: Store,
    pub(super) publishing: Publishing,
    pub(super) audit: Audit,
    pub(super) reader: AuditReader,
    pub(super) searcher: Searcher,
    pub(super) live: Live,
    pub(super) groups: Groups,
    pub(super) metrics: Metrics,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    pub(super) certificate_ends: Option<Timestamp>,
}

/// The front door, and what has to be looked after beside it.
pub(super) fn build(ground: &Ground<'_>) -> Result<(Front, Arc<Sessions>, Refuser)> {
    let Ground { config, clock, audit, live, metrics, .. } = ground;
    let idp = ground.idp.clone();
    let sessions = sessions(ground, &idp);
    let flood = Arc::new(Flood::new(REFUSALS));
    let house = House { public: config.public_url.clone(), contact: config.contact.clone() };
    let refuser = Refuser::new(audit.clone(), flood, metrics.clone(), house);
    let assertions = Assertions::new(config.public_url.to_string(), &ground.keys.assertion)?;
    let login = Arc::new(login(
        ground,
        Parties {
            idp: idp.clone(),
            sessions: &sessions,
            refuser: &refuser,
            assertions: &assertions,
        },
    )?);
    let own = own(ground, &sessions, &refuser)?;
    let gateway = Gateway {
        sessions: Arc::clone(&sessions),
        idp,
        enforcer: Enforcer::new(audit.clone(), metrics.clone()),
        step_ups: StepUps { mfa: mfa_context(config)? },
        refuser: refuser.clone(),
        audit: audit.clone(),
        introductions: Introductions::new(assertions),
        upstream: Upstream::new(ground.tasks.clone(), ground.stop.clone())?,
        open: Arc::default(),
        metrics: metrics.clone(),
    };
    let front = Front {
        live: live.clone(),
        gateway,
        own: ours(own.merge(login.on_public()), &refuser),
        on_apps: ours(login.on_apps(), &refuser),
        refuser: refuser.clone(),
        public: config.public_url.clone(),
        trusted: config.trusted_proxies.clone(),
        clock: clock.clone(),
        names: Names::new(random()?),
    };
    Ok((front, sessions, refuser))
}

/// Pages of ours, with answers for addresses and methods that none of them has.
fn ours(pages: Router, refuser: &Refuser) -> Router {
    let (lost, refuser) = (refuser.clone(), refuser.clone());
    pages
        .fallback(move |exchange| nothing_here(lost.clone(), exchange))
        .method_not_allowed_fallback(move |exchange| wrong_method(refuser.clone(), exchange))
}

fn random() -> Result<[u8; 5]> {
    let mut bytes = [0; 5];
    getrandom::fill(&mut bytes).context("the operating system gave no randomness")?;
    Ok(bytes)
}

/// How Entra is reached under these settings.
///
/// # Errors
/// When `entra.ca_file` names a file that can't be used.
pub fn entra(config: &Config) -> Result<EntraSettings> {
    Ok(EntraSettings {
        authority: config.entra.authority.clone(),
        cloud: config.entra.cloud,
        tenant: config.entra.tenant.clone(),
        client_id: config.entra.client_id.clone(),
        credential: config.entra.credential.clone(),
        second: config.entra.second.clone(),
        redirect_uri: config.public_url.url("/_gate/callback"),
        post_logout_uri: config.public_url.url("/_gate/signed-out"),
        allowed_tenants: config.entra.allowed_tenants.iter().cloned().collect(),
        groups: config.entra.groups,
        graph_origin: None,
        api: config.entra.api.as_ref().map(|own| api(own, config)),
        authorities: tls::authorities(config.entra.ca_file.as_deref())?,
    })
}

fn api(api: &config::Api, config: &Config) -> ApiSettings {
    ApiSettings {
        audience: api.audience.clone(),
        version: match api.access_tokens {
            AccessTokens::V1 => TokenVersion::V1,
            AccessTokens::V2 => TokenVersion::V2,
        },
        scope: api.scope.clone(),
        mfa_context: config.entra.mfa_context.clone(),
        step_up: config.session.step_up,
    }
}

fn sessions(ground: &Ground<'_>, idp: &Idp) -> Arc<Sessions> {
    let config = ground.config;
    let counted = Counted { idp: idp.clone(), metrics: ground.metrics.clone() };
    let directory: Arc<dyn Directory> = Arc::new(counted);
    Sessions::new(Parts {
        store: ground.store.clone(),
        directory: Some(directory),
        ledger: Arc::new(ground.audit.clone()),
        clock: ground.clock.clone(),
        limits: SessionLimits {
            idle: config.session.idle,
            absolute: config.session.absolute,
            recheck: config.session.recheck,
            step_up: config.session.step_up,
            per_person: SESSIONS_PER_PERSON,
        },
        token_key: ground.keys.token.clone(),
        mfa_context: config.entra.mfa_context.clone(),
        tasks: ground.tasks.clone(),
    })
}

/// What several doors share.
struct Parties<'a> {
    idp: Idp,
    sessions: &'a Arc<Sessions>,
    refuser: &'a Refuser,
    assertions: &'a Assertions,
}

fn login(ground: &Ground<'_>, parties: Parties<'_>) -> Result<Login> {
    Ok(Login {
        idp: parties.idp,
        sessions: Arc::clone(parties.sessions),
        store: ground.store.clone(),
        audit: ground.audit.clone(),
        refuser: parties.refuser.clone(),
        live: ground.live.clone(),
        public: ground.config.public_url.clone(),
        jwks: parties.assertions.jwks().to_owned(),
        metrics: ground.metrics.clone(),
        clock: ground.clock.clone(),
        rounds: Rounds::default(),
        mfa: mfa_context(ground.config)?,
        contact: ground.config.contact.clone(),
    })
}

/// The authentication context that stands for a second factor.
fn mfa_context(config: &Config) -> Result<Option<AuthContext>> {
    let context = config.entra.mfa_context.as_deref().map(str::parse).transpose();
    context.context("entra.mfa_context is no authentication context")
}

/// The console and the portal.
fn own(ground: &Ground<'_>, sessions: &Arc<Sessions>, refuser: &Refuser) -> Result<Router> {
    let rules = Arc::new(ConsoleRules::new(holders(ground.config))?);
    let doorkeeper = Doorkeeper {
        live: ground.live.clone(),
        audit: ground.audit.clone(),
        sessions: Arc::clone(sessions),
        refuser: refuser.clone(),
        public: ground.config.public_url.clone(),
        metrics: ground.metrics.clone(),
    };
    let console = Console {
        doorkeeper: doorkeeper.clone(),
        rules: Arc::clone(&rules),
        store: ground.store.clone(),
        publishing: ground.publishing.clone(),
        reader: ground.reader.clone(),
        searcher: ground.searcher.clone(),
        stop: ground.stop.clone(),
        kept: Kept::default(),
        trials: Trials::new(ground.tasks.clone(), ground.stop.clone()),
        checks: checks(ground),
        groups: ground.groups.clone(),
        entra: Arc::new(ground.idp.clone()),
        certificate_ends: ground.certificate_ends,
        settings: ground.config.in_force().into(),
        clock: ground.clock.clone(),
    };
    let portal = Portal {
        doorkeeper,
        rules,
        groups: ground.groups.clone(),
        contact: ground.config.contact.clone(),
    };
    Ok(console.router().merge(portal.router()))
}

/// What checks the log when somebody asks for it.
fn checks(ground: &Ground<'_>) -> Checks {
    let means = Means {
        file: ground.reader.file(),
        rules: ground.store.file(),
        places: super::places(ground.config),
        audit: ground.audit.clone(),
        clock: ground.clock.clone(),
    };
    Checks::new(means, ground.tasks.clone(), ground.stop.clone())
}

fn holders(config: &Config) -> Vec<(ConsoleRole, Holder)> {
    let console = &config.console;
    let lists = [
        (ConsoleRole::Viewer, &console.viewers),
        (ConsoleRole::Editor, &console.editors),
        (ConsoleRole::Publisher, &console.publishers),
        (ConsoleRole::Auditor, &console.auditors),
        (ConsoleRole::Owner, &console.owners),
    ];
    let named = lists
        .into_iter()
        .flat_map(|(role, members)| members.iter().map(move |member| (role, member)));
    named.map(|(role, member)| (role, holder(member))).collect()
}

fn holder(member: &ConsoleMember) -> Holder {
    match member {
        ConsoleMember::Group(id) => Holder::Group(id.clone()),
        ConsoleMember::Role(value) => Holder::Role(value.clone()),
        ConsoleMember::User(subject) => Holder::Person(subject.clone()),
    }
}

/// What asks Entra for the names of groups.
pub(super) fn refresher(ground: &Ground<'_>) -> Refresher {
    Refresher {
        groups: ground.groups.clone(),
        store: ground.store.clone(),
        live: ground.live.clone(),
        source: Arc::new(ground.idp.clone()),
        audit: ground.audit.clone(),
        clock: ground.clock.clone(),
        named_in_settings: named_groups(ground.config),
    }
}

/// Groups to whose members the settings give a part in the console.
fn named_groups(config: &Config) -> BTreeSet<GroupId> {
    let of = |(_, holder): (ConsoleRole, Holder)| match holder {
        Holder::Group(id) => Some(id),
        Holder::Role(_) | Holder::Person(_) => None,
    };
    holders(config).into_iter().filter_map(of).collect()
}
