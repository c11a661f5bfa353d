//! One HTTP/1.1 exchange with a server on this machine, whatever the URL's host is called.

use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

use super::trust::Trust;

/// A request to send.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whom to believe over https.
    pub(crate) trust: Option<Trust>,
}

impl Request {
    pub(crate) fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.parse().unwrap(),
            url: url.parse().unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            trust: None,
        }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    #[must_use]
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// A form, as a browser would send it from a page of the same origin.
    #[must_use]
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let origin = self.url.origin().ascii_serialization();
        self.header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &origin)
            .header("sec-fetch-site", "same-origin")
            .body(body)
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("JSON, not {}", self.text()))
    }

    /// The one value of a header; empty when it is absent.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        let values: Vec<_> = self.headers.get_all(name).into_iter().collect();
        assert!(values.len() <= 1, "{name} once: {values:?}");
        values.first().map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// Where a redirect leads, as an absolute URL.
    #[track_caller]
    pub(crate) fn location(&self) -> Url {
        self.url.join(&self.header("location")).unwrap()
    }
}

/// Sends a request over a connection of its own and reads the answer to its end. Every host is this machine.
pub(crate) async fn exchange(request: Request) -> Answer {
    let url = request.url.clone();
    let (parts, body) = head(request).await.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Answer { url, status: parts.status.as_u16(), headers: parts.headers, body }
}

/// Sends a request and reads only the head of its answer, which may go on for ever.
pub(crate) async fn head(request: Request) -> http::Response<Incoming> {
    let Request { method, url, headers, body, trust } = request;
    let port = url.port_or_known_default().unwrap();
    let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
    let mut sender = match url.scheme() {
        "https" => {
            let trust = trust.expect("somebody to believe");
            speak(trust.greet(url.host_str().unwrap(), stream).await.unwrap()).await
        }
        _ => speak(stream).await,
    };
    let target = url
        .query()
        .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let authority = url.authority().to_owned();
    let mut sent =
        http::Request::builder().method(method).uri(target).body(Body::from(body)).unwrap();
    *sent.headers_mut() = headers;
    sent.headers_mut().entry("host").or_insert(authority.parse().unwrap());
    sender.send_request(sent).await.unwrap()
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> SendRequest<Body> {
    let (sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test owns its connections")]
    drop(tokio::spawn(connection));
    sender
}
