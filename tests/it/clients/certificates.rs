//! A certificate with its RSA key, for clients that prove themselves by one.

use std::path::Path;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::traits::PublicKeyParts;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

/// Made once: a key takes a while.
static MADE: OnceLock<ClientCertificate> = OnceLock::new();

/// A certificate that vouches for itself, good for decades.
pub(crate) struct ClientCertificate {
    /// PEM.
    pub(crate) certificate: String,
    /// DER of the certificate: what is registered at Entra.
    pub(crate) der: Vec<u8>,
    /// PKCS #8, PEM.
    pub(crate) key: String,
    /// Modulus and exponent, as a JWK has them.
    numbers: [String; 2],
}

impl ClientCertificate {
    pub(crate) fn get() -> &'static Self {
        MADE.get_or_init(|| {
            let key = RsaPrivateKey::new(&mut rand_core::OsRng, 2048).unwrap();
            let der = PrivateKeyDer::try_from(key.to_pkcs8_der().unwrap().as_bytes().to_vec());
            let pair = KeyPair::from_der_and_sign_algo(&der.unwrap(), &PKCS_RSA_SHA256).unwrap();
            let params = CertificateParams::new(Vec::new()).unwrap();
            let certificate = params.self_signed(&pair).unwrap();
            let number = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
            Self {
                certificate: certificate.pem(),
                der: certificate.der().to_vec(),
                key: key.to_pkcs8_pem(LineEnding::LF).unwrap().as_str().to_owned(),
                numbers: [number(key.n().to_bytes_be()), number(key.e().to_bytes_be())],
            }
        })
    }

    /// The thumbprint of SHA-1, in hexadecimal digits.
    pub(crate) fn sha1(&self) -> String {
        format!("{:X}", Sha1::digest(&self.der))
    }

    /// The public key as a JWK (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        let [n, e] = &self.numbers;
        json!({ "kty": "RSA", "use": "sig", "n": n, "e": e })
    }

    /// Writes certificate and key into `folder`; gives the settings that name them.
    pub(crate) fn write(&self, folder: &Path) -> [(&'static str, String); 2] {
        let files = [
            ("ENTRA__CERTIFICATE_FILE", folder.join("client.pem"), &self.certificate),
            ("ENTRA__KEY_FILE", folder.join("client.key"), &self.key),
        ];
        files.map(|(setting, path, text)| {
            std::fs::write(&path, text).unwrap();
            (setting, path.display().to_string())
        })
    }
}
