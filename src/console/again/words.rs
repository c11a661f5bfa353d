//! What a form that waits would do, and what was typed into it, in the words of the page that it came from.

use percent_encoding::percent_decode_str;

use crate::console::apps::route_form::{
    DISCLOSURES, ENCODED_SLASHES, LETTER_CASES, LISTINGS, WEBSOCKETS,
};
use crate::console::log::asking::RANGES;
use crate::console::rules::assertions::CLAIMS;
use crate::console::rules::form::{EFFECTS, MFAS, REACHES, WHATS, WHO_KINDS};
use crate::console::urls;

/// What sending a form does.
struct Deed {
    /// The endpoint that it is sent to.
    pattern: &'static str,
    /// The field, and what it holds, that makes it this one of several that the endpoint does.
    given: Option<(&'static str, &'static str)>,
    /// In a sentence. What stands in braces comes from the address or from a field.
    sentence: &'static str,
}

const fn deed(pattern: &'static str, sentence: &'static str) -> Deed {
    Deed { pattern, given: None, sentence }
}

const fn given(
    pattern: &'static str,
    field: (&'static str, &'static str),
    sentence: &'static str,
) -> Deed {
    Deed { pattern, given: Some(field), sentence }
}

/// What the forms of the console do; of those to one endpoint the particular ones come first.
const DEEDS: [Deed; 37] = [
    deed(urls::GRANTS, "Add a grant to the route {app}/{name}."),
    deed(urls::GRANT, "Change the grant {grant} of the route {app}/{name}."),
    deed(urls::GRANT_END, "End the grant {grant} of the route {app}/{name} now."),
    deed(urls::GRANT_REMOVE, "Remove the grant {grant} of the route {app}/{name}."),
    deed(urls::NEW_APP, "Add an app."),
    deed(urls::APP, "Change the app {app}."),
    deed(urls::REMOVE_APP, "Remove the app {app}."),
    deed(urls::NEW_ROUTE, "Add a route to the app {app}."),
    deed(urls::ROUTE_SETTINGS, "Change the route {app}/{name}."),
    deed(urls::REMOVE_ROUTE, "Remove the route {app}/{name}."),
    given(urls::NEW_POLICY, ("order", "check"), "Check a new policy."),
    given(urls::NEW_POLICY, ("order", "format"), "Lay out a new policy."),
    deed(urls::NEW_POLICY, "Add a policy."),
    given(urls::POLICY, ("order", "check"), "Check the policy {policy}."),
    given(urls::POLICY, ("order", "format"), "Lay out the policy {policy}."),
    deed(urls::POLICY, "Change the policy {policy}."),
    deed(urls::REMOVE_POLICY, "Remove the policy {policy}."),
    deed(urls::ASSERTIONS, "Add an assertion."),
    deed(urls::REMOVE_ASSERTION, "Remove the assertion {assertion}."),
    deed(urls::UNDO, "Undo the change of the {kind} {id}."),
    deed(urls::DISCARD, "Discard the draft."),
    deed(urls::APPROVE, "Approve of the draft."),
    deed(urls::PUBLISH, "Publish the draft."),
    given(
        urls::RESTORE,
        ("others", "discard"),
        "Bring back release {number} into the draft, and discard what waits there.",
    ),
    given(
        urls::RESTORE,
        ("others", "keep"),
        "Bring back release {number} into the draft, beside what waits there.",
    ),
    deed(urls::RESTORE, "Bring back release {number} into the draft."),
    given(urls::ENDING, ("session", ""), "End all sessions of {whose}."),
    deed(urls::ENDING, "End one session of {whose}."),
    deed(urls::CHECK, "Check the log."),
    deed(urls::CHECK_CANCEL, "End the check of the log."),
    given(urls::EXPORT, ("format", "csv"), "Take away decisions as CSV."),
    deed(urls::EXPORT, "Take away decisions as JSON Lines, with proof."),
    deed(urls::WHO, "Take away who can reach the route {route}."),
    deed(urls::WHAT, "Take away what {whose} can reach."),
    deed(urls::ACCESS_REPORT, "Take away the access review."),
    deed(urls::REFUSALS_REPORT, "Take away the report of refusals."),
    deed(urls::CHANGES_REPORT, "Take away the report of changes and releases."),
];

