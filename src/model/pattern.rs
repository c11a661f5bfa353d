//! Path patterns: which canonical paths a route covers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::ParameterName;

/// A pattern over canonical paths: literal segments, `{name}` for one segment, `{*name}` last for the rest.
///
/// `/reports/{year}` covers `/reports/2026`. `/finance/{*rest}` covers everything below `/finance`, and `/finance` and
/// `/finance/` themselves unless another route names them: protecting an area never leaves its doorstep open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern {
    text: String,
    segments: Vec<PatternSegment>,
}

/// Bytes of a pattern.
const LONGEST_PATTERN: usize = 1024;
/// Segments of a pattern.
const MOST_SEGMENTS: usize = 64;

/// One segment of a [`PathPattern`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatternSegment {
    /// These bytes exactly, in canonical percent-encoding. Empty only as the last one: a trailing slash.
    Literal(String),
    /// Any one non-empty segment, kept under this name.
    Parameter(String),
    /// All that is left, at least one byte, kept under this name.
    CatchAll(String),
}

/// Why a text is not a path pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a path pattern: {why}")]
pub struct InvalidPattern {
    /// The text as it was given, cut to 200 characters.
    pub pattern: String,
    /// What is wrong with it, in words.
    pub why: &'static str,
}

impl PathPattern {
    /// The segments after the first slash; `/` has one empty literal.
    pub fn segments(&self) -> &[PatternSegment] {
        &self.segments
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Names of all parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            PatternSegment::Literal(_) => None,
            PatternSegment::Parameter(name) | PatternSegment::CatchAll(name) => Some(name.as_str()),
        })
    }

    /// Whether `other` lies below this pattern: the parent test of the route tree, a strict partial order.
    ///
    /// `/` contains everything; `/finance` contains `/finance/summary`; `/finance/{*rest}` contains both; `{year}`
    /// contains `2026`. So a rule about a wide pattern also reaches the narrow routes carved out of it.
    pub fn contains(&self, other: &Self) -> bool {
        let (own, theirs) = (self.fixed(), other.fixed());
        let aligned = own.len() <= theirs.len()
            && own.iter().zip(theirs).all(|(own, theirs)| own.covers(theirs));
        let wider = || {
            own.iter().zip(theirs).any(|(own, theirs)| own.is_parameter() && !theirs.is_parameter())
        };
        let deeper = own.len() < theirs.len();
        aligned && (deeper || wider() || self.tail() > other.tail())
    }

    /// The paths that both cover, when there are any and neither contains the other.
    ///
    /// Such a path would go to one of the two and escape the rules about the other one.
    pub fn crossing(&self, other: &Self) -> Option<Crossing> {
        if self == other || self.contains(other) || other.contains(self) {
            return None;
        }
        let (short, long) =
            if self.fixed().len() <= other.fixed().len() { (self, other) } else { (other, self) };
        let deeper = short.fixed().len() < long.fixed().len();
        let meet = if deeper {
            short.tail() == Tail::CatchAll
        } else {
            short.tail() == long.tail() || short.tail().max(long.tail()) == Tail::CatchAll
        };
        if !meet {
            return None;
        }
        let pairs = short.fixed().iter().zip(long.fixed());
        let mut segments: Vec<_> = pairs.map(|(a, b)| a.meet(b)).collect::<Option<_>>()?;
        segments.extend(long.fixed().iter().skip(segments.len()).cloned());
        let tail = if deeper { long.tail() } else { short.tail().min(long.tail()) };
        Some(Crossing { segments, tail })
    }

    /// The segments without the open end: neither a catch-all nor the empty one behind a trailing slash.
    pub fn fixed(&self) -> &[PatternSegment] {
        match self.segments.split_last() {
            Some((last, before)) if last.tail() != Tail::Leaf => before,
            Some(_) | None => &self.segments,
        }
    }

    fn tail(&self) -> Tail {
        self.segments.last().map_or(Tail::Leaf, PatternSegment::tail)
    }
}

/// The paths that two patterns cover in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    segments: Vec<PatternSegment>,
    tail: Tail,
}

impl Crossing {
    /// The segments without the open end.
    pub fn segments(&self) -> &[PatternSegment] {
        &self.segments
    }

    /// Whether `pattern` covers exactly these paths, or these and what lies below them.
    pub fn is_covered_by(&self, pattern: &PathPattern) -> bool {
        let own = pattern.fixed();
        let same = |(a, b): (&PatternSegment, &PatternSegment)| {
            a == b || (a.is_parameter() && b.is_parameter())
        };
        let ends = pattern.tail() == self.tail || pattern.tail() == Tail::CatchAll;
        ends && own.len() == self.segments.len() && own.iter().zip(&self.segments).all(same)
    }
}

