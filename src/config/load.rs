//! From what was said to [`Config`]: every value read, every problem kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::keys::variable;
use super::settings::{
    Audit, Config, Console, ConsoleMember, Keys, Outlet, SecondPerson, Session, Strictness, Tls,
};
use super::source::{Given, Source, Value};
use super::values::{self, Bounds, DAY, HOUR, MINUTE, Read};
use crate::model::problem::{Problem, Problems};
use crate::model::time::Span;

/// The file that is read when none is named, if it exists.
const DEFAULT_FILE: &str = "cedargate.toml";

/// The variables of this process. Variables that are not Unicode can't be ours and are left out.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn environment() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.into_string().ok();
    std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}

/// The name of the system's user, for the record of what operators change.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn system_user() -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let plain =
        named.map(|name| name.chars().filter(|c| !c.is_control()).take(64).collect::<String>());
    plain.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

impl Config {
    /// Reads the settings from `file`, or from `cedargate.toml` in the working directory when there is one, and from the
    /// `CEDARGATE_` variables of `environment`, which win.
    ///
    /// # Errors
    /// Every problem at once: unknown keys and variables, missing and unusable values; or a file that can't be read.
    pub fn load(
        file: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, Problems> {
        let mut source = Source::default();
        let default = Path::new(DEFAULT_FILE);
        if let Some(path) = file.or_else(|| default.exists().then_some(default)) {
            let name = path.display().to_string();
            match std::fs::read_to_string(path) {
                Ok(text) => source.read_file(&name, &text),
                // Alone: that everything else is missing follows from it, and would only hide it.
                Err(error) => {
                    let what = format!("can't read the settings: {error}");
                    return Err(Problems(vec![Problem::new(name, what)]));
                }
            }
        }
        source.read_environment(environment);
        source.read_workload_identity(environment);
        Reader(source).finish()
    }
}

/// Takes values out of a source and keeps what is wrong with them.
pub(super) struct Reader(pub(super) Source);

impl Reader {
    fn finish(mut self) -> Result<Config, Problems> {
        let public_url = self.required("public_url", values::origin);
        let listen = self.optional("listen", values::address);
        let ops_listen = self.optional("ops_listen", values::address);
        let database_url = self.optional("database_url", values::database);
        let database_url = database_url.unwrap_or_else(|| "sqlite://data/cedargate.db".to_owned());
        let trusted_proxies = self.list("trusted_proxies", values::network);
        let contact = self.optional("contact", values::line);
        let log = self.optional("log", values::log);
        let entra = self.entra();
        let console = self.console();
        let directory = self.optional("keys.directory", values::path);
        let session = self.session();
        let audit = self.audit(&database_url);
        let tls = self.tls();
        let listen = listen.unwrap_or_else(|| ([0, 0, 0, 0], 8080).into());
        let ops_listen = ops_listen.unwrap_or_else(|| ([127, 0, 0, 1], 9180).into());
        if listen == ops_listen && listen.port() != 0 {
            self.problem(
                "ops_listen",
                format!("`{ops_listen}` is the address of `listen`; give it its own"),
            );
        }
        match (public_url, entra) {
            (Some(public_url), Some(entra)) if self.0.problems.is_empty() => Ok(Config {
                public_url,
                listen,
                ops_listen,
                database_url,
                trusted_proxies,
                contact,
                log: log.unwrap_or_else(|| "info".to_owned()),
                entra,
                console,
                keys: Keys { directory: directory.unwrap_or_else(|| "data/keys".into()) },
                session,
                audit,
                tls,
                stated: self.stated(),
            }),
            (Some(_) | None, Some(_) | None) => Err(Problems(self.0.problems)),
        }
    }

    fn stated(self) -> BTreeMap<&'static str, String> {
        self.0.given.into_iter().map(|(key, given)| (key, given.place)).collect()
    }

    fn console(&mut self) -> Console {
        let second_person = self.optional("console.second_person", values::second_person);
        let mut members = |key| -> Vec<ConsoleMember> { self.list(key, values::member) };
        Console {
            viewers: members("console.viewers"),
            editors: members("console.editors"),
            publishers: members("console.publishers"),
            auditors: members("console.auditors"),
            owners: members("console.owners"),
            second_person: second_person.unwrap_or(SecondPerson::Off),
        }
    }

