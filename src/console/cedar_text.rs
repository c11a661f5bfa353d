//! Cedar text cut into coloured pieces for reading. It colours; it does not parse, and joined together the pieces are
//! the text again.

/// One piece of Cedar text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it looks like.
    pub kind: TokenKind,
    /// The text.
    pub text: String,
}

/// What a piece of Cedar text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `permit`, `when`, `in`, …
    Keyword,
    /// `principal`, `action`, `resource`, `context`
    Variable,
    /// A name followed by `::`.
    Type,
    /// `"…"`
    Text,
    /// `// …`
    Comment,
    /// `@id`
    Annotation,
    /// Everything else.
    Other,
}

impl TokenKind {
    /// Its class in the style sheet; plain text has none.
    pub fn class(self) -> Option<&'static str> {
        match self {
            Self::Keyword => Some("tok-kw"),
            Self::Variable => Some("tok-var"),
            Self::Type => Some("tok-type"),
            Self::Text => Some("tok-str"),
            Self::Comment => Some("tok-com"),
            Self::Annotation => Some("tok-ann"),
            Self::Other => None,
        }
    }
}

const KEYWORDS: [&str; 13] = [
    "permit", "forbid", "when", "unless", "if", "then", "else", "in", "has", "like", "is", "true",
    "false",
];
const VARIABLES: [&str; 4] = ["principal", "action", "resource", "context"];

/// Cuts `text` into pieces.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => text_length(rest),
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            c if is_word(c) || c == '@' => {
                first.len_utf8() + word_length(rest.get(first.len_utf8()..))
            }
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        push(&mut out, Token { kind: kind(piece, after), text: piece.to_owned() });
        rest = after;
    }
    out
}

/// Runs of plain text stay one piece.
fn push(out: &mut Vec<Token>, token: Token) {
    match out.last_mut() {
        Some(last) if last.kind == TokenKind::Other && token.kind == TokenKind::Other => {
            last.text.push_str(&token.text);
        }
        Some(_) | None => out.push(token),
    }
}

fn kind(piece: &str, after: &str) -> TokenKind {
    match piece.chars().next() {
        Some('"') => TokenKind::Text,
        Some('/') if piece.starts_with("//") => TokenKind::Comment,
        Some('@') => TokenKind::Annotation,
        Some(_) if after.starts_with("::") => TokenKind::Type,
        Some(_) if KEYWORDS.contains(&piece) => TokenKind::Keyword,
        Some(_) if VARIABLES.contains(&piece) => TokenKind::Variable,
        Some(_) | None => TokenKind::Other,
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word_length(rest: Option<&str>) -> usize {
    rest.unwrap_or_default().chars().take_while(|c| is_word(*c)).count()
}

/// From the opening quote to the closing one, or to the end when there is none.
fn text_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}
