//! `cedargate check`: settings, keys, databases, rule book, Entra; one line each, all problems at once.

use std::path::Path;

use anyhow::{Result, bail};

use super::settings;
use crate::app::{entra, terms};
use crate::config::Config;
use crate::idp::Idp;
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
    report.line("settings", Ok(format!("public_url {}", config.public_url)));
    let keys = Keys::open(&config.keys.directory);
    report.line(
        "keys",
        keys.map(|_| config.keys.directory.display().to_string()).map_err(Into::into),
    );
    report.line("rules", rules(&config).await);
    let log = AuditReader::open(&config.audit.database_url).await;
    report.line("audit", log.map(|_| config.audit.database_url.clone()).map_err(Into::into));
    report.line("entra", discovery(&config).await);
    report.end()
}

async fn rules(config: &Config) -> Result<String> {
    let store = Store::open(&config.database_url).await?;
    let live = Live::load(&store, terms(config)).await?;
    store.close().await;
    Ok(match live.current().number().0 {
        0 => "nothing is published yet: every request will be denied".to_owned(),
        number => format!("release {number} compiles"),
    })
}

async fn discovery(config: &Config) -> Result<String> {
    let found = Idp::new(entra(config)?, Clock::System)?.probe().await?;
    Ok(format!("{} with {} keys", found.issuer, found.keys))
}

/// What has been checked so far.
#[derive(Debug, Default)]
struct Report {
    failed: usize,
}

impl Report {
    #[expect(clippy::print_stdout, reason = "the lines are what this command is for")]
    fn line(&mut self, what: &str, outcome: Result<String>) {
        match outcome {
            Ok(found) => println!("ok    {what:<9} {found}"),
            Err(error) => {
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
