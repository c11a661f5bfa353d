//! A named value, as pages of the log list them.

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// The value.
    pub value: String,
    /// How it is set.
    pub script: Script,
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
        Self { name, value: value.to_owned(), script: Script::Prose }
    }

    /// A value that is an identifier or address.
    pub fn code(name: &'static str, value: &str) -> Self {
        Self { name, value: value.to_owned(), script: Script::Code }
    }

    /// Whether it is set as code.
    pub fn is_code(&self) -> bool {
        self.script == Script::Code
    }
}
