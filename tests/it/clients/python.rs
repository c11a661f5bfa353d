//! Programs in Python: Microsoft's client library under remote control, and a web app that uses it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::tenant::{Tenant, WEB_APP};
use crate::harness::tools::{Program, client_data, installed};

/// The installed Python, or nothing (said on standard error) where there is none.
fn python(test: &str) -> Option<PathBuf> {
    installed(test, "python/bin/python")
}

/// One client of the tenant, built by MSAL.
pub(crate) struct Msal(Program);

impl Msal {
    /// Builds a client with these arguments besides the authority, and this state of its cache, if any.
    pub(crate) fn start(
        test: &str,
        tenant: &Tenant,
        arguments: &Value,
        cache: Option<&str>,
    ) -> Option<Self> {
        let python = python(test)?;
        let script = client_data("python/remote.py");
        let authorities = tenant.secure.authority.display().to_string();
        let variables = [("REQUESTS_CA_BUNDLE", authorities.as_str())];
        let mut program = Program::start(&python, &[script.as_os_str()], &variables);
        // A host that MSAL has never heard of is not asked of Microsoft about.
        let mut client = json!({ "authority": tenant.authority(), "instance_discovery": false });
        for (name, value) in arguments.as_object().into_iter().flatten() {
            client[name] = value.clone();
        }
        program.tell(&json!({ "client": client, "cache": cache }).to_string());
        Some(Self(program))
    }

    /// What a method gives.
    pub(crate) fn call(&mut self, method: &str, arguments: &Value) -> Value {
        self.0.tell(&json!({ "call": method, "arguments": arguments }).to_string());
        serde_json::from_str(&self.0.line()).unwrap()
    }

    /// The state of its cache.
    pub(crate) fn cache(&mut self) -> String {
        self.call("cache", &json!({})).as_str().unwrap().to_owned()
    }
}

/// A web app that signs people in by itself, running. Ends with the test.
pub(crate) struct WebApp {
    pub(crate) address: String,
    _program: Program,
    _sessions: TempDir,
}

impl WebApp {
    /// Starts it with this secret, or says why it can't be.
    pub(crate) fn start(test: &str, tenant: &Tenant, secret: &str) -> Option<Self> {
        Some(Self::run(&python(test)?, tenant, secret))
    }

    fn run(python: &Path, tenant: &Tenant, secret: &str) -> Self {
        let sessions = TempDir::new().unwrap();
        let graph = format!("{}/v1.0/me", tenant.secure.origin());
        let variables = [
            ("AUTHORITY", tenant.authority().as_str()),
            ("CLIENT_ID", WEB_APP),
            ("CLIENT_SECRET", secret),
            ("ENDPOINT", graph.as_str()),
            ("SESSIONS", sessions.path().to_str().unwrap()),
            ("REQUESTS_CA_BUNDLE", tenant.secure.authority.to_str().unwrap()),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let script = client_data("python/web_app.py");
        let mut program = Program::start(python, &[script.as_os_str()], &variables);
        Self { address: program.line(), _program: program, _sessions: sessions }
    }

    /// An address of the app.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}
