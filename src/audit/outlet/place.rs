//! Where records leave to: standard output, or the end of a file.
//!
//! The file is opened anew for every page, so that `logrotate` may move it away at any time and a new one comes into
//! being. Only a regular file is taken: of a pipe or a device nobody can tell what has arrived.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::{fmt, fs};

use crate::audit::tail::{append, folder, open};

/// Where records leave to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Standard output. The process's own log lines go to standard error.
    Stdout,
    /// The end of a file.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

impl Place {
    /// Whether it takes lines, as far as can be told without making anything.
    ///
    /// # Errors
    /// When the file that is there can't be appended to, or is to come into being in no folder.
    pub fn look(&self) -> io::Result<()> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(path) if path.exists() => open(path).map(|_| ()),
            Self::File(path) => fs::read_dir(folder(path)).map(|_| ()),
        }
    }

    /// Whether it takes lines. A file that is not there comes into being.
    pub(super) fn open(&self) -> io::Result<()> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(path) => open(path).map(|_| ()),
        }
    }

    /// Puts whole lines there, and returns once they are flushed and, in a file, durable.
    pub(super) fn put(&self, lines: &[u8], before: Before) -> io::Result<()> {
        match self {
            Self::Stdout => print(lines, before),
            Self::File(path) => append(path, lines),
        }
    }
}

/// How the attempt before this one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// With whole lines, or there was none.
    Whole,
    /// It failed, and may have left a part of a line.
    Failed,
}

fn print(lines: &[u8], before: Before) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if before == Before::Failed {
        out.write_all(b"\n")?;
    }
    out.write_all(lines)?;
    out.flush()
}
