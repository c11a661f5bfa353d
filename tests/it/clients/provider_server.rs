//! An OpenID provider that nobody here wrote, speaking https at Entra's addresses.

use std::path::Path;

use cedargate::sim::people::TENANT;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::tools::{Program, client_data, installed};
use crate::harness::{Answer, Browser, Trust, navigation};

pub(crate) const CLIENT: &str = "66666666-7777-4888-9999-000000000000";
pub(crate) const SECRET: &str = "a secret of forty-three characters or more, really";

/// The provider, running. Ends with the test.
pub(crate) struct Provider {
    pub(crate) origin: String,
    program: Program,
    folder: TempDir,
}

impl Provider {
    /// Starts it for one client, or says why it can't be.
    pub(crate) fn start(test: &str, client: &Value) -> Option<Self> {
        let binary = format!("provider/node_modules/node-linux-{}/bin/node", architecture());
        let node = installed(test, &binary)?;
        let modules = installed(test, "provider/node_modules")?;
        Some(Self::run(&node, &modules, client))
    }

    fn run(node: &Path, modules: &Path, client: &Value) -> Self {
        let folder = TempDir::new().unwrap();
        let script = folder.path().join("provider.mjs");
        std::fs::copy(client_data("provider/provider.mjs"), &script).unwrap();
        std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
        certify(folder.path());
        let file = |name| folder.path().join(name).display().to_string();
        let variables = [
            ("TENANT", TENANT),
            ("CLIENT", &client.to_string()),
            ("PEOPLE", &people().to_string()),
            ("CERTIFICATE_FILE", &file("certificate.pem")),
            ("KEY_FILE", &file("key.pem")),
        ];
        let program = Program::start(node, &[script.as_os_str()], &variables);
        let mut provider = Self { origin: String::new(), program, folder };
        provider.origin = format!("https://localhost:{}", provider.event("listening")["port"]);
        provider
    }

    /// What makes a gate trust it.
    pub(crate) fn authority_file(&self) -> String {
        self.folder.path().join("certificate.pem").display().to_string()
    }

    /// One of its own addresses.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/{TENANT}/v2.0{path}", self.origin)
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::in_file(&self.folder.path().join("certificate.pem"))
    }

    /// The next event of this name; those before it are passed over.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self.program.line();
            // The library has notices of its own.
            let Ok(said) = serde_json::from_str::<Value>(&line) else { continue };
            assert_ne!(said["event"], "server_error", "{said}");
            if said["event"] == name {
                return said;
            }
        }
    }
}

fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" }
}

/// Two people, with Entra's claims.
fn people() -> Value {
    json!({
        "uma": {
            "oid": "0b1ec700-0000-4000-8000-0000000000aa", "name": "Uma Umarov",
            "preferred_username": "uma@contoso.example", "email": "uma@contoso.example",
            "groups": ["9a000000-0000-4000-8000-0000000f1a2c"], "roles": ["Reports.Read"],
        },
        "nora": { "oid": "0b1ec700-0000-4000-8000-0000000000bb", "name": "Nora" },
    })
}

/// A certificate for `localhost` that vouches for itself.
fn certify(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// A client of the provider that proves itself by its secret, as registered for a gate on this port.
pub(crate) fn registered(port: u16) -> Value {
    json!({
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uris": [format!("http://localhost:{port}/_gate/callback")],
        "post_logout_redirect_uris": [format!("http://localhost:{port}/_gate/signed-out")],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
    })
}

/// Whether the page asks who somebody is.
pub(crate) fn asks_who(page: &Answer) -> bool {
    page.text().contains("name=\"login\"")
}

/// Signs in where that is asked for, agrees, and follows back to where that leads.
pub(crate) async fn sign_in(browser: &mut Browser, person: &str, page: Answer) -> Answer {
    let page = if asks_who(&page) {
        let login = [("prompt", "login"), ("login", person), ("password", "any")];
        submit(browser, &page, &login).await
    } else {
        page
    };
    submit(browser, &page, &[("prompt", "consent")]).await
}

/// Sends the form of an interaction.
async fn submit(browser: &mut Browser, page: &Answer, fields: &[(&str, &str)]) -> Answer {
    assert!(page.url.path().contains("/interaction/"), "at {}: {}", page.url, page.text());
    let sent = browser.send(navigation("POST", page.url.as_str()).form(fields)).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    browser.open(sent.location().as_str()).await
}
