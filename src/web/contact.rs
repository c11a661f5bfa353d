//! Whom to ask, as the settings or a route name them: free words, and an e-mail address where there is one among them.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but letters, digits and such as ids are made of.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// In the words of whoever wrote it down.
    pub words: String,
    /// A letter to the address among them.
    pub letter: Option<Letter>,
}

/// The beginning of an e-mail (RFC 6068), safe in `href`: its address is made of plain characters alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter(String);

impl Contact {
    /// Whom `words` name. The letter is about `subject`.
    pub fn new(words: &str, subject: &str) -> Self {
        Self { words: words.to_owned(), letter: Letter::among(words, subject) }
    }
}

impl Letter {
    /// To the first e-mail address in a text.
    fn among(text: &str, subject: &str) -> Option<Self> {
        let around = |c: char| matches!(c, ',' | ';' | ':' | '.' | '<' | '>' | '(' | ')');
        let mut words = text.split_whitespace().map(|word| word.trim_matches(around));
        let address = words.find(|word| is_address(word))?;
        let subject = utf8_percent_encode(subject, RESERVED);
        Some(Self(format!("mailto:{address}?subject={subject}")))
    }
}

/// Far fewer than RFC 5322 allows: such as people use, and nothing that means something in an address of ours.
fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    text.split_once('@').is_some_and(|(name, host)| {
        let whole = !name.is_empty() && host.contains('.');
        whole && name.chars().all(plain) && host.chars().all(plain)
    })
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
