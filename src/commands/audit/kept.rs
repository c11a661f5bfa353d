//! Checkpoints that were kept elsewhere, as files hold them: anchor files, and lines of the process's log.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::audit::checkpoint::{Checkpoint, notes};

/// All that these files hold, as notes.
///
/// # Errors
/// When one can't be read, or holds none.
pub(super) fn kept(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("can't read the checkpoint `{}`", path.display()))?;
        // In lines of the process's log a note is quoted.
        let text = text.replace("\\n", "\n").replace("\"cedargate/audit/", "\ncedargate/audit/");
        let (found, torn): (Vec<_>, Vec<_>) =
            notes(&text).into_iter().partition(|note| Checkpoint::unverified(note).is_ok());
        if found.is_empty() {
            bail!("`{}` holds no checkpoint", path.display());
        }
        if !torn.is_empty() {
            left_out(path, torn.len());
        }
        all.extend(found);
    }
    Ok(all)
}

/// A note is torn where a disk was full, or where a file was cut.
#[expect(clippy::print_stderr, reason = "it is no part of the answer")]
fn left_out(path: &Path, count: usize) {
    let are = if count == 1 { "is" } else { "are" };
    eprintln!(
        "{count} of the checkpoints in `{}` can't be read and {are} left out",
        path.display()
    );
}
