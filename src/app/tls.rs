//! TLS on our own listener: certificate and key from files, HTTP/1.1 only.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
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
    let chain = certificates(&tls.certificate_file)?;
    let key = PrivateKeyDer::from_pem_file(&tls.key_file)
        .with_context(|| format!("`tls.key_file`: no private key in {}", tls.key_file.display()))?;
    let builder = ServerConfig::builder_with_provider(ring::default_provider().into());
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| format!("`tls`: {} can't be used", tls.certificate_file.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.with_context(|| format!("`tls.certificate_file`: no certificates in {}", file.display()))
}
