//! "Did you mean": the name that a misspelt one is closest to.

/// How alike two names must be to be taken for each other, from 0 to 1.
const ALIKE: f64 = 0.7;

/// The candidate most like `word`; none when none is much like it.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let score = |name: &'c str| (strsim::normalized_damerau_levenshtein(word, name), name);
    let alike = candidates.into_iter().map(score).filter(|(score, _)| *score >= ALIKE);
    alike.max_by(|(one, _), (two, _)| one.total_cmp(two)).map(|(_, name)| name)
}
