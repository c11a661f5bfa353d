//! The query language over the log: `effect:deny route:payroll/* user:uma -method:GET finance`.
//!
//! ```text
//! query  = term *( SP term )                     joined by AND
//! term   = ["-"] key ":" values / ["-"] word     "-" turns it around
//! values = value *( "," value )                  joined by OR
//! value  = text / text "*"                       a beginning; in paths also "/a/**": the path and what is below it
//!        / number / ">" number / ">=" … / number ".." number
//!        / moment, with the same comparisons     a date, a time (RFC 3339), or an age: -15m, -1h, -7d
//! word   = any text                              part of path, route, or a person's name
//! ```
//!
//! Text with a space, a comma, a quote, or anything else that would be read as grammar stands in double quotes, with `\"`
//! and `\\` inside. Printing a query and reading it again gives the same query. What can't be read is an error that names
//! it; nothing is skipped.

mod marks;
mod matching;
mod parse;
mod present;
mod print;
mod value;

pub use self::marks::{Mark, MarkKey, request_mark};
pub use self::matching::{Evidence, Known, app};
pub use self::present::Present;
pub use self::value::{Comparison, Moment, Number, Pattern, Range};

/// What is looked for: records for which every term holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Joined by AND; none: everything.
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether it must hold, or must not.
    pub sense: Sense,
    /// What.
    pub what: What,
}

/// Which way a term counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// It must hold.
    Is,
    /// It must not.
    IsNot,
}

/// A condition without its sense. Lists are joined by OR and never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A text of the record.
    Text(TextKey, Vec<Pattern>),
    /// `effect:`
    Effect(Vec<Effect>),
    /// `mfa:`
    Mfa(Vec<Mfa>),
    /// `ip:`: an address is a network of one.
    Ip(Vec<ipnet::IpNet>),
    /// `release:` and `ms:`
    Number(NumberKey, Vec<Range<Number>>),
    /// `at:`
    At(Vec<Range<Moment>>),
    /// A word: part of path, route, or a person's name.
    Word(String),
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in queries.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// Keys whose values are texts.
    TextKey {
        /// `decision`, `refusal` or an event's word.
        Kind = "kind",
        /// A person or workload: id, user name, e-mail or display name.
        User = "user",
        /// A group of theirs at that moment: object id, or its name.
        Group = "group",
        /// An app role of theirs at that moment.
        Role = "role",
        /// The route, `<app>/<name>`.
        Route = "route",
        /// The app.
        App = "app",
        /// The host.
        Host = "host",
        /// The canonical path.
        Path = "path",
        /// The method.
        Method = "method",
        /// Why: `no_grant`, or the word of a refusal.
        Reason = "reason",
        /// A policy that decided.
        Policy = "policy",
        /// A grant that decided.
        Grant = "grant",
        /// The session.
        Session = "session",
        /// The request.
        Request = "request",
        /// The record.
        Id = "id",
        /// Where it was decided: `proxy`, `console`, …
        Door = "door",
    }
}

words! {
    /// Keys whose values are numbers.
    NumberKey {
        /// The release that decided.
        Release = "release",
        /// Milliseconds that deciding took.
        Ms = "ms",
    }
}

words! {
    /// What became of a request.
    Effect {
        /// It was let in.
        Allow = "allow",
        /// It was denied.
        Deny = "deny",
        /// It was refused before there was anything to decide.
        Refused = "refused",
    }
}

words! {
    /// Whether the session had met the MFA context.
    Mfa {
        /// It had.
        Yes = "yes",
        /// It had not.
        No = "no",
    }
}

/// A query that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidQuery(pub(super) String);

#[cfg(test)]
mod tests;
