//! Entra's error codes (`AADSTS50105`) in plain words: one table, a row for each thing that somebody can act on.
//!
//! The codes and their meanings are those of Microsoft's "Microsoft Entra authentication and authorization error codes".
//! A code chooses words and nothing else: what happens next follows from the OAuth error, because Microsoft changes the
//! numbers (same page, "Handling error codes in your application"). What has no row gets one honest text.

mod people;
mod service;

use super::words::{Again, Mender, Words, words};

/// Codes that mean the same to whoever reads about them.
struct Row {
    codes: &'static [u32],
    words: Words,
}

/// Every row.
fn table() -> impl Iterator<Item = &'static Row> {
    people::TABLE.iter().chain(service::TABLE)
}

/// The words for a code; none when nobody could do more about it than [`OTHERS`] says.
pub(super) fn words_of(code: u32) -> Option<Words> {
    table().find(|row| row.codes.contains(&code)).map(|row| row.words)
}

/// For codes without a row.
pub(super) const OTHERS: Words = words(
    Mender::Service,
    [
        "Microsoft refused this sign-in",
        "It gave a code for which this page has no better words.",
        "Try again. If this stays, give the code and the reference below to the people who run this service.",
    ],
);

/// A row whose next try may work.
const fn row(codes: &'static [u32], mender: Mender, texts: [&'static str; 3]) -> Row {
    Row { codes, words: words(mender, texts) }
}

/// A row that only another account helps with.
const fn other_account(codes: &'static [u32], mender: Mender, texts: [&'static str; 3]) -> Row {
    Row { codes, words: Words { again: Again::OtherAccount, ..words(mender, texts) } }
}

#[cfg(test)]
mod tests;
