//! How far records have left: the id of the last one, in a file beside the log.
//!
//! It is replaced whole, and only once the lines are where they belong. Without it, or with one that says nothing, all
//! that is in the log leaves again.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::audit::error::AuditError;
use crate::audit::tail::sync_folder;
use crate::model::id::DecisionId;

/// The file beside the log in `log`.
pub(super) fn beside(log: &Path) -> PathBuf {
    with_ending(log, ".outlet")
}

/// The last record that has left; none when that is not known.
///
/// # Errors
/// When the file is there and can't be read.
pub(super) fn known(path: &Path) -> Result<Option<DecisionId>, AuditError> {
    match fs::read(path) {
        Ok(bytes) => Ok(std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AuditError::File { doing: "read", path: path.to_owned(), source }),
    }
}

/// Notes that records up to this one have left.
///
/// # Errors
/// When the file can't be replaced.
pub(super) fn keep(path: &Path, last: DecisionId) -> Result<(), AuditError> {
    let failed = |source| AuditError::File { doing: "replace", path: path.to_owned(), source };
    replace(path, &format!("{last}\n")).map_err(failed)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let aside = with_ending(path, "-new");
    let mut file = File::create(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    fs::rename(&aside, path)?;
    sync_folder(path)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
