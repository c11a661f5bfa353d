//! What is kept of a target that could not be read.

use super::path_as_sent;

#[test]
fn records_of_refused_targets_hold_no_query() {
    for (raw, kept) in [
        ("/a;b?token=secret", "/a;b"),
        ("/a?b?token=secret", "/a"),
        ("?code=secret", ""),
        ("/\u{e9}\n", "/\\u{e9}\\n"),
    ] {
        assert_eq!(path_as_sent(raw), kept);
    }
    assert_eq!(path_as_sent(&"x".repeat(300)).len(), 200);
}
