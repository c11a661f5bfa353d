//! How large a rule book may be, and what the texts in it may hold.
//!
//! A rule book comes from a form, a folder or a database, and is compiled while requests are answered; whoever can edit it
//! must not be able to take the gate down with it. What is here counts objects, lists and free text; [`super::policy_text`]
//! has the limits of Cedar text, identifiers and path patterns have theirs in [`crate::model`], files in
//! [`crate::rule_files`].

use super::problem::{Object, Problem};
use crate::model::app::App;
use crate::model::assertion::{Assertion, Claim};
use crate::model::grant::{Grant, Who};
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;

/// Apps in a rule book.
pub const MOST_APPS: usize = 1_000;
/// Routes in a rule book.
pub const MOST_ROUTES: usize = 50_000;
/// Grants in a rule book.
pub const MOST_GRANTS: usize = 200_000;
/// Hand-written policies in a rule book.
pub const MOST_POLICIES: usize = 5_000;
/// Assertions in a rule book.
pub const MOST_ASSERTIONS: usize = 10_000;
/// Names of groups in a rule book.
pub const MOST_GROUP_NAMES: usize = 100_000;
/// Entries of any list in an object: origins, labels, networks, hours, tenants.
pub const MOST_IN_LIST: usize = 100;
/// Characters of a name, title, owner, label or ticket.
pub const LONGEST_NAME: usize = 200;
/// Characters of a reason.
pub const LONGEST_REASON: usize = 2_000;
/// Bytes of stack that a thread which decides must have, so that the deepest policy that is allowed is evaluated rather
/// than given up on, which denies.
pub const STACK_OF_DECIDING: usize = 8 << 20;

/// Fails with everything that is too much of a rule book, and with texts that could not be shown as what they are. Such a
/// rule book is looked at no further.
pub(super) fn check(book: &RuleBook) -> Result<(), Vec<Problem>> {
    let mut found = Vec::new();
    counts(book, &mut found);
    texts(book, &mut found);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

fn texts(book: &RuleBook, problems: &mut Vec<Problem>) {
    for app in &book.apps {
        app_texts(app, &mut Checked { object: Object::App(app.id.clone()), problems });
    }
    for route in &book.routes {
        route_texts(route, &mut Checked { object: Object::Route(route.id.clone()), problems });
    }
    for grant in &book.grants {
        grant_texts(grant, &mut Checked { object: Object::Grant(grant.id.clone()), problems });
    }
    for assertion in &book.assertions {
        let object = Object::Assertion(assertion.id.clone());
        assertion_texts(assertion, &mut Checked { object, problems });
    }
    let mut names = Checked { object: Object::RuleBook, problems };
    for (id, name) in &book.group_names {
        names.text(&format!("the name of the group `{id}`"), name, LONGEST_NAME);
    }
}

fn counts(book: &RuleBook, problems: &mut Vec<Problem>) {
    let all = [
        (book.apps.len(), MOST_APPS, "apps"),
        (book.routes.len(), MOST_ROUTES, "routes"),
        (book.grants.len(), MOST_GRANTS, "grants"),
        (book.policies.len(), MOST_POLICIES, "policies"),
        (book.assertions.len(), MOST_ASSERTIONS, "assertions"),
        (book.group_names.len(), MOST_GROUP_NAMES, "names of groups"),
    ];
    for (count, most, what) in all.into_iter().filter(|(count, most, _)| count > most) {
        let message = format!("it has {count} {what}; at most {most} are allowed");
        problems.push(Problem::new(Object::RuleBook, &message));
    }
}

fn app_texts(app: &App, checked: &mut Checked<'_>) {
    checked.text("its name", &app.name, LONGEST_NAME);
    checked.list("origins", app.origins.len());
    checked.list("cors_origins", app.cors_origins.len());
    checked.list("header_aliases", app.header_aliases.len());
}

fn route_texts(route: &Route, checked: &mut Checked<'_>) {
    checked.text("its title", &route.title, LONGEST_NAME);
    checked.text("its owner", &route.owner, LONGEST_NAME);
    checked.list("labels", route.labels.len());
    for label in &route.labels {
        checked.text("a label", label, LONGEST_NAME);
    }
}

fn grant_texts(grant: &Grant, checked: &mut Checked<'_>) {
    checked.text("its reason", &grant.reason, LONGEST_REASON);
    checked.text("its ticket", &grant.ticket, LONGEST_NAME);
    checked.list("networks", grant.when.networks.len());
    checked.list("hours", grant.when.hours.len());
    who_list(&grant.who, checked);
}

fn assertion_texts(assertion: &Assertion, checked: &mut Checked<'_>) {
    checked.text("its reason", &assertion.reason, LONGEST_REASON);
    match &assertion.claim {
        Claim::Can(access) | Claim::Cannot(access) => {
            checked.text("its path", &access.path, super::path::LONGEST_PATH);
            who_list(&access.who, checked);
        }
        Claim::NobodyBut(exclusive) => {
            checked.list("of those who may", exclusive.who.len());
            exclusive.who.iter().for_each(|who| who_list(who, checked));
        }
    }
}

fn who_list(who: &Who, checked: &mut Checked<'_>) {
    if let Who::Tenants(ids) = who {
        checked.list("tenants", ids.len());
    }
}

/// The object whose texts are looked at, and what was wrong with any so far.
struct Checked<'p> {
    object: Object,
    problems: &'p mut Vec<Problem>,
}

impl Checked<'_> {
    fn text(&mut self, what: &str, text: &str, longest: usize) {
        let length = text.chars().count();
        if length > longest {
            self.say(&format!("{what} has {length} characters; at most {longest} are allowed"));
        }
        if let Some(bad) = text.chars().find(|c| is_deceptive(*c)) {
            self.say(&format!(
                "{what} holds {}, which people can't see; remove it",
                code_point(bad)
            ));
        }
    }

    fn list(&mut self, what: &str, length: usize) {
        if length > MOST_IN_LIST {
            self.say(&format!("it lists {length} {what}; at most {MOST_IN_LIST} are allowed"));
        }
    }

    fn say(&mut self, message: &str) {
        self.problems.push(Problem::new(self.object.clone(), &message));
    }
}

/// `U+202E`
pub fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Whether a character shows a text as something else than it is: control characters but line breaks and tabs, marks
/// that turn the direction of writing (UAX 9, "Trojan Source"), and such as take no room at all.
///
/// The joiners that scripts and emoji need (U+200C, U+200D) are none of these.
pub fn is_deceptive(character: char) -> bool {
    let turning = matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let unseen =
        matches!(character, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    let control = character.is_control() && !matches!(character, '\n' | '\r' | '\t');
    turning || unseen || control
}
