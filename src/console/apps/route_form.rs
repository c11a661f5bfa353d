//! The form of a route: empty, as the route is, or as it was sent.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::facts::Fact;
use super::typed::{chosen, line, lines, word};
use crate::authz::problem::{Object, Problem};
use crate::console::choice::{Choice, Field};
use crate::console::urls;
use crate::model::app::App;
use crate::model::difference::revision;
use crate::model::id::{AppId, RouteId};
use crate::model::route::{
    Disclosure, EncodedSlashes, InvalidPattern, LetterCase, Listing, Route, WebSockets,
};
use crate::web::link::Link;

/// The form.
#[derive(Debug, Clone)]
pub struct RouteForm {
    /// Where it is sent.
    pub action: Link,
    /// The page without it.
    pub cancel: Link,
    /// The route's id; none when one is added.
    pub id: Option<String>,
    /// Of the route that it was made from; empty for a new one.
    pub revision: String,
    /// What is wrong with the whole.
    pub problem: Option<String>,
    /// `name`: the second half of its id, for a new one.
    pub name: Field,
    /// `pattern`
    pub pattern: Field,
    /// `title`
    pub title: Field,
    /// `owner`
    pub owner: Field,
    /// `labels`: one a line.
    pub labels: Field,
    /// `websockets`: one of [`WEBSOCKETS`].
    pub websockets: Field,
    /// `letter_case`: one of [`LETTER_CASES`].
    pub letter_case: Field,
    /// `encoded_slashes`: one of [`ENCODED_SLASHES`].
    pub encoded_slashes: Field,
    /// `listing`: one of [`LISTINGS`].
    pub listing: Field,
    /// `disclosure`: one of [`DISCLOSURES`].
    pub disclosure: Field,
}

/// Values and labels of `websockets`.
pub const WEBSOCKETS: [(&str, &str); 2] =
    [("refused", "Refused"), ("allowed", "Allowed, from the app's own origins")];
/// Values and labels of `letter_case`.
pub const LETTER_CASES: [(&str, &str); 2] =
    [("kept", "Told apart: /Admin is not /admin"), ("folded", "Not told apart: /Admin is /admin")];
/// Values and labels of `encoded_slashes`.
pub const ENCODED_SLASHES: [(&str, &str); 2] =
    [("refused", "Refused"), ("kept", "Kept, as part of a segment")];
/// Values and labels of `listing`.
pub const LISTINGS: [(&str, &str); 2] =
    [("listed", "Shown to those who may open it"), ("unlisted", "Not shown")];
/// Values and labels of `disclosure`.
pub const DISCLOSURES: [(&str, &str); 3] = [
    ("silent", "Nothing, as if it did not exist"),
    ("brief", "The kind of reason"),
    ("helpful", "What is missing, by name"),
];

/// The form as it was sent. Fields that it does not have are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteEntry {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    /// Of the route as it was when the form was made; empty when it is new.
    pub(super) revision: String,
    /// Only a new route is given one.
    #[serde(default)]
    pub(super) name: Option<String>,
    pattern: String,
    title: String,
    owner: String,
    labels: String,
    websockets: String,
    letter_case: String,
    encoded_slashes: String,
    listing: String,
    disclosure: String,
}

impl RouteForm {
    /// The form that adds one to an app.
    pub(super) fn empty(app: &App) -> Self {
        Self {
            action: urls::new_route(&app.id),
            cancel: urls::app(&app.id),
            id: None,
            revision: String::new(),
            problem: None,
            name: Field::default(),
            pattern: Field::default(),
            title: Field::default(),
            owner: Field::default(),
            labels: Field::default(),
            websockets: Field::of(&word(&WebSockets::default())),
            letter_case: Field::of(&word(&LetterCase::default())),
            encoded_slashes: Field::of(&word(&EncodedSlashes::default())),
            listing: Field::of(&word(&Listing::default())),
            disclosure: Field::of(&word(&Disclosure::default())),
        }
    }

    /// The form that changes one, as the route is.
    pub fn of(route: &Route) -> Self {
        Self {
            action: urls::route_settings(&route.id),
            cancel: urls::route(&route.id),
            id: Some(route.id.to_string()),
            revision: revision(route),
            problem: None,
            name: Field::of(route.id.name()),
            pattern: Field::of(route.pattern.as_str()),
            title: Field::of(&route.title),
            owner: Field::of(&route.owner),
            labels: Field::of(&route.labels.join("\n")),
            websockets: Field::of(&word(&route.websockets)),
            letter_case: Field::of(&word(&route.letter_case)),
            encoded_slashes: Field::of(&word(&route.encoded_slashes)),
            listing: Field::of(&word(&route.listing)),
            disclosure: Field::of(&word(&route.disclosure)),
        }
    }

    /// The same form with what was typed into it.
    pub(super) fn typed(self, entry: &RouteEntry) -> Self {
        Self {
            name: entry.name.as_deref().map_or(self.name, Field::of),
            pattern: Field::of(&entry.pattern),
            title: Field::of(&entry.title),
            owner: Field::of(&entry.owner),
            labels: Field::of(&entry.labels),
            websockets: Field::of(&entry.websockets),
            letter_case: Field::of(&entry.letter_case),
            encoded_slashes: Field::of(&entry.encoded_slashes),
            listing: Field::of(&entry.listing),
            disclosure: Field::of(&entry.disclosure),
            ..self
        }
    }

