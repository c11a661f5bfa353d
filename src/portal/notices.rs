//! What a form did, said on the page that follows it. The address holds a word; the sentences are fixed, so that nobody can
//! have us say theirs.

use crate::session::Reading;
use crate::web::page::{Notice, Tone};

const DONE: [(&str, Tone, &str); 7] = [
    ("ended", Tone::Good, "The session was ended. Whoever uses it has to sign in again."),
    ("others", Tone::Good, "All other sessions were ended. You are signed in here only."),
    ("read", Tone::Good, "Your groups and roles were read again."),
    (
        "soon",
        Tone::Plain,
        "Your groups and roles were read less than a minute ago. Try again in a moment.",
    ),
    ("unanswered", Tone::Careful, "Microsoft did not answer. What was known of your groups stays."),
    (
        "impossible",
        Tone::Careful,
        "This session can't ask for your groups. Sign out and in again to have them read.",
    ),
    ("over", Tone::Careful, "Microsoft ended this session. Sign in again."),
];

/// What a word of the address says; none for any other.
pub(super) fn of(word: &str) -> Option<Notice> {
    let (_, tone, text) = DONE.into_iter().find(|(own, _, _)| *own == word)?;
    Some(Notice { tone, text: text.to_owned() })
}

/// The word for what came of reading groups.
pub(super) fn word(reading: Reading) -> &'static str {
    match reading {
        Reading::Done => "read",
        Reading::TooSoon => "soon",
        Reading::Unanswered => "unanswered",
        Reading::Impossible => "impossible",
        Reading::Ended => "over",
    }
}
