//! What the settings file and the environment say, each value with its place, before anything is understood.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Key, Kind};
use crate::model::entra::Cloud;
use crate::model::problem::{Problem, line_at};

/// A value and where it stands. No `Debug`: it may be a secret.
pub(super) struct Given {
    /// `cedargate.toml:4: entra.tenant`, or the variable.
    pub(super) place: String,
    /// One text, or the entries of a list.
    pub(super) value: Value,
}

/// A value as written. No `Debug`: it may be a secret.
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
}

/// What AKS sets for a workload identity.
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";

/// Keys of which any one says that a credential is given.
const CREDENTIALS: [&str; 4] = [
    "entra.client_secret",
    "entra.certificate_file",
    "entra.key_file",
    "entra.federated_token_file",
];

/// What was said, by key path.
#[derive(Default)]
pub(super) struct Source {
    pub(super) given: BTreeMap<&'static str, Given>,
    pub(super) problems: Vec<Problem>,
}

impl Source {
    /// Reads the text of the settings file named `name`.
    pub(super) fn read_file(&mut self, name: &str, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            // Only the message: the error's own display quotes the line, which may hold a secret.
            self.problem(format!("{name}:{line}"), format!("is not TOML: {}", error.message()));
        }
        let file = File { name, text };
        self.read_table(&file, "", table.get_ref());
    }

    fn read_table(&mut self, file: &File<'_>, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = format!("{prefix}{}", key.get_ref());
            let place = format!("{}:{}: {path}", file.name, line_at(file.text, key.span().start));
            let section = format!("{path}.");
            let is_section = KEYS.iter().any(|key| key.path.starts_with(&section));
            let inner = value.get_ref().as_table().filter(|_| is_section);
            match (inner, KEYS.iter().find(|key| key.path == path)) {
                (Some(inner), _) => self.read_table(file, &section, inner),
                (None, Some(key)) => self.read_value(*key, place, value),
                (None, None) => self.problem(place, unknown(&path)),
            }
        }
    }

    fn read_value(&mut self, key: Key, place: String, value: &Spanned<DeValue<'_>>) {
        let read = match key.kind {
            Kind::Text => value.get_ref().as_str().map(|text| Value::Text(text.to_owned())),
            Kind::List => value.get_ref().as_array().and_then(|array| {
                let entries = array.iter().map(|entry| entry.get_ref().as_str().map(str::to_owned));
                entries.collect::<Option<_>>().map(Value::List)
            }),
        };
        match read {
            Some(value) => {
                self.given.insert(key.path, Given { place, value });
            }
            None => self.problem(place, must_be(key.kind)),
        }
    }

    /// Reads every variable that starts with `CEDARGATE_`; each wins over the file.
    pub(super) fn read_environment(&mut self, environment: &BTreeMap<String, String>) {
        for (name, text) in environment.iter().filter(|(name, _)| is_ours(name)) {
            let direct = key_of(name);
            let through_file = name.strip_suffix("_FILE").and_then(key_of);
            match (direct, through_file) {
                (Some(key), _) => self.take_variable(key, name, text),
                (None, Some(key)) if environment.contains_key(&key.variable()) => {
                    self.problem(
                        name,
                        format!("is set together with {}; keep one of the two", key.variable()),
                    );
                }
                (None, Some(key)) => match std::fs::read_to_string(Path::new(text)) {
                    Ok(content) => {
                        self.take_variable(key, name, content.trim_end_matches(['\r', '\n']));
                    }
                    Err(error) => {
                        self.problem(name, format!("can't read the file `{text}`: {error}"));
                    }
                },
                (None, None) => self.problem(
                    name,
                    "is not a variable that Cedargate knows; correct or remove it \
                     (`cedargate.example.toml` lists every key)",
                ),
            }
        }
    }

    /// Reads what AKS puts into the environment of a pod with a workload identity. Only where a token file is among it
    /// and no credential is given: the same variables stand in many a shell for other programs.
    pub(super) fn read_workload_identity(&mut self, environment: &BTreeMap<String, String>) {
        let set = |name: &str| environment.get(name).filter(|text| !text.is_empty()).cloned();
        let token_file = set(TOKEN_FILE).filter(|_| !CREDENTIALS.iter().any(|key| self.has(key)));
        let Some(token_file) = token_file else { return };
        self.fall_back("entra.federated_token_file", TOKEN_FILE, Some(token_file));
        self.fall_back("entra.tenant", "AZURE_TENANT_ID", set("AZURE_TENANT_ID"));
        self.fall_back("entra.client_id", "AZURE_CLIENT_ID", set("AZURE_CLIENT_ID"));
        if self.has("entra.authority") {
            return;
        }
        let cloud = set(AUTHORITY_HOST).map(|url| {
            let origin = url.trim_end_matches('/');
            Cloud::ALL.into_iter().find(|cloud| cloud.authority() == origin)
        });
        match cloud {
            Some(Some(cloud)) => {
                self.fall_back("entra.cloud", AUTHORITY_HOST, Some(cloud.name().to_owned()));
            }
            Some(None) if !self.has("entra.cloud") => {
                self.problem(
                    AUTHORITY_HOST,
                    "names no cloud that Cedargate knows; set entra.cloud",
                );
            }
            Some(None) | None => {}
        }
    }

    fn has(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    fn fall_back(&mut self, key: &'static str, variable: &str, text: Option<String>) {
        if let Some(text) = text.filter(|_| !self.has(key)) {
            self.given.insert(key, Given { place: variable.to_owned(), value: Value::Text(text) });
        }
    }

    fn take_variable(&mut self, key: Key, name: &str, text: &str) {
        let value = match key.kind {
            Kind::Text => Value::Text(text.to_owned()),
            Kind::List => Value::List(
                text.split(',')
                    .map(str::trim)
                    .filter(|e| !e.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
        };
        self.given.insert(key.path, Given { place: name.to_owned(), value });
    }

    pub(super) fn problem(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem::new(place, what));
    }
}

/// The file being read, for places.
struct File<'a> {
    name: &'a str,
    text: &'a str,
}

fn key_of(variable: &str) -> Option<Key> {
    KEYS.iter().find(|key| key.variable() == variable).copied()
}

/// Whether a variable speaks to us.
///
/// Kubernetes puts `CEDARGATE_SERVICE_…` and `CEDARGATE_PORT…` into every container beside a service named `cedargate`,
/// and our own tests use `CEDARGATE_TEST_…`; neither is a setting.
fn is_ours(variable: &str) -> bool {
    let foreign = |rest: &str| {
        rest == "PORT"
            || ["PORT_", "SERVICE_", "TEST_"].iter().any(|prefix| rest.starts_with(prefix))
    };
    variable.strip_prefix("CEDARGATE_").is_some_and(|rest| !foreign(rest))
}

fn must_be(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "must be text in quotes",
        Kind::List => "must be a list of texts: [\"…\", \"…\"]",
    }
}

fn unknown(path: &str) -> String {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    match KEYS.iter().find(|key| last(key.path) == last(path)) {
        Some(key) => format!("is not a known key; did you mean `{}`?", key.path),
        None => {
            "is not a known key; correct or remove it (`cedargate.example.toml` lists every key)"
                .to_owned()
        }
    }
}
