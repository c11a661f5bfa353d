//! What a sign-in has to prove besides who somebody is: the parameter `step_up`.
//!
//! `mfa` stands for the context that the settings name, `c1` to `c99` for an authentication context of the tenant, and
//! `max_age=300` for a proof that is at most that many seconds old; a context and an age may come together, with a space
//! between them. Only what the settings or the rules in force know can be asked: anybody can make an address, and nobody
//! shall be sent to prove what nothing here needs. What was asked is kept on the server until the person comes back.

use super::Login;
use super::query::Query;
use crate::model::id::AuthContext;
use crate::model::session::{Session, StepUp};
use crate::web::link::Link;
use crate::web::sign_in::proving;

/// A `step_up` that asks for nothing that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnknownStepUp;

impl Login {
    /// What the query asks for; nothing when it has no `step_up`.
    pub(super) fn asked(&self, query: &Query<'_>) -> Result<StepUp, UnknownStepUp> {
        let Some(text) = query.one("step_up").map_err(|_twice| UnknownStepUp)? else {
            return Ok(StepUp::default());
        };
        let spelled = self.spelled_out(text)?;
        let asked: StepUp = spelled.parse().map_err(|_| UnknownStepUp)?;
        let known = asked.context.as_ref().is_none_or(|context| self.knows(context));
        known.then_some(asked).ok_or(UnknownStepUp)
    }

    /// The same with the context in place of `mfa`.
    fn spelled_out(&self, text: &str) -> Result<String, UnknownStepUp> {
        let spell = |part: &str| match part {
            "mfa" => self.mfa.as_ref().map(ToString::to_string).ok_or(UnknownStepUp),
            other => Ok(other.to_owned()),
        };
        Ok(text.split(' ').map(spell).collect::<Result<Vec<_>, _>>()?.join(" "))
    }

    fn knows(&self, context: &AuthContext) -> bool {
        self.mfa.as_ref() == Some(context) || self.live.current().contexts().contains(context)
    }
}

/// Whether a session has proved all of it already. Only Entra can say how long ago that was, so an age is asked for in
/// any case.
pub(super) fn is_met(asked: &StepUp, session: &Session) -> bool {
    let met = |context: &AuthContext| session.auth_contexts.contains(context.as_str());
    asked.max_age.is_none() && asked.context.as_ref().is_none_or(met)
}

/// The parameter that [`Login::asked`] reads.
pub(super) fn with_step_up(link: Link, asked: &StepUp) -> Link {
    if asked.is_empty() { link } else { proving(link, &asked.to_string()) }
}
