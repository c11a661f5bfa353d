//! Forms that were sent under a sign-in too old for them.
//!
//! They are kept in memory, for a quarter of an hour and for that session alone, and never sent by themselves.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::model::id::{DecisionId, SessionId};
use crate::model::time::Timestamp;
use crate::web::link::Link;

/// How long a form is kept: a sign-in at Entra may take ten minutes.
const KEPT_FOR: Duration = Duration::from_mins(15);
/// Forms kept at once, of at most 64 KiB each; the oldest go first.
const MOST: usize = 200;
/// Of these, forms of one session.
const MOST_OF_SESSION: usize = 4;

/// A form that was not carried out.
#[derive(Debug, Clone)]
pub(in crate::console) struct KeptForm {
    /// The refusal.
    pub(in crate::console) id: DecisionId,
    /// Whose it is.
    pub(in crate::console) session: SessionId,
    /// Where it was sent.
    pub(in crate::console) place: Link,
    /// What was sent.
    pub(in crate::console) body: Bytes,
    /// When.
    pub(in crate::console) at: Timestamp,
}

/// The forms that wait until their sender has signed in again.
#[derive(Debug, Default)]
pub struct Kept(Mutex<VecDeque<KeptForm>>);

impl Kept {
    /// Keeps a form.
    pub(in crate::console) fn keep(&self, form: KeptForm) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| form.at.is_within(KEPT_FOR, other.at));
        let own = |other: &KeptForm| other.session == form.session;
        if all.iter().filter(|other| own(other)).count() >= MOST_OF_SESSION {
            let oldest = all.iter().position(own);
            oldest.and_then(|at| all.remove(at));
        }
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back(form);
    }

    /// The form that was refused so, when it is of this session and still kept.
    pub(super) fn find(
        &self,
        id: &str,
        (session, now): (&SessionId, Timestamp),
    ) -> Option<KeptForm> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |form: &&KeptForm| {
            form.id.to_string() == id
                && form.session == *session
                && now.is_within(KEPT_FOR, form.at)
        };
        all.iter().find(is_it).cloned()
    }
}
