//! What an index files records under, so that queries need not read them all.
//!
//! Filing and matching ([`super::matching`]) read records with the same functions: what a query finds is filed under what
//! it asks for.

use serde_json_borrow::Value;

use super::matching::{address, effect, list, mfa, number, text, texts};
use super::{Evidence, NumberKey, TextKey};

/// What a mark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarkKey {
    /// Every record has it, with an empty value.
    All,
    /// A text of the record.
    Text(TextKey),
    /// What became of the request.
    Effect,
    /// Whether the MFA context was met.
    Mfa,
    /// The client's address.
    Ip,
    /// A number of the record.
    Number(NumberKey),
    /// The content hash of the principal, in hex.
    Principal,
    /// A name of the principal, which words are looked for in.
    Name,
}

impl MarkKey {
    /// Its word in the index.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Text(key) => key.as_str(),
            Self::Effect => "effect",
            Self::Mfa => "mfa",
            Self::Ip => "ip",
            Self::Number(key) => key.as_str(),
            Self::Principal => "principal",
            Self::Name => "name",
        }
    }
}

/// A key and a value, in small letters where they are ASCII.
pub type Mark = (MarkKey, String);

/// Keys whose values stand in the body. Those of the principal are filed once for all of its records.
const OF_BODY: [TextKey; 11] = [
    TextKey::Kind,
    TextKey::Route,
    TextKey::App,
    TextKey::Host,
    TextKey::Path,
    TextKey::Method,
    TextKey::Reason,
    TextKey::Policy,
    TextKey::Grant,
    TextKey::Session,
    TextKey::Door,
];

/// Names of the principal, in its content.
const NAMES: [&str; 4] = ["name", "user_name", "email", "client"];

/// Requests that are filed together: each has a number of its own, and an index of single ones would be as large as the log.
const REQUESTS: u64 = 4_096;

impl Evidence<'_> {
    /// What the record is filed under, besides what its principal is.
    pub fn marks(&self) -> Vec<Mark> {
        let mut marks = vec![(MarkKey::All, String::new())];
        // Without the content of the principal there is no other person in it than those of the body.
        let bare = Evidence { principal: &Value::Null, ..*self };
        for key in OF_BODY.into_iter().chain([TextKey::User]) {
            marks.extend(texts(key, &bare, &Nobody).into_iter().map(|text| filed(key, &text)));
        }
        let request = text(self.body, "request").map(request_mark);
        marks.extend(request.map(|mark| (MarkKey::Text(TextKey::Request), mark)));
        marks.extend(effect(self).map(|effect| (MarkKey::Effect, effect.as_str().to_owned())));
        marks.extend(mfa(self.body).map(|mfa| (MarkKey::Mfa, mfa.as_str().to_owned())));
        marks.extend(address(self.body).map(|address| (MarkKey::Ip, address.to_string())));
        for key in [NumberKey::Release, NumberKey::Ms] {
            let number = number(key, self.body).map(|number| number.to_string());
            marks.extend(number.map(|number| (MarkKey::Number(key), number)));
        }
        marks
    }

    /// What all records of a principal are filed under.
    pub fn marks_of<'a>(principal: &'a Value<'a>) -> Vec<Mark> {
        let people = ["subject"].iter().chain(&NAMES).filter_map(|name| text(principal, name));
        let mut marks: Vec<_> = people.map(|text| filed(TextKey::User, text)).collect();
        let names = NAMES.iter().filter_map(|name| text(principal, name));
        marks.extend(names.map(|name| (MarkKey::Name, name.to_ascii_lowercase())));
        for (key, name) in [(TextKey::Group, "groups"), (TextKey::Role, "roles")] {
            marks.extend(list(principal, name).iter().map(|value| filed(key, value)));
        }
        marks
    }
}

fn filed(key: TextKey, text: &str) -> Mark {
    (MarkKey::Text(key), text.to_ascii_lowercase())
}

/// What a request's id is filed under: together with those that came around the same time.
pub fn request_mark(id: &str) -> String {
    let id = id.to_ascii_lowercase();
    let numbered = id.rsplit_once('-');
    let numbered =
        numbered.and_then(|(process, number)| Some((process, number.parse::<u64>().ok()?)));
    numbered
        .map_or_else(|| id.clone(), |(process, number)| format!("{process}-{}", number / REQUESTS))
}

/// Knows no names: those of groups are looked up when a query is read.
struct Nobody;

impl super::Known for Nobody {
    fn now(&self) -> super::super::time::Timestamp {
        super::super::time::Timestamp::from_seconds(0)
    }

    fn group_names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}
