//! Who asks: the session of their cookie, else the access token that they brought, else nobody known.
//!
//! An access token that is not accepted is a refusal, on record, and never counts as none: its sender would be taken for
//! somebody else. A token that was accepted before costs no flood control of the address that it comes from; any other is
//! looked into only while that address has not been refused too often.

use axum::response::Response;
use http::HeaderMap;

use super::Gateway;
use crate::idp::BearerRefusal;
use crate::model::record::Refusal;
use crate::web::bearer::Brought;
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;
use crate::web::fault::Fault;
use crate::web::flood::Source;

impl Gateway {
    /// Who sent a request.
    ///
    /// # Errors
    /// With the answer: 503 when sessions can't be read, the refusal of a token, 429 in a flood of them.
    pub(super) async fn known(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
    ) -> Result<Caller, Box<Response>> {
        let caller = match Caller::of(&self.sessions, &exchange.origin, headers).await {
            Ok(caller) => caller,
            Err(error) => {
                tracing::error!(request.id = %exchange.facts.request, error = %error, "A session could not be read.");
                return Err(Box::new(self.fault(exchange, &Fault::unready())));
            }
        };
        if caller.session.is_some() {
            return Ok(caller);
        }
        match self.bearer(caller, exchange, Brought::of(headers)).await {
            Ok(known) => Ok(known),
            Err(Turned::Away(answer)) => Err(answer),
            Err(Turned::Down(refusal)) => {
                Err(Box::new(self.refuser.refuse(exchange.into(), refusal).await))
            }
        }
    }

    async fn bearer(
        &self,
        caller: Caller,
        exchange: &Exchange,
        brought: Brought,
    ) -> Result<Caller, Turned> {
        let token = match brought {
            Brought::Nothing => return Ok(caller),
            Brought::Token(token) => token,
            Brought::Unreadable(problem) => {
                return Err(Turned::Down(Refusal::UnreadableToken { problem }));
            }
        };
        let source = Source::Address(exchange.facts.client);
        if !self.idp.knows_bearer(&token)
            && let Some(turned_away) = self.refuser.turn_away(source, exchange)
        {
            return Err(Turned::Away(Box::new(turned_away)));
        }
        match self.idp.bearer(&token).await {
            Ok(bearer) => {
                self.metrics.bearer("accepted");
                Ok(caller.with_bearer(bearer))
            }
            Err(refusal) => {
                self.metrics.bearer("refused");
                Err(Turned::Down(refused(refusal)))
            }
        }
    }
}

/// Why a request got no further than its token.
enum Turned {
    /// It is one of a flood, and already answered.
    Away(Box<Response>),
    /// It has to be refused.
    Down(Refusal),
}

fn refused(refusal: BearerRefusal) -> Refusal {
    match refusal {
        BearerRefusal::Invalid { problem } => Refusal::BadToken { problem },
        BearerRefusal::Insufficient { problem } => Refusal::InsufficientScope { problem },
        BearerRefusal::Unsettled { problem } => Refusal::UnsettledToken { problem },
    }
}
