//! The table of every key that the settings file and the environment may hold.

/// What a key's value looks like in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in quotes.
    Text,
    /// A list of texts in quotes; in a variable, separated by commas.
    List,
}

/// One key of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its path in the file: `entra.client_id`.
    pub path: &'static str,
    /// What its value looks like.
    pub kind: Kind,
}

impl Key {
    /// The environment variable that overrides it: `CEDARGATE_ENTRA__CLIENT_ID`.
    pub fn variable(&self) -> String {
        variable(self.path)
    }
}

/// The environment variable of the key at `path`.
pub(super) fn variable(path: &str) -> String {
    format!("CEDARGATE_{}", path.replace('.', "__").to_ascii_uppercase())
}

const fn text(path: &'static str) -> Key {
    Key { path, kind: Kind::Text }
}

const fn list(path: &'static str) -> Key {
    Key { path, kind: Kind::List }
}

/// Every key, in the order of the example file.
pub const KEYS: &[Key] = &[
    text("public_url"),
    text("listen"),
    text("ops_listen"),
    text("database_url"),
    list("trusted_proxies"),
    text("contact"),
    text("log"),
    text("entra.tenant"),
    text("entra.client_id"),
    text("entra.client_secret"),
    text("entra.client_secret_expires"),
    text("entra.certificate_file"),
    text("entra.key_file"),
    text("entra.federated_token_file"),
    text("entra.cloud"),
    text("entra.authority"),
    text("entra.ca_file"),
    list("entra.allowed_tenants"),
    text("entra.audience"),
    text("entra.access_tokens"),
    text("entra.scope"),
    text("entra.mfa_context"),
    text("entra.groups"),
    text("entra.second.client_secret"),
    text("entra.second.client_secret_expires"),
    text("entra.second.certificate_file"),
    text("entra.second.key_file"),
    text("entra.second.federated_token_file"),
    list("console.viewers"),
    list("console.editors"),
    list("console.publishers"),
    list("console.auditors"),
    list("console.owners"),
    text("console.second_person"),
    text("keys.directory"),
    text("session.idle"),
    text("session.absolute"),
    text("session.recheck"),
    text("session.step_up"),
    text("audit.database_url"),
    text("audit.strictness"),
    text("audit.retention"),
    text("audit.anchor_file"),
    text("audit.outlet"),
    text("tls.certificate_file"),
    text("tls.key_file"),
];
