//! Further apps of the rule book: one that repeats what it was sent, addresses where nothing listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Json, Router};
use cedargate::model::app::{App, Upstream};
use cedargate::model::grant::{Grant, What, Who};
use cedargate::model::route::Route;
use cedargate::model::rule_book::RuleBook;
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// An app that answers with the headers it was sent, and counts.
pub(crate) struct Echo {
    /// Where it listens.
    pub(crate) port: u16,
    hits: Arc<AtomicUsize>,
}

impl Echo {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, hits) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&hits);
        let router = Router::new().fallback(move |headers: HeaderMap| async move {
            count.fetch_add(1, Ordering::SeqCst);
            Json(names_and_values(&headers))
        });
        #[expect(clippy::disallowed_methods, reason = "a test owns its servers")]
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        Self { port, hits }
    }

    /// Requests that reached it.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

/// Every name with the list of its values.
fn names_and_values(headers: &HeaderMap) -> Value {
    let values = |name| -> Vec<_> {
        headers
            .get_all(name)
            .into_iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect()
    };
    headers.keys().map(|name| (name.as_str().to_owned(), json!(values(name)))).collect()
}

/// A port where nothing listens.
pub(crate) async fn unused_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// Adds an app `<name>` at `http://<name>.localhost` in front of a port of this machine; everything in it is open to
/// `who`.
pub(crate) fn with_app(book: &mut RuleBook, (name, port): (&str, u16), who: Who) {
    book.apps.push(App {
        id: name.parse().unwrap(),
        name: name.to_owned(),
        origins: vec![format!("http://{name}.localhost").parse().unwrap()],
        upstream: Some(Upstream(format!("http://127.0.0.1:{port}").parse().unwrap())),
        cors_origins: Vec::new(),
        header_aliases: Vec::new(),
    });
    let route: cedargate::model::id::RouteId = format!("{name}/all").parse().unwrap();
    book.routes.push(Route::new(route.clone(), "/{*rest}".parse().unwrap()));
    book.grants.push(Grant::new(format!("{name}-all").parse().unwrap(), who, What::All, route));
}
