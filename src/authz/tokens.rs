//! A policy's text, word by word: where things stand in it, also before anything parses it.
//!
//! Cedar's own syntax tree keeps its places to itself. What is needed of them is little: where an entity is named, where a
//! clause begins. This reading is for showing and for limits; what a policy means, Cedar alone says.

/// One token, without comments and blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A name, a keyword or a number.
    Word(&'t str),
    /// A string literal as it is written, between its quotes.
    Text(&'t str),
    /// Any other character.
    Mark(char),
}

/// All tokens, each with the byte that it begins at. A string that does not end goes on to the end.
pub(super) fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, token) = next(rest);
        found.extend(token.map(|token| (at, token)));
        at += length;
    }
    found
}

/// How many bytes the next token, comment or blank takes.
fn next(rest: &str) -> (usize, Option<Token<'_>>) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let until = |ends: &dyn Fn(char) -> bool| rest.find(ends).unwrap_or(rest.len());
    match rest.chars().next() {
        Some('/') if rest.starts_with("//") => (until(&|c| c == '\n'), None),
        Some('"') => {
            let length = string(rest);
            (length, rest.get(1..length.saturating_sub(1).max(1)).map(Token::Text))
        }
        Some(c) if c.is_whitespace() => (until(&|c| !c.is_whitespace()), None),
        Some(c) if is_word(c) => {
            let length = until(&|c| !is_word(c));
            (length, rest.get(..length).map(Token::Word))
        }
        Some(c) => (c.len_utf8(), Some(Token::Mark(c))),
        None => (1, None),
    }
}

/// The length of a string literal with its quotes.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    rest.len()
}

/// An entity as a policy's text names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Literal<'t> {
    /// The byte that it begins at.
    pub offset: usize,
    /// `Route`
    pub kind: &'t str,
    /// What stands between the quotes.
    pub id: &'t str,
}

/// All entities that a text names: `Route::"shop/home"`.
pub(super) fn literals(text: &str) -> Vec<Literal<'_>> {
    let all = tokens(text);
    all.windows(4)
        .filter_map(|window| match *window {
            [
                (offset, Token::Word(kind)),
                (_, Token::Mark(':')),
                (_, Token::Mark(':')),
                (_, Token::Text(id)),
            ] => Some(Literal { offset, kind, id }),
            _ => None,
        })
        .collect()
}
