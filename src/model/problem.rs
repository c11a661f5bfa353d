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
    /// A problem at `place`, each of both in [`one_line`].
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: one_line(&place.into()), what: one_line(&what.into()) }
    }
}

/// Characters of a message; what it quotes may be of any length.
const LONGEST_MESSAGE: usize = 1_000;

/// A message as one line that a terminal can show: control characters become spaces, and what is too long is cut.
pub fn one_line(text: &str) -> String {
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line: String = characters.by_ref().take(LONGEST_MESSAGE).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
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

/// A place in a text, as editors count: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// Of byte `offset` of `text`; the end of the text where it ends before.
    pub fn at(text: &str, offset: usize) -> Self {
        let before = text.char_indices().take_while(|(at, _)| *at < offset);
        before.fold(Self { line: 1, column: 1 }, |place, (_, character)| match character {
            '\n' => Self { line: place.line + 1, column: 1 },
            _ => Self { column: place.column + 1, ..place },
        })
    }
}

/// `line:column`
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
