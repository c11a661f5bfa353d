//! The end of a file that only grows.
//!
//! Only a regular file is taken: of a pipe or a device nobody can tell what has arrived, and opening one may wait for ever.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens it, to write at its end. Readable for its group, since whoever collects it is another program.
pub(super) fn open(path: &Path) -> io::Result<File> {
    refuse_others(path)?;
    File::options().read(true).append(true).create(true).mode(0o640).open(path)
}

/// Opens it, to read.
pub(super) fn read(path: &Path) -> io::Result<File> {
    refuse_others(path)?;
    File::open(path)
}

fn refuse_others(path: &Path) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok(())
}

/// Puts whole lines there, and returns once they are durable.
pub(super) fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    end_torn_line(&mut file, length)?;
    file.write_all(lines)?;
    file.sync_data()?;
    // That the file is there must be as durable as what stands in it.
    if length == 0 { sync_folder(path) } else { Ok(()) }
}

/// A line that a crash or a full disk cut off stays alone: what comes next begins a line of its own.
fn end_torn_line(file: &mut File, length: u64) -> io::Result<()> {
    let Some(last) = length.checked_sub(1) else { return Ok(()) };
    let mut byte = [0];
    file.seek(SeekFrom::Start(last))?;
    file.read_exact(&mut byte)?;
    if byte == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// Makes durable that a file is in its folder.
pub(super) fn sync_folder(of: &Path) -> io::Result<()> {
    File::open(folder(of))?.sync_all()
}

/// The folder that a file lies in.
pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}
