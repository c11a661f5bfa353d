//! Which browser somebody uses, as far as they say: a family and a system, in words of ours.
//!
//! What browsers send (`User-Agent`, RFC 9110 section 10.1.5) is a text of the visitor's choosing. Nothing of it is kept,
//! only which of a few words it stands for; so no hostile text gets anywhere by this way, and nobody is told apart by it.

use std::fmt;
use std::str::FromStr;

/// A browser's family, and the system that it runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Browser {
    family: &'static str,
    system: Option<&'static str>,
}

/// What stands for which family. The first that is found counts: newer browsers also name those that they are like.
const FAMILIES: [(&str, &str); 12] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "Python"),
];

/// What stands for which system, in the same way.
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// The family of whatever no word stands for.
const OTHER: &str = "Another browser";

impl Browser {
    /// What a `User-Agent` says.
    pub fn of(user_agent: &str) -> Self {
        let word = |words: &[(&str, &'static str)]| {
            words.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, word)| *word)
        };
        Self { family: word(&FAMILIES).unwrap_or(OTHER), system: word(&SYSTEMS) }
    }
}

/// `Firefox on Windows`
impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.system {
            Some(system) => write!(f, "{} on {system}", self.family),
            None => f.write_str(self.family),
        }
    }
}

/// A text that names no browser that we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it names no browser")]
pub struct InvalidBrowser;

/// The same text back.
impl FromStr for Browser {
    type Err = InvalidBrowser;

    fn from_str(text: &str) -> Result<Self, InvalidBrowser> {
        let (family, system) = match text.split_once(" on ") {
            Some((family, system)) => (family, Some(system)),
            None => (text, None),
        };
        let known = |words: &[(&str, &'static str)], text: &str| {
            words.iter().map(|(_, word)| *word).find(|word| *word == text).ok_or(InvalidBrowser)
        };
        let family = if family == OTHER { OTHER } else { known(&FAMILIES, family)? };
        Ok(Self { family, system: system.map(|system| known(&SYSTEMS, system)).transpose()? })
    }
}
