//! The one client for requests of our own to Entra and Graph.
//!
//! It follows no redirect, unpacks nothing, reads a bounded body within a bounded time, and speaks plain http only to
//! loopback hosts. Certificates are checked against the machine's own list of authorities, and those of the settings.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::error::{HttpError, IdpError};
use crate::model::host::Origin;
use crate::model::id::RequestId;

/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The name under which a request can be found at the provider.
const REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// How much of an answer is read, and for how long one waits for all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The longest body that is read.
    pub(super) max_bytes: usize,
    /// From the start of the request to the end of the body.
    pub(super) total: Duration,
}

/// Metadata, keys and tokens: a few kilobytes each.
pub(super) const ENTRA: Limits = Limits { max_bytes: 512 * 1024, total: Duration::from_secs(10) };

/// Groups of one person: about 40 bytes each, at most 11,000 of them; somebody is waiting for the page.
pub(super) const GRAPH: Limits = Limits { max_bytes: 1024 * 1024, total: Duration::from_secs(5) };

/// The outbound client.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Outbound {
    /// Reads the machine's certificate authorities and adds `further` ones. Without any, only a loopback provider over
    /// plain http is usable.
    ///
    /// # Errors
    /// [`IdpError::Settings`] when `authority` is https and there are no certificate authorities, or when one of
    /// `further` is not a certificate.
    pub(super) fn new(
        authority: &Origin,
        further: &[CertificateDer<'static>],
    ) -> Result<Self, IdpError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_LIMIT));
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls(authority, further)?);
        let schemes = if authority.is_https() { tls.https_only() } else { tls.https_or_http() };
        let connector = schemes.enable_http1().wrap_connector(tcp);
        // A code can be redeemed once. A kept connection that the other side has just closed could cost it.
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client })
    }

    /// Sends `request` under the name `id` and reads the whole answer, whatever its status.
    pub(super) async fn send(
        &self,
        request: Request<Vec<u8>>,
        id: &RequestId,
        limits: Limits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let mut request = request.map(|body| Full::new(Bytes::from(body)));
        let name = HeaderValue::from_str(id.as_str()).map_err(|_| HttpError::Request)?;
        let headers = request.headers_mut();
        headers.insert(REQUEST_ID, name);
        headers.insert(USER_AGENT, HeaderValue::from_static("cedargate"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        tokio::time::timeout(limits.total, self.exchange(request, limits.max_bytes))
            .await
            .unwrap_or(Err(HttpError::Timeout { limit: limits.total }))
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        max_bytes: usize,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let answer = self.client.request(request).await;
        let (head, body) =
            answer.map_err(|cause| HttpError::Connection(Arc::new(cause)))?.into_parts();
        if head.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(HttpError::Encoded);
        }
        let body = Limited::new(body, max_bytes).collect().await.map_err(|cause| {
            if cause.is::<LengthLimitError>() {
                HttpError::TooLarge { max_bytes }
            } else {
                HttpError::Body
            }
        })?;
        Ok(Response::from_parts(head, body.to_bytes().to_vec()))
    }
}

fn tls(authority: &Origin, further: &[CertificateDer<'static>]) -> Result<ClientConfig, IdpError> {
    let unusable = |setting, problem| IdpError::Settings { setting, problem };
    let mut trusted = RootCertStore::empty();
    // As for every program of this machine, a certificate of its list that can't be read is left out.
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in further {
        let added = trusted.add(certificate.clone());
        added.map_err(|_| unusable("ca_file", "it holds something that is no certificate"))?;
    }
    if trusted.is_empty() && authority.is_https() {
        return Err(unusable("authority", "this machine has no list of certificate authorities"));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable("authority", "TLS can't be set up"))?;
    Ok(builder.with_root_certificates(trusted).with_no_client_auth())
}

/// The status and `Retry-After` of an answer that is of no use.
pub(super) fn useless<B>(answer: &Response<B>) -> HttpError {
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    HttpError::Status { status: answer.status().as_u16(), retry_after }
}

/// A new name for a request: a random GUID.
///
/// # Errors
/// [`IdpError::Randomness`].
pub(super) fn request_id() -> Result<RequestId, IdpError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| IdpError::Randomness)?;
    // The bits of RFC 9562 that say "random GUID".
    let number =
        u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let hex = format!("{number:032x}");
    let part = |range| hex.get(range).unwrap_or("");
    let text = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-");
    text.parse().map_err(|_| IdpError::Randomness)
}
