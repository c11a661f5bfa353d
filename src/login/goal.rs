//! Where a sign-in leads: a page of ours, or an app's host.

use super::return_path::ReturnPath;
use crate::store::Handover;

/// Where a sign-in leads.
#[derive(Debug, Clone)]
pub(super) enum Goal {
    /// A page of Cedargate's own host.
    Page(ReturnPath),
    /// An app's host.
    Handover(Handover),
}
