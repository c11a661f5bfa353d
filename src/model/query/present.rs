//! What queries are read against in the product: the time, and what groups are called.

use super::super::group::GroupNames;
use super::super::time::Timestamp;
use super::Known;

/// The present.
#[derive(Debug, Clone)]
pub struct Present {
    /// The time.
    pub now: Timestamp,
    /// What groups are called.
    pub names: GroupNames,
}

impl Known for Present {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn group_names(&self, id: &str) -> Vec<String> {
        let name = id.parse().ok().and_then(|id| self.names.name(&id).map(str::to_owned));
        name.into_iter().collect()
    }
}
