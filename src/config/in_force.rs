//! The settings as they are in force, for showing: each key with its value and where that came from.
//!
//! **Invariant**: a secret is never part of it, only whether there is one. Every struct of the settings is taken apart
//! field by field, so a setting that is not shown does not compile.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use super::settings::{
    AccessTokens, Api, Audit, Config, Console, ConsoleMember, Entra, Keys, SecondPerson, Session,
    Strictness, Tls,
};
use crate::model::entra::{Credential, GroupSource};
use crate::model::time::{Span, Timestamp};

/// One setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Its path in the file: `entra.client_id`.
    pub key: &'static str,
    /// What holds.
    pub value: Shown,
    /// Where that came from.
    pub from: Provenance,
}

/// A value that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// As text.
    Text(String),
    /// Several, in their order; empty is none.
    List(Vec<String>),
    /// A secret that is there.
    Secret,
    /// Nothing.
    NotSet,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// A file and its line: `cedargate.toml:4`.
    File(String),
    /// An environment variable, by name.
    Variable(String),
    /// Nobody said anything; it follows from the others or from the program.
    Default,
}

impl Config {
    /// Every setting as it is in force, in the order of the example file.
    pub fn in_force(&self) -> Vec<InForce> {
        let Self {
            public_url,
            listen,
            ops_listen,
            database_url,
            trusted_proxies,
            log,
            contact,
            stated,
            ..
        } = self;
        let Self { entra, console, keys, session, audit, tls, .. } = self;
        let mut rows = vec![
            ("public_url", text(public_url)),
            ("listen", text(listen)),
            ("ops_listen", text(ops_listen)),
            ("database_url", text(database_url)),
            ("trusted_proxies", list(trusted_proxies)),
            ("contact", optional(contact.as_ref())),
            ("log", text(log)),
        ];
        rows.extend(of_entra(entra));
        rows.extend(of_console(console));
        rows.extend(of_keys(keys));
        rows.extend(of_session(session));
        rows.extend(of_audit(audit));
        rows.extend(of_tls(tls.as_ref()));
        let row = |(key, value)| InForce {
            key,
            value,
            from: Provenance::of(key, stated.get(key).map(String::as_str)),
        };
        rows.into_iter().map(row).collect()
    }
}

impl Provenance {
    /// A place in a file ends with the key; any other is a variable.
    fn of(key: &str, place: Option<&str>) -> Self {
        let Some(place) = place else { return Self::Default };
        let line = place.strip_suffix(key).and_then(|line| line.strip_suffix(": "));
        line.map_or_else(|| Self::Variable(place.to_owned()), |line| Self::File(line.to_owned()))
    }
}

