//! Signing keys: RSA 2048, made at start, published as a JWK set (RFC 7517) without `alg`, as Entra does.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::error::SimError;

/// Entra's keys have this many bits.
const BITS: usize = 2048;

/// The name on Entra's own key certificates.
const SUBJECT: &str = "accounts.accesscontrol.windows.net";

/// One key pair with its certificate, able to sign.
pub(super) struct SigningKey {
    pub(super) kid: String,
    encoding: EncodingKey,
    modulus: String,
    exponent: String,
    certificate: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key from the operating system's randomness.
    pub(super) fn generate() -> Result<Self, SimError> {
        let key = RsaPrivateKey::new(&mut rand_core::OsRng, BITS).map_err(SimError::Key)?;
        let der = key.to_pkcs1_der().map_err(SimError::KeyEncoding)?;
        let certificate = certificate(&key)?;
        Ok(Self {
            // As at Entra, the thumbprint of the certificate.
            kid: URL_SAFE_NO_PAD.encode(Sha1::digest(&certificate)),
            encoding: EncodingKey::from_rsa_der(der.as_bytes()),
            modulus: URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
            exponent: URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
            certificate,
        })
    }

    /// The certificate, DER.
    #[cfg(test)]
    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The private half, for tokens that only tests make.
    #[cfg(test)]
    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    /// RS256 over `input`, base64url.
    pub(super) fn sign(&self, input: &str) -> Result<String, SimError> {
        jsonwebtoken::crypto::sign(input.as_bytes(), &self.encoding, Algorithm::RS256)
            .map_err(SimError::Signature)
    }

    /// The public half.
    pub(super) fn verifying(&self) -> Option<DecodingKey> {
        DecodingKey::from_rsa_components(&self.modulus, &self.exponent).ok()
    }

    /// The modulus as it is published: what an attacker would use as an HMAC secret.
    pub(super) fn public_text(&self) -> &str {
        &self.modulus
    }

    /// The published form. Keys of the v1 document name no issuer.
    fn jwk(&self, issuer: Option<&str>) -> Value {
        let mut jwk = json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": self.modulus,
            "e": self.exponent,
            "x5c": [STANDARD.encode(&self.certificate)],
            "cloud_instance_name": "microsoftonline.com",
        });
        if let (Some(issuer), Some(members)) = (issuer, jwk.as_object_mut()) {
            members.insert("issuer".to_owned(), json!(issuer));
        }
        jwk
    }
}

/// A certificate that the key signs itself: nobody validates it, and some clients read the key from it.
fn certificate(key: &RsaPrivateKey) -> Result<Vec<u8>, SimError> {
    let der = key.to_pkcs8_der().map_err(SimError::KeyForm)?;
    let der = PrivatePkcs8KeyDer::from(der.as_bytes());
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256);
    let pair = pair.map_err(SimError::Certificate)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, SUBJECT);
    let certificate = params.self_signed(&pair).map_err(SimError::Certificate)?;
    Ok(certificate.der().to_vec())
}

/// Keys in use: the first signs, all are published.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    current: Arc<SigningKey>,
    /// Published ahead of its use.
    next: Arc<SigningKey>,
    retired: Vec<Arc<SigningKey>>,
    /// Signs for personal accounts only.
    personal: Arc<SigningKey>,
    /// Of the simulated cluster, whose tokens prove clients; never published here.
    cluster: Option<Arc<SigningKey>>,
}

/// What happens to the old key when a new one takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// It stays published, as in an orderly rollover.
    Keep,
    /// It is withdrawn at once, as after a leak.
    Drop,
}

/// Which issuers a published set names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Issuers<'a> {
    /// None, as in the v1 document.
    Unnamed,
    /// The tenant's or the template, and that of personal accounts.
    Named { work: &'a str, personal: &'a str },
}

impl Keys {
    /// A signing key, the one after it, and the one of personal accounts.
    pub(super) fn generate() -> Result<Self, SimError> {
        let new = || SigningKey::generate().map(Arc::new);
        Ok(Self {
            current: new()?,
            next: new()?,
            retired: Vec::new(),
            personal: new()?,
            cluster: None,
        })
    }

    pub(super) fn current(&self) -> &SigningKey {
        &self.current
    }

    pub(super) fn personal(&self) -> &SigningKey {
        &self.personal
    }

    /// Signs with a key that was never published before, as in an emergency.
    pub(super) fn rotate(&mut self, key: SigningKey, overlap: Overlap) {
        let old = std::mem::replace(&mut self.current, Arc::new(key));
        match overlap {
            Overlap::Keep => self.retired.insert(0, old),
            Overlap::Drop => self.retired.clear(),
        }
    }

    /// Signs with the key that was published ahead, as planned; `key` is published in its place.
    pub(super) fn roll(&mut self, key: SigningKey) {
        let next = std::mem::replace(&mut self.next, Arc::new(key));
        let old = std::mem::replace(&mut self.current, next);
        self.retired.insert(0, old);
    }

    /// The key of the simulated cluster, made when it is first needed.
    pub(super) fn cluster(&mut self) -> Result<Arc<SigningKey>, SimError> {
        if let Some(key) = &self.cluster {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(SigningKey::generate()?);
        self.cluster = Some(Arc::clone(&key));
        Ok(key)
    }

    /// The public half of the cluster's key; none before anything was signed with it.
    pub(super) fn cluster_key(&self) -> Option<DecodingKey> {
        self.cluster.as_ref().and_then(|key| key.verifying())
    }

    /// The public half of a key that signs or signed for this tenant.
    pub(super) fn verifying(&self, kid: &str) -> Option<DecodingKey> {
        let all = std::iter::once(&self.current).chain([&self.next]).chain(&self.retired);
        all.into_iter().find(|key| key.kid == kid).and_then(|key| key.verifying())
    }

    /// The JWK set, with a key of a type that nobody knows yet: clients must not stumble over it.
    pub(super) fn jwks(&self, issuers: Issuers<'_>) -> Value {
        let (work, personal) = match issuers {
            Issuers::Unnamed => (None, None),
            Issuers::Named { work, personal } => (Some(work), Some(personal)),
        };
        let ours = [&self.current, &self.next].into_iter().chain(&self.retired);
        let mut keys: Vec<Value> = ours.map(|key| key.jwk(work)).collect();
        keys.push(self.personal.jwk(personal));
        keys.push(json!({ "kty": "AKP", "use": "sig", "kid": "a-key-of-tomorrow", "pub": "AAAA" }));
        json!({ "keys": keys })
    }
}
