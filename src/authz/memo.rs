//! What is remembered between requests: people as Cedar sees them, and answers that only a new release can change.
//!
//! Deciding is a pure function, so an answer may be kept as long as nothing that it was made of changes. Kept are answers
//! in whose making no policy looked at the context: they depend on the principal's content, the route, the method and the
//! release alone. The first three are the key; a release has a snapshot of its own and with it a memory of its own. A
//! remembered answer is put on record like any other.

use std::net::IpAddr;
use std::sync::Arc;

use cedar_policy::Context;
use quick_cache::sync::Cache;

use super::decision::Decision;
use super::index::Bound;
use super::prepared::Prepared;
use crate::model::grant::Method;
use crate::model::principal::PrincipalHash;

/// People remembered at most; somebody in 50 groups takes about 10 KB.
const PEOPLE: usize = 4_096;
/// Answers remembered at most; one takes about 300 bytes.
const ANSWERS: usize = 65_536;
/// Client addresses remembered at most; one takes about 500 bytes.
const ADDRESSES: usize = 4_096;

/// A principal, ready for evaluation.
#[derive(Debug)]
pub(super) struct Person {
    /// As Cedar sees them.
    pub(super) entity: Prepared,
    /// The principals of scopes that they are or are in, sorted.
    pub(super) bounds: Vec<Bound>,
}

/// What an answer depends on within one release, when no policy looks at the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) who: PrincipalHash,
    /// The number of the route within the release.
    pub(super) route: usize,
    pub(super) method: Method,
}

/// What one snapshot remembers.
pub(super) struct Memo {
    pub(super) people: Cache<PrincipalHash, Arc<Person>>,
    pub(super) answers: Cache<Key, Decision>,
    /// Contexts of nothing but an address: Cedar parses it anew each time.
    pub(super) addresses: Cache<IpAddr, Context>,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            people: Cache::new(PEOPLE),
            answers: Cache::new(ANSWERS),
            addresses: Cache::new(ADDRESSES),
        }
    }
}

/// Not whose answers: people are in there.
impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (people, answers) = (self.people.len(), self.answers.len());
        f.debug_struct("Memo")
            .field("people", &people)
            .field("answers", &answers)
            .finish_non_exhaustive()
    }
}
