//! Room for Cedar's recursion.
//!
//! Its parser takes stack for every bracket of a policy and does not look how much there is; a thread that runs out of it
//! takes the process down. Limits on depth (`policy_text`) bound what a policy can take, and whatever parses one
//! does it here, on a stack that has it. The evaluator looks for itself, and a request that it gives up on is a deny.

/// What the deepest policy that is allowed takes, in a build without optimisation, and as much again.
const NEEDED: usize = 16 << 20;

/// Runs `work` with enough stack, wherever it is called from.
pub(super) fn with_room<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(NEEDED, 2 * NEEDED, work)
}
