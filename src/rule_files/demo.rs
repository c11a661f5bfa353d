//! The rule book of the demo, embedded.

use super::read::read_texts;
use crate::model::problem::Problems;
use crate::model::rule_book::RuleBook;

/// The files of the demo rule book, by name.
const FILES: [(&str, &str); 4] = [
    ("routes.toml", include_str!("../../policies/demo/routes.toml")),
    ("grants.toml", include_str!("../../policies/demo/grants.toml")),
    ("assertions.toml", include_str!("../../policies/demo/assertions.toml")),
    ("no-guests-in-admin.cedar", include_str!("../../policies/demo/no-guests-in-admin.cedar")),
];

/// The rule book of the demo: one app, `intranet`. Its origin and upstream stand for whatever the demo listens on.
///
/// # Errors
/// Never in a tested build: the files are embedded and a test reads them.
pub fn demo() -> Result<RuleBook, Problems> {
    read_texts(&FILES)
}
