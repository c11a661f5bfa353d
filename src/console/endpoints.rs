//! The one table of the console's endpoints: method, address, the action that it takes, and what answers.
//!
//! The router is made from this table and from nothing else.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, on};

use crate::authz::console::ConsoleAction;
use crate::console::Console;

use super::guard::{self, Admitted};
use super::{handlers, urls};

/// What answers a request that was let in.
type Handler = fn(Arc<Console>, Admitted) -> Pin<Box<dyn Future<Output = Response> + Send>>;

/// How an endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// `GET` and `HEAD`: changes nothing.
    Get,
    /// `POST`: a form of ours, which `guard` checks.
    Post,
}

impl Verb {
    /// The method's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// How it is asked.
    pub verb: Verb,
    /// Its address, as a pattern.
    pub path: &'static str,
    /// What a person must be allowed to do.
    pub action: ConsoleAction,
    handler: Handler,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.verb.as_str(), self.path, self.action.as_str())
    }
}

static TABLE: [Endpoint; 8] = [
    Endpoint {
        verb: Verb::Get,
        path: urls::BARE_HOME,
        action: ConsoleAction::ReadRules,
        handler: |_, _| Box::pin(std::future::ready(handlers::home())),
    },
    Endpoint {
        verb: Verb::Get,
        path: urls::HOME,
        action: ConsoleAction::ReadRules,
        handler: |_, _| Box::pin(std::future::ready(handlers::home())),
    },
    Endpoint {
        verb: Verb::Get,
        path: urls::ROUTES,
        action: ConsoleAction::ReadRules,
        handler: |console, asked| Box::pin(handlers::routes(console, asked)),
    },
    Endpoint {
        verb: Verb::Get,
        path: urls::ROUTE,
        action: ConsoleAction::ReadRules,
        handler: |console, asked| Box::pin(handlers::route(console, asked)),
    },
    Endpoint {
        verb: Verb::Post,
        path: urls::GRANTS,
        action: ConsoleAction::ChangeRules,
        handler: |console, asked| Box::pin(handlers::add_grant(console, asked)),
    },
    Endpoint {
        verb: Verb::Get,
        path: urls::DECISIONS,
        action: ConsoleAction::ReadLog,
        handler: |console, asked| Box::pin(handlers::decisions(console, asked)),
    },
    Endpoint {
        verb: Verb::Get,
        path: urls::DECISION,
        action: ConsoleAction::ReadLog,
        handler: |console, asked| Box::pin(handlers::decision(console, asked)),
    },
    Endpoint {
        verb: Verb::Get,
        path: urls::ENTRA,
        action: ConsoleAction::ReadRules,
        handler: |console, asked| Box::pin(handlers::entra(console, asked)),
    },
];

/// Every endpoint there is.
pub fn table() -> &'static [Endpoint] {
    &TABLE
}

/// The table as a router.
pub(super) fn router(console: Console) -> Router {
    let console = Arc::new(console);
    let routes = TABLE.iter().fold(Router::new(), |router, endpoint| {
        let console = Arc::clone(&console);
        let answer = move |request: Request| serve(Arc::clone(&console), endpoint, request);
        router.route(endpoint.path, on(endpoint.verb.filter(), answer))
    });
    routes.method_not_allowed_fallback(move |request: Request| {
        let console = Arc::clone(&console);
        let exchange = request.extensions().get().cloned();
        async move { guard::refuse_method(&console, exchange).await }
    })
}

async fn serve(console: Arc<Console>, endpoint: &Endpoint, request: Request) -> Response {
    match guard::admit(&console, endpoint.action, request).await {
        Ok(admitted) => (endpoint.handler)(console, admitted).await,
        Err(refused) => *refused,
    }
}
