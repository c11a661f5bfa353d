//! JSON objects read without giving way: no member twice, not even in another case.
//!
//! A struct ignores members it does not know and a map keeps the last of two, so two readers of one token can see two
//! different tenants. RFC 7519 section 4 wants claim names to be unique; here a token that breaks it is refused.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// The members of an object, each there once.
#[derive(Debug)]
pub(super) struct Members(BTreeMap<String, Value>);

impl Members {
    /// Reads `json`, which must be an object; else says in one word what it is not.
    pub(super) fn parse(json: &[u8]) -> Result<Self, &'static str> {
        serde_json::from_slice(json).map_err(|_| {
            let object = serde_json::from_slice::<serde_json::Map<String, Value>>(json);
            if object.is_ok() { "duplicate" } else { "format" }
        })
    }

    /// The member `name`, in exactly this spelling.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The member `name` as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The member `name` as whole seconds. A fraction or an exponent is no answer.
    pub(super) fn seconds(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// Whether a member is called `name`, in any case.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.0.keys().any(|member| member.eq_ignore_ascii_case(name))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose members differ in more than case")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = BTreeMap::new();
        let mut seen = std::collections::BTreeSet::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(A::Error::custom("a member appears twice"));
            }
            members.insert(name, value);
        }
        Ok(Members(members))
    }
}