    /// The route that it asks for; none when a field is wrong, which then says so.
    pub(super) fn read(&mut self, app: &AppId) -> Option<Route> {
        let id = self.name.read(|typed| name(app, typed));
        let pattern = self.pattern.read(|typed| {
            typed
                .trim()
                .parse()
                .map_err(|InvalidPattern { why, .. }| format!("This is not a path pattern: {why}."))
        });
        let is_new = self.id.is_none();
        let title = self.title.read(|typed| match line(typed)? {
            // What has none for long can still be changed otherwise.
            title if title.is_empty() && is_new => Err("Say what it is.".to_owned()),
            title => Ok(title),
        });
        let owner = self.owner.read(line);
        let labels = self.labels.read(lines);
        let websockets = self.websockets.read(chosen);
        let letter_case = self.letter_case.read(chosen);
        let encoded_slashes = self.encoded_slashes.read(chosen);
        let listing = self.listing.read(chosen);
        let disclosure = self.disclosure.read(chosen);
        self.focus_first_wrong();
        Some(Route {
            id: id?,
            pattern: pattern?,
            title: title?,
            websockets: websockets?,
            letter_case: letter_case?,
            encoded_slashes: encoded_slashes?,
            listing: listing?,
            disclosure: disclosure?,
            owner: owner?,
            labels: labels?,
        })
    }

    /// Says at the fields what compiling found wrong with routes, and of the whole what it found elsewhere.
    pub(super) fn blame(&mut self, problems: &[Problem]) {
        let mut elsewhere = Vec::new();
        for problem in problems {
            match &problem.object {
                Object::Route(_) if problem.message.contains("letter_case") => {
                    self.letter_case.error = Some(problem.to_string());
                }
                Object::Route(_) => self.pattern.error = Some(problem.to_string()),
                Object::App(_)
                | Object::Grant(_)
                | Object::Policy(_)
                | Object::Assertion(_)
                | Object::RuleBook => elsewhere.push(problem.to_string()),
            }
        }
        self.problem = Some(not_saved(&elsewhere));
        self.focus_first_wrong();
    }

    /// What it holds, fact by fact.
    pub fn facts(&self) -> Vec<Fact> {
        let label = |field: &Field, options| Choice::label(options, &field.value);
        vec![
            Fact::new("Path", &self.pattern.value),
            Fact::new("Title", &self.title.value),
            Fact::new("Owner", &self.owner.value),
            Fact::new("Labels", &self.labels.value.lines().collect::<Vec<_>>().join(", ")),
            Fact::new("WebSockets", &label(&self.websockets, &WEBSOCKETS)),
            Fact::new("Letter case", &label(&self.letter_case, &LETTER_CASES)),
            Fact::new("Encoded slashes", &label(&self.encoded_slashes, &ENCODED_SLASHES)),
            Fact::new("In the portal", &label(&self.listing, &LISTINGS)),
            Fact::new("Told when refused", &label(&self.disclosure, &DISCLOSURES)),
        ]
    }

    /// Options of `websockets`.
    pub fn websocket_choices(&self) -> Vec<Choice> {
        Choice::list(&WEBSOCKETS, &self.websockets.value)
    }

    /// Options of `letter_case`.
    pub fn letter_cases(&self) -> Vec<Choice> {
        Choice::list(&LETTER_CASES, &self.letter_case.value)
    }

    /// Options of `encoded_slashes`.
    pub fn slashes(&self) -> Vec<Choice> {
        Choice::list(&ENCODED_SLASHES, &self.encoded_slashes.value)
    }

    /// Options of `listing`.
    pub fn listings(&self) -> Vec<Choice> {
        Choice::list(&LISTINGS, &self.listing.value)
    }

    /// Options of `disclosure`.
    pub fn disclosures(&self) -> Vec<Choice> {
        Choice::list(&DISCLOSURES, &self.disclosure.value)
    }

    /// In the order of the page.
    pub(super) fn focus_first_wrong(&mut self) {
        Field::focus_first_wrong([
            &mut self.name,
            &mut self.pattern,
            &mut self.title,
            &mut self.owner,
            &mut self.labels,
            &mut self.websockets,
            &mut self.letter_case,
            &mut self.encoded_slashes,
            &mut self.listing,
            &mut self.disclosure,
        ]);
    }
}

/// What a form says above its fields when nothing of it was saved.
pub(super) fn not_saved(elsewhere: &[String]) -> String {
    match elsewhere {
        [] => NOT_SAVED.to_owned(),
        [..] => format!("Nothing was saved: {}.", elsewhere.join("; ")),
    }
}

/// The same when every mistake stands at its field.
pub(super) const NOT_SAVED: &str = "Nothing was saved. Correct what is marked below.";

fn name(app: &AppId, typed: &str) -> Result<RouteId, String> {
    let wrong = "Use 1 to 64 of a to z, 0 to 9 and -, beginning with a letter or digit.";
    RouteId::new(app, typed.trim()).map_err(|_| wrong.to_owned())
}

/// What is to be told of a route.
pub fn facts_of(route: &Route) -> Vec<Fact> {
    RouteForm::of(route).facts()
}
