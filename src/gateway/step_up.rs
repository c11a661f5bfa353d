//! Whether somebody who was refused would be let in if they proved more at Entra.
//!
//! The question is put to the same snapshot again with the proof taken as given. Nothing follows from that answer but an
//! offer: it is not recorded, and no permit comes of it. After the proof, the request is decided anew like any other.

use super::enforce::{Asked, circumstances, decide};
use crate::authz::snapshot::Snapshot;
use crate::model::id::AuthContext;
use crate::model::record::{Circumstances, MfaState, Reason, Verdict};

/// What people can be offered to prove.
///
/// Today that is a second factor. Other contexts and a fresh sign-in can be asked for at the same address
/// (`login/asked.rs`); which routes ask for them is for the rule book to say, and their offers belong into
/// [`StepUps::offer`].
#[derive(Debug, Clone)]
pub struct StepUps {
    /// The authentication context that stands for a second factor; none: nothing does.
    pub mfa: Option<AuthContext>,
}

/// Something to prove that would open what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offer {
    /// A second factor, which is this authentication context at Entra.
    Mfa(AuthContext),
}

impl Offer {
    /// How the sign-in address spells it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Mfa(_) => "mfa",
        }
    }

    pub(super) fn context(&self) -> &AuthContext {
        match self {
            Self::Mfa(context) => context,
        }
    }
}

impl StepUps {
    /// What would open a refused request; none when nothing that the caller could prove would.
    pub(super) fn offer(
        &self,
        snapshot: &Snapshot,
        asked: Asked<'_>,
        was: Reason,
    ) -> Option<Offer> {
        // Without a session there is nothing to add a proof to, and nothing that is broken opens by one.
        let may_help = match was {
            Reason::NoGrant | Reason::Forbidden => asked.caller.session.is_some(),
            Reason::Granted | Reason::NotSignedIn | Reason::PolicyError | Reason::NoRoute => false,
        };
        let context = self.mfa.as_ref().filter(|_| may_help)?;
        let now = circumstances(snapshot, asked, asked.exchange.at);
        if now.mfa == MfaState::Met {
            return None;
        }
        let decision = decide(snapshot, asked, &with_mfa(now, context));
        (decision.verdict == Verdict::Allow).then(|| Offer::Mfa(context.clone()))
    }
}

fn with_mfa(mut circumstances: Circumstances, context: &AuthContext) -> Circumstances {
    circumstances.mfa = MfaState::Met;
    circumstances.auth_contexts.insert(context.to_string());
    circumstances
}