    fn session(&mut self) -> Session {
        let mut span = |key, default, least, most| {
            let bounds =
                Bounds { least: Duration::from_secs(least), most: Duration::from_secs(most) };
            let read = self.optional(key, |text| values::span(text, bounds));
            read.unwrap_or(Duration::from_secs(default))
        };
        let session = Session {
            idle: span("session.idle", HOUR, MINUTE, DAY),
            absolute: span("session.absolute", 12 * HOUR, 5 * MINUTE, 7 * DAY),
            recheck: span("session.recheck", 15 * MINUTE, MINUTE, DAY),
            step_up: span("session.step_up", 30 * MINUTE, MINUTE, DAY),
        };
        let shorter = [
            ("session.idle", session.idle),
            ("session.recheck", session.recheck),
            ("session.step_up", session.step_up),
        ];
        for (key, length) in shorter {
            if length > session.absolute {
                let (length, most) = (Span(length), Span(session.absolute));
                self.problem(key, format!("`{length}` is longer than session.absolute ({most})"));
            }
        }
        session
    }

    fn audit(&mut self, main: &str) -> Audit {
        let bounds =
            Bounds { least: Duration::from_secs(DAY), most: Duration::from_secs(3660 * DAY) };
        let database_url = self.optional("audit.database_url", values::database);
        let strictness = self.optional("audit.strictness", values::strictness);
        let retention = self.optional("audit.retention", |text| values::span(text, bounds));
        let database_url = database_url.unwrap_or_else(|| beside(main));
        if database_url == main {
            self.problem(
                "audit.database_url",
                "is the main database; the log needs a file of its own",
            );
        }
        let anchor_file = self.optional("audit.anchor_file", values::path);
        let outlet = self.optional("audit.outlet", values::outlet);
        if let (Some(Outlet::File(outlet)), Some(anchors)) = (&outlet, &anchor_file)
            && outlet == anchors
        {
            self.problem("audit.outlet", "is the anchor file; records need a file of their own");
        }
        Audit {
            database_url,
            strictness: strictness.unwrap_or(Strictness::Strict),
            retention: retention.unwrap_or(Duration::from_secs(400 * DAY)),
            anchor_file,
            outlet,
        }
    }

    fn tls(&mut self) -> Option<Tls> {
        let keys = ["tls.certificate_file", "tls.key_file"];
        let given = keys.map(|key| self.0.given.contains_key(key));
        match given {
            [true, false] => self.problem(keys[0], "needs tls.key_file beside it"),
            [false, true] => self.problem(keys[1], "needs tls.certificate_file beside it"),
            [true, true] | [false, false] => {}
        }
        let [certificate_file, key_file] = keys.map(|key| self.optional(key, values::path));
        Some(Tls { certificate_file: certificate_file?, key_file: key_file? })
    }

    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Read<T>,
    ) -> Option<T> {
        if !self.0.given.contains_key(key) {
            self.0.problem(
                key,
                format!("is missing; set it in {DEFAULT_FILE} or as {}", variable(key)),
            );
        }
        self.optional(key, read)
    }

    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Read<T>,
    ) -> Option<T> {
        let Some(Given { place, value: Value::Text(text) }) = self.0.given.get(key) else {
            return None;
        };
        let (place, read) = (place.clone(), read(text));
        read.map_err(|what| self.0.problem(place, what)).ok()
    }

    pub(super) fn list<T>(&mut self, key: &'static str, read: impl Fn(&str) -> Read<T>) -> Vec<T> {
        let Some(Given { place, value: Value::List(entries) }) = self.0.given.get(key) else {
            return Vec::new();
        };
        let (place, read): (_, Vec<_>) =
            (place.clone(), entries.iter().map(|entry| read(entry)).collect());
        let keep = |what| self.0.problem(place.clone(), what);
        let mut keep = keep;
        read.into_iter().filter_map(|entry| entry.map_err(&mut keep).ok()).collect()
    }

    /// A problem at the place where `key` was given, or at its name.
    pub(super) fn problem(&mut self, key: &str, what: impl Into<String>) {
        let place =
            self.0.given.get(key).map_or_else(|| key.to_owned(), |given| given.place.clone());
        self.0.problem(place, what);
    }
}

/// `audit.db` in the folder of the main database.
fn beside(main: &str) -> String {
    match main.strip_prefix("sqlite://").and_then(|path| path.rsplit_once('/')) {
        Some((folder, _)) => format!("sqlite://{folder}/audit.db"),
        None => "sqlite://audit.db".to_owned(),
    }
}
