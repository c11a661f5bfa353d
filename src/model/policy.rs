//! Hand-written policies.

use serde::{Deserialize, Serialize};

use super::id::PolicyId;

/// Cedar text that an admin wrote: exactly one policy, checked when the rule book is compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Stable over edits; records name it.
    pub id: PolicyId,
    /// The Cedar text, as written.
    pub text: String,
}
