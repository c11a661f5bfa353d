//! Problems in what a person wrote (settings, rule files): all of them at once, each with its place and its remedy.

use std::fmt;

/// One thing that a person has to put right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it is: `cedargate.toml:4: entra.tenant`, or the name of an environment variable.
    pub place: String,
    /// What is wrong and what to do about it. Never holds a secret.
    pub what: String,
}

impl Problem {
    /// A problem at `place`; line breaks become spaces, so that each problem stays one line.
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        let one_line = |text: String| text.replace(['\r', '\n'], " ");
        Self { place: one_line(place.into()), what: one_line(what.into()) }
    }
}

/// `place: what`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Every problem that was found, at least one. Prints one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Fails when anything is wrong, and gives `value` otherwise.
    ///
    /// # Errors
    /// When `found` is not empty.
    pub fn none_in<T>(found: Vec<Problem>, value: T) -> Result<T, Self> {
        if found.is_empty() { Ok(value) } else { Err(Self(found)) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for problem in &self.0 {
            write!(f, "{separator}{problem}")?;
            separator = "\n";
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The line, counted from 1, on which byte `offset` of `text` lies.
pub fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
