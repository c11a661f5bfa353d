//! The settings as types that can't be wrong.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::model::entra::{Cloud, Credential, GroupSource};
use crate::model::host::Origin;
use crate::model::id::{AppRole, GroupId, Subject, TenantId};

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `public_url`: Cedargate's own origin (sign-in, portal, console). Required; `https`, or `http` for loopback hosts.
    pub public_url: Origin,
    /// `listen`: where people's requests arrive. Default `0.0.0.0:8080`.
    pub listen: SocketAddr,
    /// `ops_listen`: where `/healthz`, `/readyz` and `/metrics` are served, unauthenticated. Default `127.0.0.1:9180`.
    pub ops_listen: SocketAddr,
    /// `database_url`: the main database, `sqlite://<path>`. Default `sqlite://data/cedargate.db`.
    pub database_url: String,
    /// `trusted_proxies`: networks whose `X-Forwarded-For` is believed; never `/0`. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// `contact`: whom people can ask, in their own words (a name, a team, an address); stands on pages that refuse somebody
    /// or fail, unless the route names somebody else. Default none.
    pub contact: Option<String>,
    /// `log`: which log lines are written, as `tracing` filters spell it. Default `info`.
    pub log: String,
    /// `[entra]`
    pub entra: Entra,
    /// `[console]`
    pub console: Console,
    /// `[keys]`
    pub keys: Keys,
    /// `[session]`
    pub session: Session,
    /// `[audit]`
    pub audit: Audit,
    /// `[tls]`: absent when a proxy in front terminates TLS.
    pub tls: Option<Tls>,
    /// Where each key that was given was given: file, line and key, or the variable.
    pub(super) stated: BTreeMap<&'static str, String>,
}

/// `[entra]`: the app registration, and which tenants may sign in.
#[derive(Debug, Clone)]
pub struct Entra {
    /// `tenant`: the directory (tenant) id, one of its verified domains, or `organizations`; in lower case. Required.
    pub tenant: String,
    /// `client_id`: the application (client) id, a GUID in lower case. Required.
    pub client_id: String,
    /// `client_secret` with `client_secret_expires`, or `certificate_file` with `key_file`, or `federated_token_file`.
    /// One is required.
    pub credential: Credential,
    /// `[entra.second]`: the same keys once more, while one credential takes over from the other. Default none.
    pub second: Option<Credential>,
    /// `cloud`: `public`, `us_government` or `china`. Default `public`.
    pub cloud: Cloud,
    /// `authority`: where the sign-in pages are. Default: the cloud's; another one only for a simulator or a test.
    pub authority: Origin,
    /// `ca_file`: PEM certificates of authorities that may vouch for Entra and Graph besides those that this machine
    /// trusts. Default none.
    pub ca_file: Option<PathBuf>,
    /// `allowed_tenants`: whose accounts may sign in. Default: `tenant` alone. Empty only for a domain, which stands for
    /// its own tenant; `organizations` needs at least one.
    pub allowed_tenants: Vec<TenantId>,
    /// `audience`, `access_tokens`, `scope`: access tokens that services and scripts may bring. Default none.
    pub api: Option<Api>,
    /// `mfa_context`: the authentication context (`c1` to `c99`) that stands for multi-factor authentication. Default
    /// none: then a rule that asks for it is refused.
    pub mfa_context: Option<String>,
    /// `groups`: where people's groups are read. Default `graph_on_overage`.
    pub groups: GroupSource,
}

/// The part of `[entra]` about access tokens; there only with `audience`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// `audience`: the `aud` that tokens must have. A client id (a GUID in lower case), or with `access_tokens = "v1"`
    /// also an App ID URI.
    pub audience: String,
    /// `access_tokens`: `v2` or `v1`. Default `v2`.
    pub access_tokens: AccessTokens,
    /// `scope`: one of the words in `scp` of tokens that act for a person. Default `access_as_user`.
    pub scope: String,
}

/// Which form of access tokens the registration issues (`requestedAccessTokenVersion`). The other one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessTokens {
    /// `v1`
    V1,
    /// `v2`
    V2,
}

/// `[console]`: who holds which console role. Only here, so that nobody edits themselves upwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Console {
    /// `viewers`: see the rules. Default none.
    pub viewers: Vec<ConsoleMember>,
    /// `editors`: see the rules, and change them when they are publishers too. Default none.
    pub editors: Vec<ConsoleMember>,
    /// `publishers`: see the rules, and change them when they are editors too. Default none.
    pub publishers: Vec<ConsoleMember>,
    /// `auditors`: see the rules and the log. Default none.
    pub auditors: Vec<ConsoleMember>,
    /// `owners`: everything. Default none.
    pub owners: Vec<ConsoleMember>,
    /// `second_person`: whether publishing needs somebody else's approval. Default `off`.
    pub second_person: SecondPerson,
}

/// Whether publishing needs somebody else's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondPerson {
    /// It does not.
    #[default]
    Off,
    /// It does.
    Required,
}

/// Somebody named in `[console]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConsoleMember {
    /// `group:<object id>`: members of a group.
    Group(GroupId),
    /// `role:<value>`: holders of an app role.
    Role(AppRole),
    /// `user:<tenant id>.<object id>`: one person.
    User(Subject),
}

/// `[keys]`: secrets of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// `directory`: where key files are kept; made once. Default `data/keys`.
    pub directory: PathBuf,
}

/// `[session]`: how long a sign-in lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// `idle`: ends after this long without a request; 1 minute to 24 hours. Default 1 hour.
    pub idle: Duration,
    /// `absolute`: ends after this long in any case; 5 minutes to 7 days. Default 12 hours.
    pub absolute: Duration,
    /// `recheck`: groups and roles are read again this often; 1 minute to 24 hours. Default 15 minutes.
    pub recheck: Duration,
    /// `step_up`: a second factor, or another authentication context, counts this long after it was given; 1 minute to
    /// 24 hours. Default 30 minutes.
    pub step_up: Duration,
}

/// `[audit]`: the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// `database_url`: the log's own file. Default `audit.db` beside the main database.
    pub database_url: String,
    /// `strictness`: which decisions wait for their record. Default `strict`.
    pub strictness: Strictness,
    /// `retention`: records are kept this long; 1 day to 10 years. Default 400 days.
    pub retention: Duration,
    /// `anchor_file`: a file, best on another disk, that checkpoints are appended to. Default none.
    pub anchor_file: Option<PathBuf>,
    /// `outlet`: where records leave to as JSON lines, `stdout` or `file:<path>`. Default none.
    pub outlet: Option<Outlet>,
}

/// Where records leave to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlet {
    /// `stdout`
    Stdout,
    /// `file:<path>`: the end of a file.
    File(PathBuf),
}

impl std::fmt::Display for Outlet {
    /// As it is set.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// Which decisions wait until their record is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// `strict`: all of them.
    Strict,
    /// `strict-allow`: those that open; a refusal is answered at once.
    StrictAllow,
}

/// `[tls]`: the certificate of our own listener. Both files or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `certificate_file`: the chain, PEM.
    pub certificate_file: PathBuf,
    /// `key_file`: its private key, PEM.
    pub key_file: PathBuf,
}
