//! `cedargate check`: settings, keys, databases, rule book, Entra; one line each, all problems at once.
//!
//! It makes nothing that is not there yet: keys and databases come into being with the first start.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::entra::{Finding, context, credential, explained};
use super::settings;
use crate::app::{entra, outlet, terms};
use crate::audit::outlet::Place;
use crate::config::Config;
use crate::idp::{CredentialReport, Idp, IdpError};
use crate::keys::Keys;
use crate::live::Live;
use crate::model::time::Clock;
use crate::store::Store;
use crate::store::audit::AuditReader;

/// Checks everything that `serve` would need and prints a line per check.
///
/// # Errors
/// When any check failed; the lines have been printed.
pub async fn run(file: Option<&Path>) -> Result<()> {
    let config = settings(file)?;
    let mut report = Report::default();
    report.line("settings", Finding::Good(format!("public_url {}", config.public_url)));
    report.line("keys", keys(&config).into());
    report.line("rules", rules(&config).await.into());
    report.line("audit", log(&config).await.into());
    if let Some(place) = outlet(&config) {
        report.line("outlet", leaving(&place).into());
    }
    provider(&config, &mut report).await;
    report.end()
}

fn keys(config: &Config) -> Result<String> {
    let directory = &config.keys.directory;
    if !directory.exists() {
        return Ok(format!("{}: the first start makes them", directory.display()));
    }
    Keys::open(directory)?;
    Ok(directory.display().to_string())
}

/// Whether the file of a database is there. Other engines have none.
fn is_missing(url: &str) -> bool {
    url.strip_prefix("sqlite://").is_some_and(|path| !Path::new(path).exists())
}

async fn rules(config: &Config) -> Result<String> {
    if is_missing(&config.database_url) {
        return Ok(format!("{}: the first start makes it", config.database_url));
    }
    let store = Store::open(&config.database_url).await?;
    let live = Live::load(&store, terms(config)).await?;
    store.close().await;
    Ok(match live.current().number().0 {
        0 => "nothing is published yet: every request will be denied".to_owned(),
        number => format!("release {number} compiles"),
    })
}

async fn log(config: &Config) -> Result<String> {
    let url = &config.audit.database_url;
    if is_missing(url) {
        return Ok(format!("{url}: the first start makes it"));
    }
    AuditReader::open(url).await?;
    Ok(url.clone())
}

fn leaving(place: &Place) -> Result<String> {
    place.look().with_context(|| format!("records can't leave for {place}"))?;
    Ok(format!("records leave for {place}"))
}

/// Discovery, our credentials, and what only Graph can tell.
async fn provider(config: &Config, report: &mut Report) {
    let idp = entra(config).and_then(|settings| Ok(Idp::new(settings, Clock::System)?));
    let idp = match idp {
        Ok(idp) => idp,
        Err(error) => return report.line("entra", Finding::Bad(error)),
    };
    match idp.probe().await {
        Ok(found) => {
            let text = format!("{} with {} keys", found.issuer, found.keys);
            report.line("entra", Finding::Good(text));
        }
        Err(error) => {
            report.line("entra", Finding::Bad(explained(error, config)));
            return credentials(&idp.look_at_credentials().await, config, report);
        }
    }
    let before = report.failed;
    match idp.prove_credentials().await {
        Ok(reports) => credentials(&reports, config, report),
        Err(error) => {
            report.line("secret", Finding::Bad(explained(error, config)));
            return credentials(&idp.look_at_credentials().await, config, report);
        }
    }
    if report.failed > before {
        // Graph can't be asked without a credential; the lines above say why.
        return;
    }
    report.line("names", names(&idp).await);
    if let Some(name) = &config.entra.mfa_context {
        report.line("context", context(&idp, name).await);
    }
}

fn credentials(reports: &[CredentialReport], config: &Config, report: &mut Report) {
    let now = Clock::System.now();
    for one in reports {
        report.line("secret", credential(one, now, config));
    }
}

/// Whether groups can be shown by name. Nobody has the group that is asked for.
async fn names(idp: &Idp) -> Finding {
    let Ok(nobody) = "00000000-0000-4000-8000-000000000000".parse() else {
        return Finding::Good(String::new());
    };
    match idp.group_names(&[nobody]).await {
        Ok(_) => Finding::Good("the names of groups can be read".to_owned()),
        Err(IdpError::NoPermission { permission, .. }) => Finding::Good(format!(
            "groups are shown by id; with the application permission {permission} by name"
        )),
        Err(error) => {
            Finding::Warning(format!("whether groups have names can't be checked now: {error}"))
        }
    }
}

/// What has been checked so far.
#[derive(Debug, Default)]
struct Report {
    failed: usize,
}

impl Report {
    #[expect(clippy::print_stdout, reason = "the lines are what this command is for")]
    fn line(&mut self, what: &str, finding: Finding) {
        match finding {
            Finding::Good(found) => println!("ok    {what:<9} {found}"),
            Finding::Warning(found) => println!("WARN  {what:<9} {found}"),
            Finding::Bad(error) => {
                self.failed += 1;
                println!("FAIL  {what:<9} {error:#}");
            }
        }
    }

    fn end(self) -> Result<()> {
        match self.failed {
            0 => Ok(()),
            1 => bail!("one check failed"),
            failed => bail!("{failed} checks failed"),
        }
    }
}
