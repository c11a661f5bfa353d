//! Records as comma-separated values, for a spreadsheet ([`crate::model::csv`]), times in UTC. The exact content is in an
//! export as JSON Lines.

use std::borrow::Cow;

use serde_json_borrow::Value;

use crate::model::csv;
use crate::model::query::{Evidence, app};

/// The columns, in an order that stays. A change of them is another version.
const COLUMNS: [&str; 21] = [
    "time",
    "id",
    "kind",
    "effect",
    "user_id",
    "user_name",
    "name",
    "method",
    "host",
    "path",
    "app",
    "route",
    "reason",
    "rules",
    "release",
    "client",
    "mfa",
    "session",
    "request",
    "duration_us",
    "detail",
];

/// The version of the columns, for the name of a file.
pub const VERSION: u32 = 1;

/// The first line.
pub(super) fn header(into: &mut Vec<u8>) {
    csv::header(into, &COLUMNS);
}

/// The line of a record.
pub(super) fn line(into: &mut Vec<u8>, record: &Evidence<'_>) {
    let Evidence { kind, body, principal, .. } = *record;
    let refused = kind == "refusal";
    let effect = if refused { "refused".into() } else { of(body, "verdict") };
    let who = [of(body.get("principal"), "id"), of(body, "subject"), of(body, "actor")];
    let who = who.into_iter().find(|who| !who.is_empty()).unwrap_or_default();
    let detail = match kind {
        "decision" => joined(body, "errors"),
        "refusal" => ["rule", "problem", "check"].map(|name| of(body, name)).concat().into(),
        _ => body.to_string().into(),
    };
    let fields: [Cow<'_, str>; 21] = [
        of(body, "at"),
        of(body, "id"),
        kind.into(),
        effect,
        who,
        of(principal, "user_name"),
        of(principal, "name"),
        of(body, "method"),
        of(body, "host"),
        of(body, "path"),
        app(body.get("app").as_str(), body.get("route").as_str()).unwrap_or_default().into(),
        of(body, "route"),
        of(body, if refused { "refusal" } else { "reason" }),
        joined(body, "rules"),
        of(body, "release"),
        of(body, "client"),
        of(body.get("circumstances"), "mfa"),
        of(body, "session"),
        of(body, "request"),
        of(body, "duration_us"),
        detail,
    ];
    csv::line(into, &fields);
}

fn of<'a>(value: &'a Value<'a>, name: &'a str) -> Cow<'a, str> {
    plain(value.get(name))
}

/// A number or text as people read it.
fn plain<'a>(value: &'a Value<'a>) -> Cow<'a, str> {
    match value {
        Value::Null => Cow::default(),
        Value::Str(text) => text.as_ref().into(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string().into()
        }
    }
}

fn joined<'a>(body: &'a Value<'a>, name: &'a str) -> Cow<'a, str> {
    match body.get(name).as_array() {
        None | Some([]) => Cow::default(),
        Some([one]) => plain(one),
        Some(all) => all.iter().map(plain).collect::<Vec<_>>().join(" ").into(),
    }
}
