//! Whether somebody who was refused would be let in if they proved more at Entra.
//!
//! The question is put to the same snapshot again with the proof taken as given. Nothing follows from that answer but an
//! offer: it is not recorded, and no permit comes of it. After the proof, the request is decided anew like any other.

use std::collections::BTreeSet;
use std::time::Duration;

use super::enforce::{Asked, circumstances, decide};
use crate::authz::snapshot::Snapshot;
use crate::model::id::AuthContext;
use crate::model::record::{MfaState, Reason, Verdict};
use crate::model::session::StepUp;

/// What people can be offered to prove: authentication contexts that the settings or the rules name, and who they are, not
/// longer ago than the rules take.
#[derive(Debug, Clone)]
pub struct StepUps {
    /// The authentication context that stands for a second factor; none: nothing does.
    pub mfa: Option<AuthContext>,
}

/// Something to prove that would open what was asked for, or one of two contexts that together would: one sign-in proves
/// one context, and the next refusal offers the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    asked: StepUp,
    /// How the sign-in address spells it.
    word: String,
    kind: Kind,
}

/// What an offer is to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A second factor.
    Mfa,
    /// Another authentication context.
    Context,
    /// That they are still who they were.
    Fresh,
}

impl Offer {
    fn new(asked: StepUp, mfa: Option<&AuthContext>) -> Self {
        let is_mfa = asked.context.is_some() && asked.context.as_ref() == mfa;
        let kind = match (&asked.context, is_mfa) {
            (None, _) => Kind::Fresh,
            (Some(_), true) => Kind::Mfa,
            (Some(_), false) => Kind::Context,
        };
        let age = asked.max_age.map(|age| format!("max_age={}", age.as_secs()));
        let context = asked.context.as_ref();
        let context = context.map(|own| if is_mfa { "mfa".to_owned() } else { own.to_string() });
        let word = context.into_iter().chain(age).collect::<Vec<_>>().join(" ");
        Self { asked, word, kind }
    }

    /// How the sign-in address spells it.
    pub(super) fn word(&self) -> &str {
        &self.word
    }

    pub(super) fn asked(&self) -> &StepUp {
        &self.asked
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
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
        if !may_help {
            return None;
        }
        let trial = Trial { steps: self, snapshot, asked };
        trial.least().map(|asked| Offer::new(asked, self.mfa.as_ref()))
    }
}

/// A refused request, decided again with proofs taken as given.
#[derive(Clone, Copy)]
struct Trial<'a> {
    steps: &'a StepUps,
    snapshot: &'a Snapshot,
    asked: Asked<'a>,
}

impl Trial<'_> {
    /// The least that opens it: no context that is not needed, and of the ages the longest that will do.
    fn least(self) -> Option<StepUp> {
        let mut contexts = self.unmet();
        let freshest = Some(Duration::ZERO);
        if !self.opens(&contexts, freshest) {
            return None;
        }
        let stale = self.opens(&contexts, None);
        let needed = if stale { None } else { freshest };
        for context in contexts.clone() {
            contexts.remove(&context);
            if !self.opens(&contexts, needed) {
                contexts.insert(context);
            }
        }
        let age = needed.map(|zero| {
            let ages = self.snapshot.ages().iter().rev();
            ages.copied().find(|age| self.opens(&contexts, Some(*age))).unwrap_or(zero)
        });
        Some(StepUp { context: contexts.into_iter().next(), max_age: age })
    }

    /// Contexts that something here knows and the session has not met.
    fn unmet(self) -> BTreeSet<AuthContext> {
        let now = self.asked.caller.auth_contexts();
        let known = self.snapshot.contexts().iter().chain(&self.steps.mfa);
        known.filter(|context| !now.contains(context.as_str())).cloned().collect()
    }

    /// Whether it would be let through with these contexts met, and a proof of this age where one is given.
    fn opens(self, contexts: &BTreeSet<AuthContext>, age: Option<Duration>) -> bool {
        let mut then = circumstances(self.snapshot, self.asked, self.asked.exchange.at);
        then.auth_contexts.extend(contexts.iter().map(ToString::to_string));
        if self.steps.mfa.as_ref().is_some_and(|mfa| contexts.contains(mfa)) {
            then.mfa = MfaState::Met;
        }
        // A proof that is to be at most so old is a moment younger when it is looked at.
        let proved = age.map(|age| then.now.minus(age.saturating_sub(Duration::from_secs(1))));
        then.signed_in_at = proved.or(then.signed_in_at);
        decide(self.snapshot, self.asked, &then).verdict == Verdict::Allow
    }
}
