//! Records as comma-separated values, for a spreadsheet: RFC 4180, every field quoted, times in UTC.
//!
//! What a visitor chose may begin like a formula. Such a cell gets an apostrophe in front, and the last column says so;
//! the exact content is in an export as JSON Lines.

use std::borrow::Cow;

use serde_json_borrow::Value;

use crate::model::query::Evidence;

/// The columns, in an order that stays. A change of them is another version.
const COLUMNS: [&str; 22] = [
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
    "raw_escaped",
];

/// The version of the columns, for the name of a file.
pub const VERSION: u32 = 1;

/// The first line.
pub(super) fn header(into: &mut Vec<u8>) {
    for column in COLUMNS {
        cell(into, column);
    }
    end(into);
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
    let fields = [
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
        of(body, "app"),
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
    let escaped = fields.iter().filter(|field| cell(into, field) == Defused::Yes).count();
    cell(into, if escaped > 0 { "1" } else { "0" });
    end(into);
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Defused {
    Yes,
    No,
}

/// Adds a field, and says whether it had to be defused.
fn cell(into: &mut Vec<u8>, text: &str) -> Defused {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']);
    into.extend_from_slice(if formula { b"\"'" } else { b"\"" });
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            into.extend_from_slice(b"\"\"");
        }
        into.extend_from_slice(part.as_bytes());
    }
    into.extend_from_slice(b"\",");
    if formula { Defused::Yes } else { Defused::No }
}

fn end(into: &mut Vec<u8>) {
    // In place of the last comma.
    into.pop();
    into.extend_from_slice(b"\r\n");
}
