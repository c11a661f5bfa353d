//! How long the certificate of our own listener lasts.

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};

use super::server;
use crate::config::Tls;
use crate::model::time::Instant;

fn params(year: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["gate.example".to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 31);
    params
}

#[test]
fn a_chain_lasts_as_long_as_the_first_of_its_certificates_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = CertifiedIssuer::self_signed(params(2027), KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = params(2028).signed_by(&key, &issuer).unwrap();
    let [certificate_file, key_file] =
        ["gate.pem", "gate.key"].map(|name| folder.path().join(name));
    std::fs::write(&certificate_file, leaf.pem() + &issuer.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let served = server(&Tls { certificate_file, key_file }).unwrap();
    let end: Instant = "2027-01-31T00:00:00Z".parse().unwrap();
    assert_eq!(served.ends_at, Some(end.0));
}
