//! The head of a page that is made for printing: what it is, of which gate, as of when, and who made it.

use crate::console::Console;
use crate::model::time::Timestamp;
use crate::web::moment::Moment;

use super::guard::Admitted;
use super::log::fact::Fact;

/// The head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintHead {
    /// What this is.
    pub title: String,
    /// Which gate it is of.
    pub origin: String,
    /// What it covers, and how it came about.
    pub facts: Vec<Fact>,
}

impl PrintHead {
    /// Of this title, with what it covers; who made it when comes last.
    pub(super) fn new(
        console: &Console,
        asked: &Admitted,
        (title, covers): (&str, Vec<Fact>),
    ) -> Self {
        let by = asked.caller.principal.display_name();
        let made = Fact::prose("Generated", &generated(&by, asked.exchange.at));
        let origin = console.doorkeeper.public.to_string();
        Self { title: title.to_owned(), origin, facts: covers.into_iter().chain([made]).collect() }
    }
}

/// `by Olive at 24 Nov 2026, 09:15:02 UTC, with Cedargate 0.1.0`
fn generated(by: &str, at: Timestamp) -> String {
    format!("by {by} at {}, with Cedargate {}", Moment::new(at).full(), env!("CARGO_PKG_VERSION"))
}
