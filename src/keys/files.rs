//! Key files: made once, whole or not at all, and readable by their owner only.
//!
//! Refuses symbolic links to nowhere, directories in place of files, and any access of group or others.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::KeysError;

/// Largest key file read, in bytes. A PEM key takes about 240.
const LARGEST: u64 = 16 * 1024;

/// Creates `dir` with mode 0700, or checks that nobody else can get into it.
pub(super) fn ensure_directory(dir: &Path) -> Result<(), KeysError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(KeysError::io("create the key directory", dir))?;
    let found = fs::metadata(dir).map_err(KeysError::io("look at the key directory", dir))?;
    refuse_exposed(dir, found.permissions().mode(), "0700")
}

/// The bytes of the key file at `path`; `make` gives those of a new one when there is none.
pub(super) fn read_or_make(
    path: &Path,
    make: fn() -> Result<Vec<u8>, KeysError>,
) -> Result<Vec<u8>, KeysError> {
    match File::open(path) {
        Ok(file) => read(path, &file),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let bytes = make()?;
            write(path, &bytes)?;
            Ok(bytes)
        }
        Err(error) => Err(KeysError::io("open the key file", path)(error)),
    }
}

// The mode is taken from the open file, so that nobody can swap it between the check and the read.
fn read(path: &Path, file: &File) -> Result<Vec<u8>, KeysError> {
    let found = file.metadata().map_err(KeysError::io("look at the key file", path))?;
    refuse_exposed(path, found.permissions().mode(), "0400")?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(KeysError::io("read the key file", path))?;
    Ok(bytes)
}

fn refuse_exposed(path: &Path, mode: u32, wanted: &'static str) -> Result<(), KeysError> {
    let mode = mode & 0o7777;
    let open_to_others = mode & 0o077;
    if open_to_others != 0 {
        return Err(KeysError::Exposed { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

// Written aside, synced and renamed: after a crash there is a whole key or none.
fn write(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let outcome = write_aside(&aside, bytes)
        .and_then(|()| fs::rename(&aside, path))
        .and_then(|()| path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all()));
    outcome.map_err(|error| {
        // Best effort: the first error is the one to report.
        let _ = fs::remove_file(&aside);
        KeysError::io("write the key file", path)(error)
    })
}

fn write_aside(aside: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A leftover of a crash under the same process id holds a key that nobody ever used.
    match fs::remove_file(aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(aside)?;
    file.write_all(bytes)?;
    file.sync_all()
}
