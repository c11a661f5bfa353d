//! `cedargate backup`: a consistent copy of both databases, while the gate runs.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::settings;
use crate::store::Store;
use crate::store::audit::AuditReader;

/// Copies both databases into a new folder. Keys are not in it: whoever had both could read the tokens.
///
/// # Errors
/// When the folder is there already or can't be made, or a database can't be read.
#[expect(clippy::print_stdout, reason = "what was done is what this command says")]
pub async fn run(config: Option<&Path>, dir: &Path) -> Result<()> {
    let config = settings(config)?;
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("can't make the new folder `{}`", dir.display()))?;
    let (log, main) = (dir.join("audit.db"), dir.join("cedargate.db"));
    // The log first: what it took over from the other file must be there.
    AuditReader::open(&config.audit.database_url).await?.copy_to(&log).await?;
    let store = Store::open(&config.database_url).await?;
    store.copy_to(&main).await?;
    store.close().await;
    for path in [&log, &main] {
        sync(path).with_context(|| format!("can't sync `{}`", path.display()))?;
    }
    println!("{} and {}", log.display(), main.display());
    println!(
        "Keep the key directory elsewhere. `cedargate audit verify --database` checks the copy of the log."
    );
    Ok(())
}

/// Owner only, and on the disk.
fn sync(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    std::fs::File::open(path)?.sync_all()
}
