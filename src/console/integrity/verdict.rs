//! What a verdict on the log says of what is broken, of releases and of losses: the same words on the page and on the certificate.

use crate::audit::verify::Verdict;
use crate::console::words::grouped;

/// What a check leaves open that did not look at the rules.
const UNRELEASED: &str = "Whether the releases that decided are still kept was not checked.";

/// What is broken: a record, or what a record names.
pub(super) fn broken(verdict: &Verdict) -> String {
    let place = verdict.at.as_deref().unwrap_or_default();
    match verdict.lost_release {
        Some(release) => {
            format!("Release {release}, which record {place} names, is not kept as published.")
        }
        None => format!("Broken at record {place}."),
    }
}

/// What is known of the releases that decided.
pub(super) fn releases(verdict: &Verdict) -> String {
    match (verdict.lost_release, verdict.releases) {
        (Some(release), _) => format!("Release {release} is not kept as it was published."),
        (None, None) => UNRELEASED.to_owned(),
        (None, Some(_)) if verdict.releases_by_own_hash > 0 => format!(
            "The releases that decided are kept, {} of them only as the hash beside the content says: the record of the publication was removed with age.",
            grouped(verdict.releases_by_own_hash)
        ),
        (None, Some(0 | 1)) => "What decided is kept as it was published.".to_owned(),
        (None, Some(all)) => {
            format!("The {} releases that decided are kept as published.", grouped(all))
        }
    }
}

/// A sentence of a verdict without its end; what people typed may have one.
pub(super) fn unended(sentence: &str) -> &str {
    sentence.trim_end_matches('.')
}
