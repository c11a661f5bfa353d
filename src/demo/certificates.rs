//! TLS for the simulator: a certificate authority made at every start, which vouches for this machine's names once.
//!
//! Its key is forgotten as soon as the one certificate is signed, so whoever trusts the authority trusts nothing else
//! with it. The server's key stays in memory. Only the authority's own certificate is written to a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::app::tls;
use crate::model::time::{Clock, Timestamp};

/// The names that the certificate is good for: where the demo's servers can be reached.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "app.localhost"];
/// The file in the data folder that holds the authority's certificate.
const FILE: &str = "simulator-ca.pem";
const DAY: Duration = Duration::from_hours(24);
/// Longer than any demo runs; some clients refuse certificates that last longer than 398 days.
const LIFE: Duration = Duration::from_hours(365 * 24);

/// The TLS side of the simulator's https listener.
#[derive(Debug)]
pub(super) struct Certified {
    /// How the listener speaks TLS.
    pub(super) server: Arc<ServerConfig>,
    /// The certificate authority's certificate, PEM.
    pub(super) authority: PathBuf,
}

/// Makes an authority, lets it sign one certificate, and writes its own into `folder`.
///
/// # Errors
/// When no certificate can be made, or the file can't be written.
pub(super) fn make(folder: &Path) -> Result<Certified> {
    // Whoever checks the certificates looks at the machine's clock, whatever the demo's own says.
    let now = Clock::System.now();
    let authority = authority(now).context("no certificate authority can be made")?;
    let (chain, key) = server(now, &authority).context("no certificate can be made")?;
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let file = folder.join(FILE);
    fs::write(&file, authority.pem()).with_context(|| format!("can't write {}", file.display()))?;
    let file = file.canonicalize().with_context(|| format!("can't find {}", file.display()))?;
    Ok(Certified { server: tls::with_certificate(chain, key)?, authority: file })
}

fn authority(now: Timestamp) -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = lasting(CertificateParams::default(), now);
    params.distinguished_name = called("Cedargate demo authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

/// A certificate for [`NAMES`] with its key.
fn server(
    now: Timestamp,
    authority: &CertifiedIssuer<'_, KeyPair>,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let key = KeyPair::generate()?;
    let mut params = lasting(CertificateParams::new(NAMES.map(str::to_owned))?, now);
    params.distinguished_name = called("localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // OpenSSL's strict mode, the default of newer Pythons, insists on it.
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((vec![certificate.der().clone()], key))
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// Good from yesterday, for clocks that are a little behind.
fn lasting(mut params: CertificateParams, now: Timestamp) -> CertificateParams {
    let midnight = |at: Timestamp| {
        let date = TimeZone::UTC.to_datetime(at.to_jiff()).date();
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
    };
    params.not_before = midnight(now.minus(DAY));
    params.not_after = midnight(now.plus(LIFE));
    params
}
