//! A named value, as pages of the log list them.

use serde_json::Value;

use crate::web::link::Link;

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// The value.
    pub value: String,
    /// How it is set.
    pub script: Script,
    /// What is said of it elsewhere.
    pub link: Option<Link>,
}

/// How a value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// As text.
    Prose,
    /// As an identifier or address.
    Code,
}

impl Fact {
    /// A value that reads as text.
    pub fn prose(name: &'static str, value: &str) -> Self {
        Self { name, value: value.to_owned(), script: Script::Prose, link: None }
    }

    /// A value that is an identifier or address.
    pub fn code(name: &'static str, value: &str) -> Self {
        Self { name, value: value.to_owned(), script: Script::Code, link: None }
    }

    /// The same, leading there.
    #[must_use]
    pub fn leading(self, link: Option<Link>) -> Self {
        Self { link, ..self }
    }

    /// Whether it is set as code.
    pub fn is_code(&self) -> bool {
        self.script == Script::Code
    }
}

/// A value as text: strings as they are, nothing for nothing, everything else as JSON.
pub(super) fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            other.to_string()
        }
    }
}
