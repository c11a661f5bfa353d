//! The one table of the console's endpoints: method, address, the action that it takes, and what answers.
//!
//! Each row stands beside the page that it leads to; the table is all of them. The router is made from it and from
//! nothing else.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, on};

use crate::authz::console::ConsoleAction;
use crate::console::Console;

use super::answers::Answer;
use super::guard::{self, Admitted};
use super::{again, apps, changes, directory, explore, integrity, log, reports, rules, setup};

/// What comes of a request that was let in: the page, or an answer instead of it.
pub(super) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What answers a request that was let in.
type Handler = fn(Arc<Console>, Admitted) -> Answering;

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

impl Endpoint {
    /// A page, or a part of one.
    pub(super) const fn get(path: &'static str, action: ConsoleAction, handler: Handler) -> Self {
        Self { verb: Verb::Get, path, action, handler }
    }

    /// Where a form is sent.
    pub(super) const fn post(path: &'static str, action: ConsoleAction, handler: Handler) -> Self {
        Self { verb: Verb::Post, path, action, handler }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.verb.as_str(), self.path, self.action.as_str())
    }
}

/// The rows, kept beside the pages that answer them.
static ROOMS: [&[Endpoint]; 10] = [
    again::ENDPOINTS,
    apps::ENDPOINTS,
    rules::ENDPOINTS,
    changes::ENDPOINTS,
    explore::ENDPOINTS,
    directory::ENDPOINTS,
    log::ENDPOINTS,
    integrity::ENDPOINTS,
    reports::ENDPOINTS,
    setup::ENDPOINTS,
];

/// Every endpoint there is.
pub fn table() -> impl Iterator<Item = &'static Endpoint> {
    ROOMS.iter().copied().flatten()
}

/// The table as a router.
pub(super) fn router(console: Console) -> Router {
    let console = Arc::new(console);
    let routes = table().fold(Router::new(), |router, endpoint| {
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
        Ok(admitted) => {
            (endpoint.handler)(console, admitted).await.unwrap_or_else(|instead| *instead)
        }
        Err(refused) => *refused,
    }
}
