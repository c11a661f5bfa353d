//! What a demo starts with: ordinary settings, the rule book of `policies/demo`, and the people of Contoso.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Places;
use crate::app::terms;
use crate::authz::compile::compile;
use crate::config::Config;
use crate::model::app::Upstream;
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;
use crate::rule_files;
use crate::sim::{Audience, Panel, Registration, SimSettings, people};
use crate::store::{Publication, Store};

/// The app's id in the demo's rule book.
pub(super) const APP: &str = "intranet";
/// The authentication context that stands for MFA in the demo.
const MFA_CONTEXT: &str = "c1";

/// A new client secret for this run.
pub(super) fn secret() -> Result<SecretString> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the operating system gave no randomness")?;
    Ok(format!("demo~{}", URL_SAFE_NO_PAD.encode(bytes)).into())
}

/// Both tenants: Contoso, in which the gate is registered, and Fabrikam.
pub(super) fn simulator(
    places: &Places,
    secret: SecretString,
    redirects: &[Url],
) -> Result<SimSettings> {
    let people = people::contoso().into_iter().chain(people::fabrikam()).collect();
    Ok(SimSettings {
        origin: places.simulator().parse()?,
        tenant: people::TENANT.parse()?,
        clients: vec![gate(places, secret), nightly_job(), own_app(redirects)],
        people,
        bound_contexts: BTreeSet::from([MFA_CONTEXT.to_owned()]),
        panel: Panel::Shown,
    })
}

/// The gate: a client, and an API with a role for workloads.
fn gate(places: &Places, secret: SecretString) -> Registration {
    let gate = places.gate();
    let registration = Registration::new(people::CLIENT, "Cedargate demo")
        .with_secret(secret)
        .with_redirect(format!("{gate}/_gate/callback"))
        .with_logout(format!("{gate}/_gate/signed-out"))
        .declaring(people::REPORTS_READ)
        .declaring(people::JOBS_RUN)
        .with_graph("GroupMember.Read.All")
        .with_graph("Policy.Read.All");
    let frontchannel_logout = Some(format!("{gate}/_gate/frontchannel-logout"));
    Registration { audience: Audience::MyOrg, frontchannel_logout, ..registration }
}

/// The workload, which holds a role of the gate.
fn nightly_job() -> Registration {
    let registration = Registration::new(people::NIGHTLY_JOB, "nightly-job")
        .with_secret(people::NIGHTLY_JOB_SECRET)
        .holding(people::CLIENT, people::JOBS_RUN);
    Registration { audience: Audience::MyOrg, ..registration }
}

/// Where Microsoft's samples come back to; the port of `localhost` does not count.
const SAMPLE_REDIRECT: &str = "http://localhost/getAToken";

/// The registration for trying other clients. A sign-out may return to the root of every host that it comes back to.
fn own_app(redirects: &[Url]) -> Registration {
    let sample = Registration::new(people::OWN_APP, "Your own app")
        .with_secret(people::OWN_APP_SECRET)
        .with_redirect(SAMPLE_REDIRECT)
        .with_logout("http://localhost/")
        .with_graph("GroupMember.Read.All");
    redirects.iter().fold(sample, |app, uri| {
        let root = format!("{}/", uri.origin().ascii_serialization());
        app.with_redirect(uri.as_str()).with_logout(root)
    })
}

/// The gate's settings, read as every deployment's are: from variables.
pub(super) fn config(places: &Places, secret: &SecretString) -> Result<Config> {
    let person = |object: &str| format!("user:{}.{object}", people::TENANT);
    let data = places.data.display();
    let settings = [
        ("PUBLIC_URL", places.gate()),
        ("LISTEN", format!("127.0.0.1:{}", places.port)),
        ("OPS_LISTEN", "127.0.0.1:0".to_owned()),
        ("DATABASE_URL", format!("sqlite://{data}/cedargate.db")),
        ("AUDIT__DATABASE_URL", format!("sqlite://{data}/audit.db")),
        ("KEYS__DIRECTORY", format!("{data}/keys")),
        ("CONTACT", "Service desk, it-help@contoso.example".to_owned()),
        ("ENTRA__TENANT", people::TENANT.to_owned()),
        ("ENTRA__CLIENT_ID", people::CLIENT.to_owned()),
        ("ENTRA__CLIENT_SECRET", secret.expose_secret().to_owned()),
        ("ENTRA__AUTHORITY", places.simulator()),
        ("ENTRA__AUDIENCE", people::CLIENT.to_owned()),
        ("ENTRA__MFA_CONTEXT", MFA_CONTEXT.to_owned()),
        ("CONSOLE__OWNERS", format!("group:{}", people::IT_ADMINS)),
        ("CONSOLE__EDITORS", person(people::EDDIE)),
        ("CONSOLE__PUBLISHERS", person(people::PAT)),
        ("CONSOLE__AUDITORS", person(people::AUDE)),
    ];
    let named = settings.into_iter().map(|(name, value)| (format!("CEDARGATE_{name}"), value));
    Ok(Config::load(None, &named.collect::<BTreeMap<_, _>>())?)
}

/// Publishes the demo's rule book where nothing is published yet, and makes sure that it fits these addresses.
pub(super) async fn rules(config: &Config, places: &Places, now: Timestamp) -> Result<()> {
    let store = Store::open(&config.database_url).await?;
    let live = store.live().await?;
    let (number, book) = live.map_or_else(
        || Ok::<_, anyhow::Error>((ReleaseNumber::default(), rule_files::demo()?)),
        |release| Ok((release.number, release.rule_book)),
    )?;
    let fitting = placed(book.clone(), places)?;
    if number == ReleaseNumber::default() || fitting != book {
        publish(&store, (number, fitting), config, now).await?;
    }
    store.close().await;
    Ok(())
}

/// The rule book with this run's addresses.
fn placed(mut book: RuleBook, places: &Places) -> Result<RuleBook> {
    let app = book.apps.iter_mut().find(|app| app.id.as_str() == APP);
    let app = app.with_context(|| {
        format!("the rule book has no app `{APP}`; name another folder with --data")
    })?;
    app.origins = vec![places.app().parse()?];
    app.upstream = Some(Upstream(format!("http://{}", places.upstream).parse()?));
    Ok(book)
}

async fn publish(
    store: &Store,
    (based_on, rule_book): (ReleaseNumber, RuleBook),
    config: &Config,
    at: Timestamp,
) -> Result<()> {
    let next = ReleaseNumber(based_on.0.saturating_add(1));
    let snapshot = compile(&rule_book, next, &terms(config))?;
    let note = "The demo's rules, with this run's addresses".to_owned();
    let (cedar, schema) = (snapshot.cedar(), snapshot.schema().to_owned());
    let by = "operator:demo".to_owned();
    let release = store.publish(Publication {
        based_on,
        rule_book,
        cedar,
        schema,
        note,
        by,
        at,
        draft: None,
    });
    ensure!(release.await?.number == next, "another program publishes into this folder");
    Ok(())
}
