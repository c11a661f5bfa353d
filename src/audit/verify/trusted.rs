//! Whose signatures count: the keys that were given, and those that took over from them.

use crate::audit::checkpoint::Checkpoint;
use crate::keys::LogPublicKey;

/// Keys that whoever checks a log trusts.
#[derive(Debug)]
pub(super) struct Trusted {
    given: Vec<LogPublicKey>,
    /// Those that may sign a log which begins now: a key that another took over from may not, whoever gave it.
    current: Vec<LogPublicKey>,
}

impl Trusted {
    pub(super) fn new(given: Vec<LogPublicKey>) -> Self {
        Self { current: given.clone(), given }
    }

    /// The first that may sign.
    pub(super) fn first(&self) -> Option<LogPublicKey> {
        self.current.first().copied()
    }

    /// Whether any of the keys that signed a log, one after the other, may sign.
    pub(super) fn has_any_of(&self, keys: &[LogPublicKey]) -> bool {
        keys.iter().any(|key| self.current.contains(key))
    }

    /// Follows the keys that signed a log, one after the other: only the last of them may sign another.
    pub(super) fn follow(&mut self, keys: &[LogPublicKey]) {
        let Some((last, before)) = keys.split_last() else { return };
        self.current.retain(|key| !before.contains(key));
        if !self.current.contains(last) {
            self.current.push(*last);
        }
    }

    /// Whether a checkpoint from outside is signed by one that may sign.
    pub(super) fn has_signed(&self, note: &str) -> bool {
        self.current.iter().any(|key| Checkpoint::open(note, key).is_ok())
    }

    /// Whether a checkpoint from outside is signed by one that may sign, or was given.
    pub(super) fn knows(&self, note: &str) -> bool {
        self.has_signed(note) || self.given.iter().any(|key| Checkpoint::open(note, key).is_ok())
    }
}