type Row = (&'static str, Shown);

fn of_entra(entra: &Entra) -> Vec<Row> {
    let Entra {
        tenant,
        client_id,
        credential,
        second,
        cloud,
        authority,
        ca_file,
        allowed_tenants,
        api,
        mfa_context,
        groups,
    } = entra;
    let mut rows = vec![("entra.tenant", text(tenant)), ("entra.client_id", text(client_id))];
    rows.extend(FIRST.into_iter().zip(of_credential(Some(credential))));
    rows.extend([
        ("entra.cloud", text(cloud.name())),
        ("entra.authority", text(authority)),
        ("entra.ca_file", path(ca_file.as_deref())),
        ("entra.allowed_tenants", list(allowed_tenants)),
    ]);
    rows.extend(of_api(api.as_ref()));
    rows.extend([
        ("entra.mfa_context", optional(mfa_context.as_ref())),
        ("entra.groups", text(source(*groups))),
    ]);
    rows.extend(SECOND.into_iter().zip(of_credential(second.as_ref())));
    rows
}

const FIRST: [&str; 5] = [
    "entra.client_secret",
    "entra.client_secret_expires",
    "entra.certificate_file",
    "entra.key_file",
    "entra.federated_token_file",
];

const SECOND: [&str; 5] = [
    "entra.second.client_secret",
    "entra.second.client_secret_expires",
    "entra.second.certificate_file",
    "entra.second.key_file",
    "entra.second.federated_token_file",
];

/// Secret, its end, certificate, key, token: one of them is there.
fn of_credential(credential: Option<&Credential>) -> [Shown; 5] {
    let mut shown = [const { Shown::NotSet }; 5];
    let [secret, expires, certificate, key, token] = &mut shown;
    match credential {
        Some(Credential::Secret { value: _, expires_at }) => {
            *secret = Shown::Secret;
            *expires = optional(expires_at.map(day).as_ref());
        }
        Some(Credential::Certificate { certificate_file, key_file }) => {
            *certificate = path(Some(certificate_file));
            *key = path(Some(key_file));
        }
        Some(Credential::FederatedToken { file }) => *token = path(Some(file)),
        None => {}
    }
    shown
}

fn of_api(api: Option<&Api>) -> [Row; 3] {
    let version = |api: &Api| match api.access_tokens {
        AccessTokens::V1 => "v1",
        AccessTokens::V2 => "v2",
    };
    [
        ("entra.audience", optional(api.map(|api| &api.audience))),
        ("entra.access_tokens", optional(api.map(version).as_ref())),
        ("entra.scope", optional(api.map(|api| &api.scope))),
    ]
}

fn of_console(console: &Console) -> [Row; 6] {
    let Console { viewers, editors, publishers, auditors, owners, second_person } = console;
    let members = |members: &[ConsoleMember]| Shown::List(members.iter().map(member).collect());
    let second_person = match second_person {
        SecondPerson::Off => "off",
        SecondPerson::Required => "required",
    };
    [
        ("console.viewers", members(viewers)),
        ("console.editors", members(editors)),
        ("console.publishers", members(publishers)),
        ("console.auditors", members(auditors)),
        ("console.owners", members(owners)),
        ("console.second_person", text(second_person)),
    ]
}

fn of_keys(Keys { directory }: &Keys) -> [Row; 1] {
    [("keys.directory", path(Some(directory)))]
}

fn of_session(session: &Session) -> [Row; 4] {
    let Session { idle, absolute, recheck, step_up } = session;
    [
        ("session.idle", span(*idle)),
        ("session.absolute", span(*absolute)),
        ("session.recheck", span(*recheck)),
        ("session.step_up", span(*step_up)),
    ]
}

fn of_audit(audit: &Audit) -> [Row; 5] {
    let Audit { database_url, strictness, retention, anchor_file, outlet } = audit;
    let strictness = match strictness {
        Strictness::Strict => "strict",
        Strictness::StrictAllow => "strict-allow",
    };
    [
        ("audit.database_url", text(database_url)),
        ("audit.strictness", text(strictness)),
        ("audit.retention", span(*retention)),
        ("audit.anchor_file", path(anchor_file.as_deref())),
        ("audit.outlet", optional(outlet.as_ref())),
    ]
}

fn of_tls(tls: Option<&Tls>) -> [Row; 2] {
    let files = tls.map(|Tls { certificate_file, key_file }| (certificate_file, key_file));
    [
        ("tls.certificate_file", path(files.map(|(certificate, _)| certificate.as_path()))),
        ("tls.key_file", path(files.map(|(_, key)| key.as_path()))),
    ]
}

fn text(value: impl Display) -> Shown {
    Shown::Text(value.to_string())
}

fn optional(value: Option<&impl Display>) -> Shown {
    value.map_or(Shown::NotSet, text)
}

fn list(values: &[impl Display]) -> Shown {
    Shown::List(values.iter().map(ToString::to_string).collect())
}

fn path(value: Option<&Path>) -> Shown {
    value.map_or(Shown::NotSet, |path| text(path.display()))
}

fn span(value: Duration) -> Shown {
    text(Span(value))
}

/// `2027-01-31`
fn day(at: Timestamp) -> String {
    at.to_jiff().strftime("%F").to_string()
}

fn source(groups: GroupSource) -> &'static str {
    match groups {
        GroupSource::Token => "token",
        GroupSource::Graph => "graph",
        GroupSource::GraphOnOverage => "graph_on_overage",
    }
}

/// As the settings write it.
fn member(member: &ConsoleMember) -> String {
    match member {
        ConsoleMember::Group(id) => format!("group:{id}"),
        ConsoleMember::Role(value) => format!("role:{value}"),
        ConsoleMember::User(subject) => format!("user:{subject}"),
    }
}
