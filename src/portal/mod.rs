//! What end users see: their access and their sessions.
//!
//! The portal opens nothing by itself. It shows a person what concerns them and nothing else, and that it was shown is on
//! record like any other answer: as a decision of this door, with the action `portal`.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};

use crate::authz::console::{ConsoleRules, PORTAL, everyone_known};
use crate::groups::Groups;
use crate::model::record::{Door, Verdict};
use crate::store::Store;
use crate::web::caller::Caller;
use crate::web::doorkeeper::{Doorkeeper, Visit};
use crate::web::exchange::Exchange;
use crate::web::fault::{Fault, Quote};
use crate::web::page;

mod access;
pub mod home;

#[cfg(test)]
mod tests;

/// The portal and all it was given.
#[derive(Debug)]
pub struct Portal {
    /// Who asks, and the record of it.
    pub doorkeeper: Doorkeeper,
    /// Who may use the console.
    pub rules: Arc<ConsoleRules>,
    /// The live release: which apps there are.
    pub store: Store,
    /// What groups are called.
    pub groups: Groups,
    /// Whom to ask for access.
    pub contact: Option<String>,
}

impl Portal {
    /// The portal's one endpoint, `/`.
    pub fn router(self) -> Router {
        let portal = Arc::new(self);
        let answer = move |request: Request| {
            let portal = Arc::clone(&portal);
            let exchange = request.extensions().get::<Arc<Exchange>>().cloned();
            let headers = request.headers().clone();
            async move {
                match exchange {
                    Some(exchange) => portal.answer(&exchange, &headers).await,
                    // Not from the front door, which is a fault of ours.
                    None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                }
            }
        };
        Router::new().route("/", get(answer))
    }

    async fn answer(&self, exchange: &Exchange, headers: &HeaderMap) -> Response {
        let caller = match self.doorkeeper.caller(exchange, headers).await {
            Ok(caller) => caller,
            Err(refused) => return *refused,
        };
        let mut response = match self.show(exchange, &caller).await {
            Ok(response) | Err(response) => *response,
        };
        caller.tidy(response.headers_mut());
        response
    }

    async fn show(
        &self,
        exchange: &Exchange,
        caller: &Caller,
    ) -> Result<Box<Response>, Box<Response>> {
        let visit = Visit { exchange, caller, door: Door::Own, action: PORTAL, console: None };
        let judged = self.doorkeeper.judge(visit, everyone_known).await?;
        if judged.verdict == Verdict::Deny {
            return Ok(Box::new(self.doorkeeper.sign_in_first(exchange, "/", judged.id)));
        }
        let unavailable = || {
            let quote = Quote::Decision(judged.id);
            Box::new(Fault::unready().answer(exchange.wants, &quote, exchange.at))
        };
        let page = access::page(self, exchange, caller).await.map_err(|error| {
            tracing::error!(request.id = %exchange.facts.request, error = %error, "The portal could not be shown.");
            unavailable()
        })?;
        Ok(Box::new(page::still(StatusCode::OK, &page)))
    }
}
