//! Facts about the canonical path.

use proptest::prelude::*;

use crate::authz::path::{CanonicalPath, LONGEST_PATH, PathRefusal, read_target};

const TABLE: &str = include_str!("../../../tests/data/path_confusion.txt");

fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(hex, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

#[test]
fn every_row_of_the_table_holds() {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    for row in rows {
        let columns: Vec<&str> = row.split(" | ").collect();
        let [id, raw, expected, _] = columns[..] else { panic!("four columns in `{row}`") };
        let found = match read_target(&unescape(raw)) {
            Ok(target) => target.path.as_str().to_owned(),
            Err(refusal) => format!("!{}", refusal.rule()),
        };
        assert_eq!(found, expected, "{id}");
    }
}

#[test]
fn query_is_everything_after_the_first_question_mark() {
    assert_eq!(read_target(b"/a?b?c=%zz").unwrap().query, Some("b?c=%zz"));
    assert_eq!(read_target(b"/a?").unwrap().query, Some(""));
    assert_eq!(read_target(b"/a").unwrap().query, None);
}

#[test]
fn path_of_4096_bytes_is_the_longest() {
    let path = format!("/{}", "a".repeat(LONGEST_PATH - 1));
    assert!(CanonicalPath::read(path.as_bytes()).is_ok());
    assert_eq!(CanonicalPath::read(format!("{path}a").as_bytes()), Err(PathRefusal::TooLong));
}

/// A decoder as lenient as any server's: bad escapes stay as they are.
fn lenient_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let value = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(value.unwrap_or(bytes[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    out
}

fn check_accepted(path: &CanonicalPath) {
    let text = path.as_str();
    assert_eq!(CanonicalPath::read(text.as_bytes()).as_ref(), Ok(path));
    let decoded = lenient_decode(text);
    let slashes = |bytes: &[u8]| bytes.split(|byte| *byte == b'/').count();
    assert_eq!(slashes(&decoded), slashes(text.as_bytes()));
    assert!(!decoded.iter().any(|b| *b < 0x20 || *b == 0x7F || b";#?\\".contains(b)), "{text}");
    assert!(!decoded.windows(2).any(|pair| pair == b"//"), "{text}");
    assert!(!decoded.split(|b| *b == b'/').any(|s| s == b"." || s == b".."), "{text}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(target) = read_target(&raw) { check_accepted(&target.path); }
    }

    #[test]
    fn accepted_path_reads_the_same_to_everybody(raw in "/([a./;%]|%2[eEfF]|%5c|%25|%c3%a9|%41|%3[bB]|%7[cfe]){0,12}") {
        if let Ok(target) = read_target(raw.as_bytes()) { check_accepted(&target.path); }
    }
}
