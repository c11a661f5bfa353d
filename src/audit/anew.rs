//! What records that are removed with age say of other logs is said anew before they go: which losses were accepted, and
//! which logs were removed as a whole. So the log that is left explains itself at any moment.
//!
//! Nothing is said anew that is not vouched for: whoever can write the file and not sign would else have it signed here.

use super::verify::said::{Pruned, Restored};
use super::vouched::vouched_body;
use crate::keys::LogPublicKey;
use crate::model::body::Head;
use crate::model::id::OriginId;
use crate::model::record::Anew;
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, LogCopy};

/// What records say that must stay known.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) anew: Anew,
    /// How many records say something that nothing vouches for; it is not in `anew`.
    pub(super) unproven: u64,
}

/// What must stay known of an origin's records between two numbers. `key` signs the newest origin.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn said_in(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    span: (u64, u64),
    key: &LogPublicKey,
) -> Result<Said, StoreError> {
    let mut all = Said::default();
    for (seq, body) in copy.said(origin, span).await? {
        if says_anything(origin.id, &body) {
            match vouched_body(copy, (origin, key), seq).await? {
                Some(said) => add(&mut all.anew, origin.id, &said),
                None => all.unproven = all.unproven.saturating_add(1),
            }
        }
    }
    Ok(all)
}

fn says_anything(own: OriginId, body: &[u8]) -> bool {
    let mut anew = Anew::default();
    add(&mut anew, own, body);
    !anew.is_empty()
}

/// What one record of the log `own` says. What it says of that log itself goes with it.
fn add(anew: &mut Anew, own: OriginId, body: &[u8]) {
    let Some(head) = Head::read(body) else { return };
    if let Ok(restored) = serde_json::from_slice::<Restored>(body) {
        anew.accept(restored.acceptance(head));
    } else if let Ok(Pruned { removal, anew: before }) = serde_json::from_slice(body) {
        before.accepted.into_iter().for_each(|acceptance| anew.accept(acceptance));
        let removed = std::iter::once(removal).chain(before.removed);
        removed.filter(|of| of.origin != own.to_string()).for_each(|removal| anew.remove(removal));
    }
}
