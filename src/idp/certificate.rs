//! A certificate with its RSA key, and the assertion that proves that we hold it.
//!
//! RFC 7523 section 3, as Entra wants it: PS256, the certificate's SHA-256 thumbprint in `x5t#S256`, the token endpoint
//! as `aud`, a fresh `jti`, ten minutes of life at most. The signature is made by the library that also does our TLS,
//! which tells at the same time whether certificate and key belong together.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};
use x509_cert::der::Decode as _;

use super::credential_problem::CredentialProblem as Problem;
use super::error::IdpError;
use super::http::request_id;
use crate::model::time::Timestamp;

/// Entra's clock may be behind ours.
const BACKDATED_SECONDS: i64 = 60;
/// With the minute before, ten minutes of life.
const LIFE_SECONDS: i64 = 540;
/// A chain and a key are a few kilobytes.
const MAX_BYTES: u64 = 256 * 1024;

/// A certificate and the key that belongs to it.
pub(super) struct Certificate {
    /// SHA-256 over both files: equal as long as nothing was renewed.
    fingerprint: [u8; 32],
    /// Base64url of SHA-256 over the certificate.
    thumbprint: String,
    key: Arc<dyn SigningKey>,
    starts_at: Timestamp,
    pub(super) expires_at: Timestamp,
    file: PathBuf,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// The two files as they were read.
pub(super) struct Files {
    certificate: (PathBuf, Vec<u8>),
    key: (PathBuf, Vec<u8>),
}

impl Files {
    /// Reads both.
    ///
    /// # Errors
    /// [`Problem::Unreadable`], naming the file.
    pub(super) async fn read(certificate: &Path, key: &Path) -> Result<Self, Problem> {
        let certificate = (certificate.to_owned(), read(certificate, MAX_BYTES).await?);
        Ok(Self { certificate, key: (key.to_owned(), read(key, MAX_BYTES).await?) })
    }

    fn fingerprint(&self) -> [u8; 32] {
        let hash = Sha256::new().chain_update(Sha256::digest(&self.certificate.1));
        hash.chain_update(Sha256::digest(&self.key.1)).finalize().into()
    }
}

/// The content of a small file.
///
/// # Errors
/// [`Problem::Unreadable`], naming the file.
pub(super) async fn read(file: &Path, max_bytes: u64) -> Result<Vec<u8>, Problem> {
    let unreadable = |why: String| Problem::Unreadable { file: file.to_owned(), why };
    let length = tokio::fs::metadata(file).await.map_err(|error| unreadable(error.to_string()))?;
    if length.len() > max_bytes {
        return Err(unreadable(format!("it is longer than {max_bytes} bytes")));
    }
    tokio::fs::read(file).await.map_err(|error| unreadable(error.to_string()))
}

impl Certificate {
    /// Whether this was made of exactly these files.
    pub(super) fn is_made_of(&self, files: &Files) -> bool {
        self.fingerprint == files.fingerprint()
    }

    /// Takes the first certificate and the key, and holds them together.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub(super) fn parse(files: &Files) -> Result<Self, Problem> {
        let (certificate_file, pem) = &files.certificate;
        let der = CertificateDer::from_pem_slice(pem)
            .map_err(|_| Problem::NoCertificate { file: certificate_file.clone() })?;
        let key = key(&files.key)?;
        let mismatch = || Problem::Mismatch {
            certificate: certificate_file.clone(),
            key: files.key.0.clone(),
        };
        let pair = CertifiedKey::new(vec![der.clone()], Arc::clone(&key));
        pair.keys_match().map_err(|_| mismatch())?;
        let unreadable = || Problem::NoCertificate { file: certificate_file.clone() };
        let read = x509_cert::Certificate::from_der(&der).map_err(|_| unreadable())?;
        let validity = read.tbs_certificate.validity;
        Ok(Self {
            fingerprint: files.fingerprint(),
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&der)),
            key,
            starts_at: timestamp(validity.not_before),
            expires_at: timestamp(validity.not_after),
            file: certificate_file.clone(),
        })
    }

    /// Whether it can be used at `now`.
    ///
    /// # Errors
    /// [`Problem::Expired`] and [`Problem::NotYetValid`].
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Problem> {
        let file = || self.file.clone();
        if now >= self.expires_at {
            return Err(Problem::Expired { file: file(), at: self.expires_at });
        }
        if now < self.starts_at {
            return Err(Problem::NotYetValid { file: file(), from: self.starts_at });
        }
        Ok(())
    }

    /// A JWT that proves to `audience` that `client` holds the key (RFC 7523 section 2.2).
    ///
    /// # Errors
    /// [`IdpError::Randomness`]; a key that does not sign counts as well, for the signature is randomised.
    pub(super) fn assertion(
        &self,
        (client, audience): (&str, &str),
        now: Timestamp,
    ) -> Result<SecretString, IdpError> {
        let now = now.as_seconds();
        let header = json!({ "typ": "JWT", "alg": "PS256", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": audience, "iss": client, "sub": client, "jti": request_id()?.as_str(),
            "nbf": now.saturating_sub(BACKDATED_SECONDS), "iat": now,
            "exp": now.saturating_add(LIFE_SECONDS),
        });
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&header), part(&claims));
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]);
        let signature = signer.and_then(|signer| signer.sign(message.as_bytes()).ok());
        let signature = URL_SAFE_NO_PAD.encode(signature.ok_or(IdpError::Randomness)?);
        Ok(SecretString::from(format!("{message}.{signature}")))
    }
}

/// The RSA key in a PEM file.
fn key((file, pem): &(PathBuf, Vec<u8>)) -> Result<Arc<dyn SigningKey>, Problem> {
    let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        let encrypted = String::from_utf8_lossy(pem).contains("ENCRYPTED");
        let file = file.clone();
        if encrypted { Problem::EncryptedKey { file } } else { Problem::NoKey { file } }
    })?;
    let usable = any_supported_type(&der).ok();
    usable
        .filter(|key| key.algorithm() == SignatureAlgorithm::RSA)
        .ok_or_else(|| Problem::NotRsa { file: file.clone() })
}

fn timestamp(time: x509_cert::time::Time) -> Timestamp {
    Timestamp::from_seconds(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
}
