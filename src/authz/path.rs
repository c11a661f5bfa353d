//! The one reading of a request target (RFC 3986 section 3.3, RFC 9112 section 3.2.1).
//!
//! Whatever two programs could read differently is refused, never repaired: the route matcher, the rules, the
//! upstream and the record all see the same text. Only unreserved characters are decoded, and only once.
//! Refuses everything that [`PathRefusal`] names.

use std::fmt;

/// Longest path accepted, in bytes.
pub const LONGEST_PATH: usize = 4096;

/// A path that every reader takes for the same path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CanonicalPath(String);

/// A request target in its two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The canonical path.
    pub path: CanonicalPath,
    /// What follows the first `?`, untouched; none without a `?`.
    pub query: Option<&'a str>,
}

/// Which rule of the canonical path a target breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PathRefusal {
    /// A `#`, which only ever belongs to the browser.
    #[error("the address contains a `#`")]
    Fragment,
    /// Not an absolute path: empty, `*` or an authority.
    #[error("the path does not start with `/`")]
    NotAbsolute,
    /// A byte that must not stand in a request target.
    #[error("the address contains a control, non-ASCII or otherwise forbidden byte")]
    ForbiddenByte,
    /// A `%` without two hexadecimal digits.
    #[error("the path contains a `%` that is not followed by two hexadecimal digits")]
    BadEscape,
    /// An encoded control byte.
    #[error("the path contains an encoded control byte")]
    EncodedControl,
    /// An encoded backslash.
    #[error("the path contains an encoded backslash")]
    EncodedBackslash,
    /// An encoded character that separates parts of an address: `/ % ; # ?`.
    #[error("the path contains an encoded `/`, `%`, `;`, `#` or `?`")]
    EncodedDelimiter,
    /// A semicolon: some servers drop what follows it.
    #[error("the path contains a `;`")]
    Semicolon,
    /// Encoded bytes that are not UTF-8.
    #[error("the path contains encoded bytes that are not UTF-8")]
    NotUtf8,
    /// A `.` or `..` segment, in any spelling.
    #[error("the path contains a `.` or `..` segment")]
    DotSegment,
    /// Two slashes in a row.
    #[error("the path contains an empty segment (`//`)")]
    EmptySegment,
    /// Longer than [`LONGEST_PATH`].
    #[error("the path is longer than 4096 bytes")]
    TooLong,
}

impl PathRefusal {
    const ALL: [Self; 12] = [
        Self::Fragment,
        Self::NotAbsolute,
        Self::ForbiddenByte,
        Self::BadEscape,
        Self::EncodedControl,
        Self::EncodedBackslash,
        Self::EncodedDelimiter,
        Self::Semicolon,
        Self::NotUtf8,
        Self::DotSegment,
        Self::EmptySegment,
        Self::TooLong,
    ];

    /// The rule that records name by this word; none for a word that none has.
    pub fn by_rule(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.rule() == word)
    }

    /// The fixed word for records.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Fragment => "fragment",
            Self::NotAbsolute => "not_absolute",
            Self::ForbiddenByte => "forbidden_byte",
            Self::BadEscape => "bad_escape",
            Self::EncodedControl => "encoded_control",
            Self::EncodedBackslash => "encoded_backslash",
            Self::EncodedDelimiter => "encoded_delimiter",
            Self::Semicolon => "semicolon",
            Self::NotUtf8 => "not_utf8",
            Self::DotSegment => "dot_segment",
            Self::EmptySegment => "empty_segment",
            Self::TooLong => "too_long",
        }
    }
}

/// Whether `%2F` may stand in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slashes {
    Refused,
    /// It stays as it is. What it parts must not be a dot segment either, for whoever decodes it after us.
    Kept,
}

/// Reads a raw request target in origin form.
///
/// # Errors
/// The first rule that the target breaks.
pub fn read_target(raw: &[u8]) -> Result<Target<'_>, PathRefusal> {
    read_target_where(raw, |_| false)
}

/// The same, where a path with `%2F` in it is taken when `keeps_slashes` says so of it.
///
/// # Errors
/// The first rule that the target breaks.
pub fn read_target_where(
    raw: &[u8],
    keeps_slashes: impl FnOnce(&CanonicalPath) -> bool,
) -> Result<Target<'_>, PathRefusal> {
    if raw.contains(&b'#') {
        return Err(PathRefusal::Fragment);
    }
    let (path, query) = match raw.iter().position(|byte| *byte == b'?') {
        Some(at) => {
            let (path, rest) = raw.split_at(at);
            (path, rest.split_first().map(|(_, query)| query))
        }
        None => (raw, None),
    };
    let path = CanonicalPath::read_where(path, keeps_slashes)?;
    let query = query.map(read_query).transpose()?;
    Ok(Target { path, query })
}

