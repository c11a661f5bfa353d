//! What follows from a record: a receipt, and from the receipt of an allow a permit.
//!
//! A [`Permit`] can't be made anywhere else, can't be copied, and is used up by forwarding. So traffic that nobody
//! decided on, or whose decision is not on record, does not compile.

use crate::model::id::DecisionId;
use crate::model::record::Verdict;

/// Proof that the log took an entry. Under `strict` it is durable; under `strict-allow` a refusal may still be queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    id: DecisionId,
}

impl Receipt {
    pub(super) fn new(id: DecisionId) -> Self {
        Self { id }
    }

    /// The record's place in the log.
    pub fn id(&self) -> DecisionId {
        self.id
    }
}

/// Proof that an allow is durably on record. Forwarding takes it by value, so that one decision lets one request through.
#[derive(Debug)]
#[must_use = "an allow that is on record must be acted on"]
pub struct Permit {
    receipt: Receipt,
}

impl Permit {
    /// The decision that allowed it.
    pub fn decision_id(&self) -> DecisionId {
        self.receipt.id
    }
}

/// A decision that the log took.
#[derive(Debug)]
#[must_use = "what was decided must be acted on"]
pub enum Recorded {
    /// It may pass.
    Allowed(Permit),
    /// It may not.
    Denied(Receipt),
}

impl Recorded {
    /// Invariant: the one place that makes a permit. For an allow, the caller has waited until `receipt` is durable.
    pub(super) fn new(verdict: Verdict, receipt: Receipt) -> Self {
        match verdict {
            Verdict::Allow => Self::Allowed(Permit { receipt }),
            Verdict::Deny => Self::Denied(receipt),
        }
    }

    /// The decision's id.
    pub fn id(&self) -> DecisionId {
        match self {
            Self::Allowed(permit) => permit.decision_id(),
            Self::Denied(receipt) => receipt.id(),
        }
    }
}
