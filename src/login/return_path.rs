//! Where a sign-in leads back to: a path of the host that it began on, and nothing else (CWE-601).
//!
//! A strict grammar comes first: what a browser, a proxy or a later reader could take for another host is no return
//! path, whichever way our own parser would read it. Refused texts lead to the front page of the host.

use std::fmt;

use crate::authz::path::read_target;

/// Longest return path, in bytes.
const LONGEST: usize = 2048;

/// A path with its query on the host where the person began, in canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReturnPath(String);

impl ReturnPath {
    /// The front page of the host.
    pub(super) fn front() -> Self {
        Self("/".to_owned())
    }

    /// Reads a path and query. None for anything that is not absolute on its own host, is longer than 2048 bytes, has a
    /// backslash, could be read in two ways, or leads back into signing in and out.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST || text.starts_with("//") || text.contains('\\') {
            return None;
        }
        let target = read_target(text.as_bytes()).ok()?;
        let path = target.path.as_str();
        if path == "/_gate" || path.starts_with("/_gate/") {
            return None;
        }
        Some(match target.query {
            Some(query) => Self(format!("{path}?{query}")),
            None => Self(path.to_owned()),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