// The upstream interprets the query; we only keep out what no HTTP reader agrees on.
fn read_query(raw: &[u8]) -> Result<&str, PathRefusal> {
    if raw.iter().all(|byte| (0x21..0x7F).contains(byte)) {
        return std::str::from_utf8(raw).map_err(|_| PathRefusal::ForbiddenByte);
    }
    Err(PathRefusal::ForbiddenByte)
}

impl CanonicalPath {
    /// Reads a raw path without its query.
    ///
    /// # Errors
    /// The first rule that the path breaks.
    pub fn read(raw: &[u8]) -> Result<Self, PathRefusal> {
        Self::read_with(raw, Slashes::Refused)
    }

    /// The same, where a path with `%2F` in it is taken when `keeps_slashes` says so of it.
    ///
    /// # Errors
    /// The first rule that the path breaks.
    pub fn read_where(
        raw: &[u8],
        keeps_slashes: impl FnOnce(&Self) -> bool,
    ) -> Result<Self, PathRefusal> {
        match Self::read(raw) {
            Err(PathRefusal::EncodedDelimiter) => Self::read_with(raw, Slashes::Kept)
                .ok()
                .filter(keeps_slashes)
                .ok_or(PathRefusal::EncodedDelimiter),
            read => read,
        }
    }

    /// The same path with all ASCII letters in lower case, but for the digits of escapes: as an app reads it that does not
    /// tell `/Admin` from `/admin`.
    #[must_use]
    pub fn folded(&self) -> Self {
        Self(fold(&self.0))
    }

    fn read_with(raw: &[u8], slashes: Slashes) -> Result<Self, PathRefusal> {
        if raw.len() > LONGEST_PATH {
            return Err(PathRefusal::TooLong);
        }
        let Some((b'/', rest)) = raw.split_first() else {
            return Err(PathRefusal::NotAbsolute);
        };
        if raw.iter().copied().any(is_forbidden) {
            return Err(PathRefusal::ForbiddenByte);
        }
        let mut canonical = String::with_capacity(raw.len());
        let mut segments = rest.split(|byte| *byte == b'/').peekable();
        while let Some(segment) = segments.next() {
            canonical.push('/');
            let text = read_segment(segment, slashes)?;
            // An empty last segment is the trailing slash, a resource of its own.
            if text.is_empty() && segments.peek().is_some() {
                return Err(PathRefusal::EmptySegment);
            }
            canonical.push_str(&text);
        }
        Ok(Self(canonical))
    }

    /// The path, starting with `/`, as everybody sees it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments, still percent-encoded; the last is empty when the path ends in `/`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

impl From<CanonicalPath> for String {
    fn from(path: CanonicalPath) -> Self {
        path.0
    }
}

impl fmt::Display for CanonicalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_forbidden(byte: u8) -> bool {
    !(0x21..0x7F).contains(&byte) || br#"\"<>^`{|}?#"#.contains(&byte)
}

/// Escapes have upper-case digits in a canonical path, and no letters otherwise: `%C3` stays.
pub(super) fn fold(text: &str) -> String {
    let mut digits = 0_u8;
    let fold = |c: char| {
        let kept = digits > 0;
        digits = if c == '%' { 2 } else { digits.saturating_sub(1) };
        if kept { c } else { c.to_ascii_lowercase() }
    };
    text.chars().map(fold).collect()
}

fn read_segment(raw: &[u8], slashes: Slashes) -> Result<String, PathRefusal> {
    let mut text = String::with_capacity(raw.len());
    let mut decoded = Vec::with_capacity(raw.len());
    let mut semicolon = false;
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            semicolon |= byte == b';';
            decoded.push(byte);
            text.push(char::from(byte));
            continue;
        }
        let value = escape_value(bytes.next(), bytes.next()).ok_or(PathRefusal::BadEscape)?;
        refuse_escape(value, slashes)?;
        decoded.push(value);
        if is_unreserved(value) {
            text.push(char::from(value));
        } else {
            text.push('%');
            text.extend([hex_digit(value >> 4), hex_digit(value & 0x0F)]);
        }
    }
    if std::str::from_utf8(&decoded).is_err() {
        return Err(PathRefusal::NotUtf8);
    }
    let parts = text.split("%2F").map(|part| part.split(';').next());
    if parts.into_iter().any(|part| matches!(part, Some("." | ".."))) {
        return Err(PathRefusal::DotSegment);
    }
    if semicolon { Err(PathRefusal::Semicolon) } else { Ok(text) }
}

fn escape_value(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase()
}

fn refuse_escape(value: u8, slashes: Slashes) -> Result<(), PathRefusal> {
    match value {
        b'/' if slashes == Slashes::Kept => Ok(()),
        0x00..=0x1F | 0x7F => Err(PathRefusal::EncodedControl),
        b'\\' => Err(PathRefusal::EncodedBackslash),
        b'/' | b'%' | b';' | b'#' | b'?' => Err(PathRefusal::EncodedDelimiter),
        _ => Ok(()),
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
