//! Where commands about rules find them: a folder of files, or the live release of the database.

use std::path::Path;

use anyhow::{Context, Result};

use super::placing::by_file;
use super::settings;
use crate::app::terms;
use crate::authz::compile::{MfaSetting, Terms, compile};
use crate::authz::snapshot::Snapshot;
use crate::model::group::GroupNames;
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;
use crate::rule_files::{self, Places};
use crate::store::Store;

/// A rule book, compiled.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) book: RuleBook,
    pub(super) places: Places,
    pub(super) snapshot: Snapshot,
    pub(super) names: GroupNames,
}

impl Source {
    /// The rules in `dir`; without one, those of the live release that the settings lead to.
    ///
    /// A folder needs no settings, so that rules can be tried where no gate is: without any, a rule may ask for MFA and
    /// an app may have any host.
    pub(super) async fn open(config: Option<&Path>, dir: Option<&Path>) -> Result<Self> {
        let ((book, places), terms) = if let Some(dir) = dir {
            (rule_files::read_with_places(dir)?, lenient(config)?)
        } else {
            let config = settings(config)?;
            let store = Store::open(&config.database_url).await?;
            let live = store.live().await?;
            store.close().await;
            let live = live.context("nothing is published yet; name a folder of rules")?;
            ((live.rule_book, Places::default()), terms(&config))
        };
        let snapshot =
            compile(&book, ReleaseNumber(1), &terms).map_err(|error| by_file(&error, &places))?;
        let names = GroupNames::new(book.group_names.clone(), std::sync::Arc::default());
        Ok(Self { book, places, snapshot, names })
    }
}

fn lenient(config: Option<&Path>) -> Result<Terms> {
    let environment = crate::config::environment();
    let given = config.is_some()
        || Path::new("cedargate.toml").exists()
        || environment.keys().any(|name| name.starts_with("CEDARGATE_"));
    if given {
        return Ok(terms(&settings(config)?));
    }
    Ok(Terms { public_host: "cedargate.invalid".parse()?, mfa: MfaSetting::Configured })
}
