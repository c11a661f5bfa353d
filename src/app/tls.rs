//! TLS: certificates and keys from files, for our own listener (HTTP/1.1 only) and for the way to Entra.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls;

/// The TLS side of a listener with the certificate chain and key that the settings name.
///
/// # Errors
/// When a file can't be read or the two do not belong together; the message names the file.
pub(super) fn server(tls: &Tls) -> Result<Arc<ServerConfig>> {
    let chain = certificates("tls.certificate_file", &tls.certificate_file)?;
    let key = PrivateKeyDer::from_pem_file(&tls.key_file)
        .with_context(|| format!("`tls.key_file`: no private key in {}", tls.key_file.display()))?;
    with_certificate(chain, key)
        .with_context(|| format!("`tls`: {} can't be used", tls.certificate_file.display()))
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
