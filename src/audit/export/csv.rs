//! Records as comma-separated values, for a spreadsheet ([`crate::model::csv`]), times in UTC. The exact content is in an
//! export as JSON Lines.

use serde_json::Value;

use crate::model::csv;
use crate::model::query::Evidence;

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
    let Evidence { id, at, kind, body, principal } = record;
    let of = |value: &Value, name: &str| value.get(name).map_or_else(String::new, plain);
    let effect = match *kind {
        "refusal" => "refused".to_owned(),
        _ => of(body, "verdict"),
    };
    let who = body.get("principal").map_or_else(String::new, |who| of(who, "id"));
    let who = if who.is_empty() { of(body, "subject") } else { who };
    let who = if who.is_empty() { of(body, "actor") } else { who };
    let mfa = body.get("circumstances").map_or_else(String::new, |all| of(all, "mfa"));
    let detail = match *kind {
        "decision" => joined(body, "errors"),
        "refusal" => ["rule", "problem", "check"].map(|name| of(body, name)).concat(),
        _ => body.to_string(),
    };
    let reason = if *kind == "refusal" { of(body, "refusal") } else { of(body, "reason") };
    let fields: [String; 21] = [
        at.to_string(),
        id.to_string(),
        (*kind).to_owned(),
        effect,
        who,
        of(principal, "user_name"),
        of(principal, "name"),
        of(body, "method"),
        of(body, "host"),
        of(body, "path"),
        of(body, "app"),
        of(body, "route"),
        reason,
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

/// A number or text as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn joined(body: &Value, name: &str) -> String {
    let all = body.get(name).and_then(Value::as_array);
    all.into_iter().flatten().map(plain).collect::<Vec<_>>().join(" ")
}
