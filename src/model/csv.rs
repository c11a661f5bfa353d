//! Comma-separated values for a spreadsheet: RFC 4180, every field quoted, lines end in CR LF.
//!
//! What a visitor chose may begin like a formula. Such a field gets an apostrophe in front, and the last column,
//! `raw_escaped`, says so.

/// The column that says whether a line has a field that is not exactly what it was.
const ESCAPED: &str = "raw_escaped";

/// Adds the first line: these columns, and the one about escaping.
pub fn header(into: &mut Vec<u8>, columns: &[&str]) {
    for column in columns {
        field(into, column);
    }
    field(into, ESCAPED);
    end(into);
}

/// Adds a line of these fields, one for each column.
pub fn line<T: AsRef<str>>(into: &mut Vec<u8>, fields: &[T]) {
    let defused = fields.iter().filter(|text| field(into, text.as_ref()) == Defused::Yes).count();
    field(into, if defused > 0 { "1" } else { "0" });
    end(into);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Defused {
    Yes,
    No,
}

/// Adds a field, and says whether it had to be defused.
fn field(into: &mut Vec<u8>, text: &str) -> Defused {
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