/// What people type or choose, with the labels of the forms. What has none says of what a form was made, or which button
/// was pressed.
pub(in crate::console) const LABELS: [(&str, &str); 35] = [
    ("who_kind", "Who"),
    ("who", "Name"),
    ("effect", "Effect"),
    ("claim", "Claim"),
    ("what", "What"),
    ("methods", "Methods"),
    ("reach", "Where"),
    ("place", "Where"),
    ("networks", "From networks"),
    ("until", "Until (UTC)"),
    ("mfa", "Multi-factor sign-in"),
    ("reason", "Reason"),
    ("ticket", "Ticket"),
    ("id", "Id"),
    ("name", "Name"),
    ("origins", "Origins"),
    ("upstream", "Upstream"),
    ("cors_origins", "Other origins that may read refusals"),
    ("pattern", "Path"),
    ("title", "Title"),
    ("owner", "Owner"),
    ("labels", "Labels"),
    ("letter_case", "Letter case"),
    ("encoded_slashes", "Encoded slashes (%2F)"),
    ("websockets", "WebSockets"),
    ("listing", "In the portal"),
    ("disclosure", "Told when refused"),
    ("text", "Text"),
    ("note", "Note"),
    ("q", "Query"),
    ("range", "Time"),
    ("from", "From"),
    ("to", "To, with that day"),
    ("app", "App"),
    ("route", "Route"),
];

/// Fields that are told in the sentence of their form, or only say where its sender was.
const TOLD: [(&str, &[&str]); 3] =
    [(urls::UNDO, &["id"]), (urls::WHO, &["route"]), (urls::ENDING, &["q"])];

/// How the names of boxes begin that are ticked for a header's name.
const ALIAS: &str = "alias-";

/// The form that was sent to this path, by the pattern of its endpoint.
fn found(path: &str, field: impl Fn(&str) -> String) -> Option<&'static Deed> {
    let fits = |deed: &&Deed| {
        deed.given.is_none_or(|(name, value)| field(name) == value)
            && parts(deed.pattern, path).is_some()
    };
    DEEDS.iter().find(fits)
}

/// What stands at each name of a pattern; none where the path is another one.
fn parts<'a>(pattern: &'a str, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (names, values) = (pattern.split('/'), path.split('/'));
    if names.clone().count() != values.clone().count() {
        return None;
    }
    let mut found = Vec::new();
    for (name, value) in names.zip(values) {
        match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => found.push((name, value)),
            None if name == value => {}
            None => return None,
        }
    }
    Some(found)
}

/// What sending a form to this path does, in a sentence; none for what is no form of the console.
pub(in crate::console) fn sentence(path: &str, field: impl Fn(&str) -> String) -> Option<String> {
    let deed = found(path, &field)?;
    let own = parts(deed.pattern, path)?;
    let value = |name: &str| {
        let part = own.iter().find(|(part, _)| *part == name);
        part.map_or_else(
            || field(name),
            |(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned(),
        )
    };
    let mut pieces = deed.sentence.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        text.push_str(&value(name));
        text.push_str(rest);
    }
    Some(text)
}

/// The label of a field, and what it holds as the form shows it; none for what nobody typed or chose.
pub(super) fn typed(path: &str, (name, value): (&str, &str)) -> Option<(String, String)> {
    let is_told = |(pattern, names): &(&str, &[&str])| *pattern == path && names.contains(&name);
    if value.is_empty() || TOLD.iter().any(is_told) {
        return None;
    }
    if let Some(header) = name.strip_prefix(ALIAS) {
        return Some(("Header alias".to_owned(), header.to_owned()));
    }
    let (_, label) = LABELS.iter().find(|(own, _)| *own == name)?;
    let chosen = choices(name).iter().find(|(own, _)| *own == value);
    let shown = chosen.map_or(value, |(_, words)| words);
    Some(((*label).to_owned(), shown.to_owned()))
}

/// Values of a field to choose from, and what the form calls each.
fn choices(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "who_kind" => &WHO_KINDS,
        "effect" => &EFFECTS,
        "claim" => &CLAIMS,
        "what" => &WHATS,
        "reach" => &REACHES,
        "mfa" => &MFAS,
        "letter_case" => &LETTER_CASES,
        "encoded_slashes" => &ENCODED_SLASHES,
        "websockets" => &WEBSOCKETS,
        "listing" => &LISTINGS,
        "disclosure" => &DISCLOSURES,
        "range" => &RANGES,
        _ => &[],
    }
}
