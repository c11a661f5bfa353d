//! Parts of forms and tables that console pages share: choices, fields, badges, references.

use crate::model::difference::{Act, Difference};
use crate::model::grant::{Effect, Grant, Who};
use crate::model::record::Verdict;
use crate::web::link::Link;
use crate::web::page::Tone;

/// One option of a select.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: &'static str,
    /// What is read.
    pub label: &'static str,
    /// Whether it is the chosen one.
    pub state: ChoiceState,
}

/// Whether an option is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoiceState {
    /// It is.
    Chosen,
    /// It is not.
    Open,
}

impl Choice {
    /// The options `(value, label)`, with the one chosen whose value is `chosen`; none when it is not among them.
    pub fn list(options: &[(&'static str, &'static str)], chosen: &str) -> Vec<Self> {
        let state = |value| if value == chosen { ChoiceState::Chosen } else { ChoiceState::Open };
        options.iter().map(|&(value, label)| Self { value, label, state: state(value) }).collect()
    }

    /// The label of the option with this value; the value itself when it is not among them.
    pub fn label(options: &[(&'static str, &'static str)], value: &str) -> String {
        let found = options.iter().find(|(own, _)| *own == value);
        found.map_or(value, |(_, label)| label).to_owned()
    }

    /// Whether to mark it as selected.
    pub fn is_chosen(&self) -> bool {
        self.state == ChoiceState::Chosen
    }
}

/// One option of a select whose options come from data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it is the chosen one.
    pub state: ChoiceState,
}

impl Picked {
    /// An option, chosen when its value is `chosen`.
    pub fn new(value: &str, label: &str, chosen: &str) -> Self {
        let state = if value == chosen { ChoiceState::Chosen } else { ChoiceState::Open };
        Self { value: value.to_owned(), label: label.to_owned(), state }
    }

    /// Whether to mark it as selected.
    pub fn is_chosen(&self) -> bool {
        self.state == ChoiceState::Chosen
    }
}

/// What stands in a field of a form, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    /// As it was typed.
    pub value: String,
    /// What is wrong, as a sentence that says how to put it right.
    pub error: Option<String>,
    /// Whether it gets the focus: the first field with an error does.
    pub focus: Focus,
}

/// Whether a field gets the focus when the form appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// It does.
    Here,
    /// It does not.
    #[default]
    Elsewhere,
}

impl Field {
    /// A field with this in it and nothing wrong.
    pub fn of(value: &str) -> Self {
        Self { value: value.to_owned(), error: None, focus: Focus::Elsewhere }
    }

    /// The same field with a message.
    #[must_use]
    pub fn wrong(mut self, message: &str) -> Self {
        self.error = Some(message.to_owned());
        self
    }

    /// The same field with the focus.
    #[must_use]
    pub fn focused(mut self) -> Self {
        self.focus = Focus::Here;
        self
    }

    /// What was typed, as `read` takes it; none when it does not, and then its message stands at the field.
    pub fn read<T>(&mut self, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        read(&self.value).map_err(|message| self.error = Some(message)).ok()
    }

    /// Gives the focus to the first of these with a message.
    pub fn focus_first_wrong<'a>(fields: impl IntoIterator<Item = &'a mut Self>) {
        if let Some(first) = fields.into_iter().find(|field| field.is_wrong()) {
            first.focus = Focus::Here;
        }
    }

    /// Whether there is a message.
    pub fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    /// Whether to mark it as the one with the focus.
    pub fn has_focus(&self) -> bool {
        self.focus == Focus::Here
    }
}

/// A word with an icon and a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// The word.
    pub word: &'static str,
    /// Name of the icon in the sprite.
    pub icon: &'static str,
    /// Its colour.
    pub tone: Tone,
}

/// Whether a hand-written policy may open a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// None can.
    No,
    /// One can, under conditions that are not looked at.
    Yes,
}

impl Badge {
    /// The warning on a route that these grants reach: open to the world, or to nobody.
    ///
    /// Conditions of hand-written policies are not read for it, so where one may open it, "nobody" is not claimed.
    pub fn access(grants: &[&Grant], written: Written) -> Option<Self> {
        let mut opening = grants.iter().filter(|grant| grant.effect == Effect::Permit).peekable();
        if opening.peek().is_none() {
            return Some(match written {
                Written::No => Self { word: "Nobody", icon: "lock", tone: Tone::Bad },
                Written::Yes => {
                    Self { word: "Written rules", icon: "file-text", tone: Tone::Plain }
                }
            });
        }
        let public = opening.any(|grant| grant.who == Who::Everyone);
        public.then_some(Self { word: "Public", icon: "globe", tone: Tone::Careful })
    }

    /// How a verdict is shown everywhere.
    pub fn verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allow => Self { word: "Allow", icon: "circle-check", tone: Tone::Good },
            Verdict::Deny => Self { word: "Deny", icon: "circle-x", tone: Tone::Bad },
        }
    }
}

/// How an object of the draft stands to what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is in force as it is.
    InForce,
    /// It is new.
    Added,
    /// Something else is in force.
    Changed,
    /// It is in force, and will not be.
    Removed,
}

impl Standing {
    /// By what waits in the draft of the object.
    pub fn of(waiting: Option<&Difference>) -> Self {
        match waiting.map(Difference::act) {
            None => Self::InForce,
            Some(Act::Added) => Self::Added,
            Some(Act::Changed) => Self::Changed,
            Some(Act::Removed) => Self::Removed,
        }
    }

    /// The word for it, with its colour; none for what is in force.
    pub fn badge(self) -> Option<Badge> {
        let badge = |word, icon| Some(Badge { word, icon, tone: Tone::Careful });
        match self {
            Self::InForce => None,
            Self::Added => badge("Added in the draft", "plus"),
            Self::Changed => badge("Changed in the draft", "pencil"),
            Self::Removed => badge("Removed in the draft", "trash-2"),
        }
    }

    /// Whether it is shown struck out.
    pub fn is_removed(self) -> bool {
        self == Self::Removed
    }
}

/// Something named, with its page when it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name or id.
    pub name: String,
    /// Its page.
    pub link: Option<Link>,
}

/// One of several pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// What it shows.
    pub label: &'static str,
    /// Its address.
    pub link: Link,
    /// `page` for the present one, as `aria-current` has it.
    pub is_here: Option<&'static str>,
}
