//! What a browser calls itself. Anybody can send anything here: it is shown to its own person, and nothing is decided on it.

use std::fmt;

/// A `User-Agent`, shortened and without anything that is not printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(String);

/// Characters that are kept. Real ones are shorter.
const LONGEST: usize = 256;

/// What is looked for, in this order: most browsers also claim to be those they descend from.
const BROWSERS: [(&str, &str); 10] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "Python"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

impl UserAgent {
    /// Reads the value of the header; none when nothing of it can be printed.
    pub fn read(header: &[u8]) -> Option<Self> {
        let printable = header.iter().map(|byte| char::from(*byte));
        let printable = printable.filter(|c| c.is_ascii_graphic() || *c == ' ');
        let text: String = printable.take(LONGEST).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// As it was sent, as far as it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `Firefox on Linux`
    pub fn family(&self) -> String {
        let of = |table: &[(&str, &'static str)]| {
            table.iter().find(|(sign, _)| self.0.contains(sign)).map(|(_, name)| *name)
        };
        let browser = of(&BROWSERS).unwrap_or("Another browser");
        of(&SYSTEMS).map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}"))
    }
}

impl fmt::Display for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
