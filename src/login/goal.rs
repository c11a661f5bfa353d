//! What a sign-in is for: where it leads, and what it has to prove.

use super::return_path::ReturnPath;
use crate::model::session::StepUp;
use crate::store::Handover;

/// Where a sign-in leads.
#[derive(Debug, Clone)]
pub(super) enum Goal {
    /// A page of Cedargate's own host.
    Page(ReturnPath, StepUp),
    /// An app's host.
    Handover(Handover),
}

impl Goal {
    /// What has to be proved on the way there.
    pub(super) fn step_up(&self) -> &StepUp {
        match self {
            Self::Page(_, asked) => asked,
            Self::Handover(handover) => &handover.step_up,
        }
    }
}
