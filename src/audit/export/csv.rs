//! Records as comma-separated values, for a spreadsheet ([`crate::model::csv`]), times in UTC. The exact content is in an
//! export as JSON Lines.

use std::borrow::Cow;

use serde_json::Value;

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
    let who = body.get("principal").map_or_else(Cow::default, |who| of(who, "id"));
    let who = [who, of(body, "subject"), of(body, "actor")];
    let who = who.into_iter().find(|who| !who.is_empty()).unwrap_or_default();
    let mfa = body.get("circumstances").map_or_else(Cow::default, |all| of(all, "mfa"));
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
        app(body).unwrap_or_default().into(),
        of(body, "route"),
        of(body, if refused { "refusal" } else { "reason" }),
        joined(body, "rules"),
        of(body, "release"),
        of(body, "client"),
        mfa,
        of(body, "session"),
        of(body, "request"),
        of(body, "duration_us"),
        detail,
    ];
    csv::line(into, &fields);
}

fn of<'a>(value: &'a Value, name: &str) -> Cow<'a, str> {
    value.get(name).map_or_else(Cow::default, plain)
}

/// A number or text as people read it.
fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::default(),
        Value::String(text) => text.into(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string().into()
        }
    }
}

fn joined<'a>(body: &'a Value, name: &str) -> Cow<'a, str> {
    match body.get(name).and_then(Value::as_array).map(Vec::as_slice) {
        None | Some([]) => Cow::default(),
        Some([one]) => plain(one),
        Some(all) => all.iter().map(plain).collect::<Vec<_>>().join(" ").into(),
    }
}
