//! TLS: certificates and keys from files, for our own listener (HTTP/1.1 only) and for the way to Entra.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use x509_cert::der::Decode as _;

use crate::config::Tls;
use crate::model::expiry::Pressing;
use crate::model::time::{Clock, Timestamp};

/// How often it is looked how close the end of the certificate is.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// The TLS side of our own listener, and how long its certificate lasts.
#[derive(Debug)]
pub(super) struct Served {
    config: Arc<ServerConfig>,
    /// When the first certificate of its chain ends; none when none of them can be read for it.
    pub(super) ends_at: Option<Timestamp>,
}

impl Served {
    /// The TLS side, while `helpers` run something that logs how close the end comes.
    pub(super) fn watched(
        self,
        helpers: &TaskTracker,
        clock: Clock,
        stop: CancellationToken,
    ) -> Arc<ServerConfig> {
        drop(self.ends_at.map(|end| helpers.spawn(remind(end, clock, stop))));
        self.config
    }
}

/// Logs how close the end of the certificate is, once at each step.
async fn remind(end: Timestamp, clock: Clock, stop: CancellationToken) {
    let mut said = Pressing::Later;
    let mut tick = tokio::time::interval(LOOK_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        let now = Pressing::of(end, clock.now());
        if now > said {
            say(now, end);
        }
        said = now;
    }
}

fn say(pressing: Pressing, end: Timestamp) {
    match pressing {
        Pressing::Later => {}
        Pressing::Soon | Pressing::Near => {
            tracing::warn!(%end, "The certificate in `tls.certificate_file` ends soon: put a new one there, and restart.");
        }
        Pressing::Now => {
            tracing::error!(%end, "The certificate in `tls.certificate_file` ends within 3 days: put a new one there, and restart.");
        }
        Pressing::Over => {
            tracing::error!(%end, "The certificate in `tls.certificate_file` has ended, so browsers refuse to open anything: put a new one there, and restart.");
        }
    }
}

/// The TLS side of a listener with the certificate chain and key that the settings name.
///
/// # Errors
/// When a file can't be read or the two do not belong together; the message names the file.
pub(super) fn server(tls: &Tls) -> Result<Served> {
    let chain = certificates("tls.certificate_file", &tls.certificate_file)?;
    let ends_at = chain.iter().filter_map(ends_at).min();
    let key = PrivateKeyDer::from_pem_file(&tls.key_file)
        .with_context(|| format!("`tls.key_file`: no private key in {}", tls.key_file.display()))?;
    let config = with_certificate(chain, key)
        .with_context(|| format!("`tls`: {} can't be used", tls.certificate_file.display()))?;
    Ok(Served { config, ends_at })
}

fn ends_at(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let read = x509_cert::Certificate::from_der(certificate).ok()?;
    let seconds = read.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
    Some(Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

/// The TLS side of a listener with this certificate chain, the server's own first, and its key.
///
/// # Errors
/// When the two do not belong together.
pub fn with_certificate(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>> {
    let builder = ServerConfig::builder_with_provider(ring::default_provider().into());
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates that Entra and Graph may be vouched for by, besides the machine's own list: those of
/// `entra.ca_file`, if it is set.
///
/// # Errors
/// When the file can't be read or holds no certificate; the message names it.
pub(super) fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>> {
    file.map_or_else(|| Ok(Vec::new()), |file| certificates("entra.ca_file", file))
}

/// Every certificate in a PEM file, at least one. `key` is the setting that names the file.
fn certificates(key: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.with_context(|| format!("`{key}`: can't read {}", file.display()))?;
    ensure!(!read.is_empty(), "`{key}`: no certificate in {}", file.display());
    Ok(read)
}

#[cfg(test)]
#[path = "tests/tls.rs"]
mod tests;
