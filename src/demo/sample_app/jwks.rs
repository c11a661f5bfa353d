//! Fetches a JWK set (RFC 7517) over plain http from this machine, and from nowhere else.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jsonwebtoken::jwk::JwkSet;
use tokio::net::TcpStream;
use url::{Host, Url};

/// A key set on the same machine answers faster than this or not at all.
const PATIENCE: Duration = Duration::from_secs(2);
/// A key set is a few hundred bytes long.
const LARGEST: usize = 64 * 1024;

/// Why there is no key set.
#[derive(Debug, thiserror::Error)]
pub(super) enum JwksError {
    #[error("`{0}` is not a plain http address of this machine")]
    Address(String),
    #[error("the key set did not come within two seconds")]
    Late,
    #[error("could not connect to the key set")]
    Connect(#[source] std::io::Error),
    #[error("could not fetch the key set")]
    Http(#[source] hyper::Error),
    #[error("the key set was answered with status {0}")]
    Status(u16),
    #[error("the key set is broken off or too long")]
    Body,
    #[error("the key set is not a JWK set")]
    NotKeys(#[source] serde_json::Error),
}

/// Fetches the key set at `url`.
pub(super) async fn fetch(url: &str) -> Result<JwkSet, JwksError> {
    let fetched = tokio::time::timeout(PATIENCE, get(url)).await;
    let body = fetched.map_err(|_| JwksError::Late)??;
    serde_json::from_slice(&body).map_err(JwksError::NotKeys)
}

async fn get(url: &str) -> Result<Bytes, JwksError> {
    let refused = || JwksError::Address(url.to_owned());
    let url = Url::parse(url).map_err(|_| refused())?;
    let host = local(&url).ok_or_else(refused)?;
    let port = url.port_or_known_default().ok_or_else(refused)?;
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(JwksError::Connect)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(JwksError::Http)?;
    let authority = url.authority().to_owned();
    let request = Request::get(url.path())
        .header(HOST, authority)
        .body(Empty::<Bytes>::new())
        .map_err(|_| refused())?;
    // Both halves run here: the connection ends when the sender is dropped, and nothing is spawned.
    let (_, answer) = tokio::join!(connection, async move {
        let response = sender.send_request(request).await.map_err(JwksError::Http)?;
        if response.status() != http::StatusCode::OK {
            return Err(JwksError::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|_| JwksError::Body)
    });
    answer
}

/// The address to connect to, when it is this machine's. Names under `localhost` never leave it (RFC 6761).
fn local(url: &Url) -> Option<String> {
    if url.scheme() != "http" {
        return None;
    }
    match url.host()? {
        Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => {
            Some("127.0.0.1".to_owned())
        }
        Host::Domain(_) => None,
        Host::Ipv4(ip) => ip.is_loopback().then(|| ip.to_string()),
        Host::Ipv6(ip) => ip.is_loopback().then(|| ip.to_string()),
    }
}