/// How a pattern ends, narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tail {
    /// `/finance/`
    Slash,
    /// `/finance`
    Leaf,
    /// `/finance/{*rest}`
    CatchAll,
}

impl PatternSegment {
    fn tail(&self) -> Tail {
        match self {
            Self::Literal(text) if text.is_empty() => Tail::Slash,
            Self::Literal(_) | Self::Parameter(_) => Tail::Leaf,
            Self::CatchAll(_) => Tail::CatchAll,
        }
    }

    fn is_parameter(&self) -> bool {
        match self {
            Self::Parameter(_) => true,
            Self::Literal(_) | Self::CatchAll(_) => false,
        }
    }

    /// The narrower of two fixed segments; none when no text matches both.
    fn meet(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Parameter(_), _) => Some(other.clone()),
            (_, Self::Parameter(_)) => Some(self.clone()),
            (Self::Literal(_) | Self::CatchAll(_), Self::Literal(_) | Self::CatchAll(_)) => {
                (self == other).then(|| self.clone())
            }
        }
    }

    /// Whether this fixed segment matches all that `other` matches.
    fn covers(&self, other: &Self) -> bool {
        match self {
            Self::Parameter(_) => true,
            Self::Literal(_) | Self::CatchAll(_) => self == other,
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => match name.strip_prefix('*') {
                Some(name) => parameter_name(name).map(Self::CatchAll),
                None => parameter_name(name).map(Self::Parameter),
            },
            None => literal(text).map(Self::Literal),
        }
    }
}

fn parameter_name(name: &str) -> Result<String, &'static str> {
    let problem = "a parameter name is 1 to 40 of a-z, 0-9 and _, starting with a letter";
    name.parse::<ParameterName>().map(String::from).map_err(|_| problem)
}

/// A literal segment must have one spelling only, the canonical path's: a second one would slip past its route.
///
/// So it holds unreserved characters, and `%XX` for bytes that a path can't hold otherwise. Characters such as `:` or
/// `@` can also be sent as `%3A` or `%40`, which most apps read as the same (RFC 3986 section 2.2); where they matter,
/// the segment must be a `{parameter}`.
fn literal(text: &str) -> Result<String, &'static str> {
    if text == "." || text == ".." {
        return Err("`.` and `..` never occur in a canonical path");
    }
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => check_code(bytes.next(), bytes.next())?,
            byte if is_unreserved(byte) => {}
            b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' => {
                return Err(
                    "`: @ ! $ & ' ( ) * + , =` can be spelled in two ways; make the segment a `{parameter}`",
                );
            }
            _ => {
                return Err(
                    "a literal segment holds letters, digits, `- . _ ~`, and %XX for other characters",
                );
            }
        }
    }
    Ok(text.to_owned())
}

/// A percent-encoding in a literal must stand for a byte that has no other spelling in a canonical path.
fn check_code(high: Option<u8>, low: Option<u8>) -> Result<(), &'static str> {
    let digit = |byte: Option<u8>| match byte? {
        byte @ b'0'..=b'9' => Some(byte - b'0'),
        byte @ b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        return Err("`%` must be followed by two upper-case hex digits");
    };
    match high * 16 + low {
        b' ' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => Ok(()),
        _ => Err("this %XX never occurs in a canonical path, or has a second spelling there"),
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

impl FromStr for PathPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let fail = |why| InvalidPattern { pattern: text.chars().take(200).collect(), why };
        if text.len() > LONGEST_PATTERN {
            return Err(fail("it is longer than 1024 bytes"));
        }
        let rest = text.strip_prefix('/').ok_or_else(|| fail("it must start with `/`"))?;
        let segments: Vec<_> =
            rest.split('/').map(PatternSegment::parse).collect::<Result<_, _>>().map_err(fail)?;
        if segments.len() > MOST_SEGMENTS {
            return Err(fail("it has more than 64 segments"));
        }
        check_order(&segments).map_err(fail)?;
        Ok(Self { text: text.to_owned(), segments })
    }
}

fn check_order(segments: &[PatternSegment]) -> Result<(), &'static str> {
    let (_, before) =
        segments.split_last().unwrap_or((&PatternSegment::Literal(String::new()), &[]));
    if before.iter().any(|segment| matches!(segment, PatternSegment::CatchAll(_))) {
        return Err("a catch-all `{*name}` must be the last segment");
    }
    if before.iter().any(|segment| segment.tail() == Tail::Slash) {
        return Err("empty segments (`//`) never occur in a canonical path");
    }
    let mut names: Vec<_> = segments
        .iter()
        .filter_map(|segment| match segment {
            PatternSegment::Literal(_) => None,
            PatternSegment::Parameter(name) | PatternSegment::CatchAll(name) => Some(name),
        })
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    (names.len() == count).then_some(()).ok_or("each parameter name may occur once")
}

impl TryFrom<String> for PathPattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
