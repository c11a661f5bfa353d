//! What we prove ourselves with: secret, certificate, federated token; two at a time; files that are not as they must be.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::op::{CLIENT, CODE, NOW, Op, SECRET, TOKEN, finish, json_answer, keys, secret, sign};
use crate::idp::{CredentialKind, CredentialOutcome, CredentialProblem, Idp, IdpError, Which};
use crate::model::entra::Credential;
use crate::model::time::Timestamp;

const OTHER_SECRET: &str = "canary-other-secret";

/// Days around `NOW`, which is in November 2026.
const THIS_YEAR: (i32, i32) = (2026, 2027);

/// A folder with a certificate for key `number` and that key.
struct Pair(TempDir);

impl Pair {
    fn new(number: usize, years: (i32, i32)) -> Self {
        let pair = Self(TempDir::new().unwrap());
        pair.write_certificate(number, years);
        pair.write_key(number);
        pair
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("entra.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("entra.key")
    }

    /// Writes a new certificate and gives its DER form.
    fn write_certificate(&self, number: usize, (from, until): (i32, i32)) -> Vec<u8> {
        let der = keys()[number].to_pkcs8_der().unwrap().as_bytes().to_vec();
        let key = PrivateKeyDer::try_from(der).unwrap();
        let key = rcgen::KeyPair::from_der_and_sign_algo(&key, &rcgen::PKCS_RSA_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(self.certificate(), certificate.pem()).unwrap();
        certificate.der().to_vec()
    }

    fn write_key(&self, number: usize) {
        let pem = keys()[number].to_pkcs8_pem(LineEnding::LF).unwrap();
        fs::write(self.key(), pem.as_bytes()).unwrap();
    }

    fn credential(&self) -> Credential {
        Credential::Certificate { certificate_file: self.certificate(), key_file: self.key() }
    }
}

fn with(op: &Op, first: Credential, second: Option<Credential>) -> Idp {
    let mut settings = op.settings();
    settings.credential = first;
    settings.second = second;
    Idp::new(settings, op.clock.clone()).unwrap()
}

fn refused(number: u32) -> super::op::Answer {
    json_answer(401, &json!({ "error": "invalid_client", "error_codes": [number] }))
}

/// Header and claims of the last assertion, which key `number` must have signed.
fn assertion(op: &Op, number: usize) -> (jsonwebtoken::Header, Value) {
    let form = op.forms(TOKEN).pop().unwrap();
    assert!(!form.contains_key("client_secret"));
    assert_eq!(form["client_id"], CLIENT);
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let key = keys()[number].to_public_key().to_pkcs1_der().unwrap();
    let mut checks = Validation::new(Algorithm::PS256);
    checks.validate_exp = false;
    checks.validate_aud = false;
    let read = jsonwebtoken::decode::<Value>(
        &form["client_assertion"],
        &DecodingKey::from_rsa_der(key.as_bytes()),
        &checks,
    );
    let read = read.unwrap();
    (read.header, read.claims)
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_for_every_request() {
    let op = Op::start().await;
    let pair = Pair::new(0, THIS_YEAR);
    let der = pair.write_certificate(0, THIS_YEAR);
    let idp = with(&op, pair.credential(), None);
    finish(&idp).await.unwrap();
    let (header, claims) = assertion(&op, 0);
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert_eq!(header.x5t_s256.unwrap(), URL_SAFE_NO_PAD.encode(Sha256::digest(&der)));
    assert_eq!(claims["aud"], json!(op.origin.url(TOKEN)));
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    let seconds = |name: &str| claims[name].as_i64().unwrap() - NOW;
    assert_eq!((seconds("nbf"), seconds("iat"), seconds("exp")), (-60, 0, 540));
    finish(&idp).await.unwrap();
    assert_ne!(assertion(&op, 0).1["jti"], claims["jti"]);
    let report = idp.credentials().pop().unwrap();
    assert_eq!((report.which, report.kind), (Which::First, CredentialKind::Certificate));
    assert_eq!(
        report.expires_at,
        "2027-01-01T00:00:00Z".parse::<crate::model::time::Instant>().ok().map(|i| i.0)
    );
    assert_eq!(report.outcome, CredentialOutcome::Accepted { at: op.clock.now() });
}

#[tokio::test]
async fn a_renewed_certificate_needs_no_restart() {
    let op = Op::start().await;
    let pair = Pair::new(0, THIS_YEAR);
    let idp = with(&op, pair.credential(), None);
    finish(&idp).await.unwrap();
    pair.write_certificate(1, THIS_YEAR);
    finish(&idp).await.unwrap();
    assertion(&op, 0);
    let problem = idp.credentials().pop().unwrap().problem;
    assert!(matches!(problem, Some(CredentialProblem::Mismatch { .. })), "half of a renewal");
    pair.write_key(1);
    finish(&idp).await.unwrap();
    assertion(&op, 1);
    assert_eq!(idp.credentials().pop().unwrap().problem, None);
}

#[tokio::test]
async fn the_last_good_certificate_goes_on_until_it_expires() {
    let op = Op::start().await;
    let pair = Pair::new(0, THIS_YEAR);
    let idp = with(&op, pair.credential(), None);
    finish(&idp).await.unwrap();
    fs::remove_file(pair.key()).unwrap();
    finish(&idp).await.unwrap();
    op.later(Duration::from_hours(24 * 40));
    op.answer_token(&sign(&super::op::header(), &op.claims().to_string(), 0));
    let answer = finish(&idp).await;
    assert!(matches!(answer, Err(IdpError::Credential { .. })), "{answer:?}");
}

/// What is said of a certificate and key, without the folder.
async fn problem(op: &Op, pair: &Pair) -> String {
    let idp = with(op, pair.credential(), None);
    let Err(error) = finish(&idp).await else { panic!("must be refused") };
    assert!(matches!(error, IdpError::Credential { which: Which::First, .. }), "{error:?}");
    assert_eq!(op.hits(TOKEN), 0);
    error.to_string().replace(&format!("{}/", pair.0.path().display()), "")
}

#[tokio::test]
async fn certificate_files_that_cannot_be_used_are_named() {
    let op = Op::start().await;
    let pair = || Pair::new(0, THIS_YEAR);
    let start = "the credential in `[entra]` can't be used: ";
    let mismatch = pair();
    mismatch.write_key(1);
    let text = "the certificate in `entra.pem` does not match the key in `entra.key`";
    assert_eq!(problem(&op, &mismatch).await, format!("{start}{text}"));
    let old = Pair::new(0, (2024, 2026));
    let text = "what is in `entra.pem` expired at 2026-01-01T00:00:00.000000Z";
    assert_eq!(problem(&op, &old).await, format!("{start}{text}"));
    let early = Pair::new(0, (2027, 2028));
    assert!(problem(&op, &early).await.ends_with("valid from 2027-01-01T00:00:00.000000Z only"));
    let missing = pair();
    fs::remove_file(missing.certificate()).unwrap();
    assert!(problem(&op, &missing).await.contains("can't read `entra.pem`: No such file"));
    let swapped = pair();
    fs::copy(swapped.key(), swapped.certificate()).unwrap();
    assert!(problem(&op, &swapped).await.contains("`entra.pem` holds no certificate in PEM form"));
    let empty = pair();
    fs::write(empty.key(), "").unwrap();
    assert!(problem(&op, &empty).await.contains("`entra.key` holds no private key in PEM form"));
    let locked = pair();
    let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    fs::write(locked.key(), pem).unwrap();
    assert!(problem(&op, &locked).await.contains("`entra.key` is encrypted"));
    let curve = pair();
    fs::write(curve.key(), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(problem(&op, &curve).await.contains("not an RSA key of 2048 to 4096 bits"));
    let short = pair();
    short.write_key(2);
    assert!(problem(&op, &short).await.contains("not an RSA key of 2048 to 4096 bits"));
    let huge = pair();
    fs::write(huge.certificate(), "x".repeat(300 * 1024)).unwrap();
    assert!(problem(&op, &huge).await.contains("longer than"));
}

fn federated(exp: i64) -> String {
    sign(&json!({ "alg": "RS256" }), &json!({ "sub": "system", "exp": exp }).to_string(), 1)
}

fn token_file(folder: &Path, content: &str) -> Credential {
    let file = folder.join("token");
    fs::write(&file, content).unwrap();
    Credential::FederatedToken { file }
}

#[tokio::test]
async fn a_federated_token_is_read_for_every_request() {
    let op = Op::start().await;
    let folder = TempDir::new().unwrap();
    let first = federated(NOW + 60);
    let idp = with(&op, token_file(folder.path(), &format!("{first}\n")), None);
    finish(&idp).await.unwrap();
    assert_eq!(op.forms(TOKEN).pop().unwrap()["client_assertion"], first);
    let second = federated(NOW + 3600);
    token_file(folder.path(), &second);
    finish(&idp).await.unwrap();
    let form = op.forms(TOKEN).pop().unwrap();
    assert_eq!(form["client_assertion"], second);
    assert!(form["client_assertion_type"].ends_with(":jwt-bearer"));
    let report = idp.credentials().pop().unwrap();
    assert_eq!(report.expires_at, Some(Timestamp::from_seconds(NOW + 3600)));
}

#[tokio::test]
async fn token_files_that_cannot_be_used_are_named() {
    let op = Op::start().await;
    let folder = TempDir::new().unwrap();
    for (content, expected) in [
        (String::new(), "is empty"),
        ("\n \n".to_owned(), "is empty"),
        ("not-a-token".to_owned(), "does not hold a token"),
        ("a.b.c".to_owned(), "does not hold a token"),
        (federated(NOW), "expired at 2026-11-24T09:00:00"),
    ] {
        let idp = with(&op, token_file(folder.path(), &content), None);
        let error = finish(&idp).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("token`"), "{error}");
        assert!(idp.credentials().pop().unwrap().problem.is_some());
    }
    let missing = Credential::FederatedToken { file: folder.path().join("nowhere") };
    let error = finish(&with(&op, missing, None)).await.unwrap_err().to_string();
    assert!(error.contains("nowhere`: No such file"), "{error}");
    assert_eq!(op.hits(TOKEN), 0);
}

/// The secret of each request for tokens, oldest first.
fn secrets(op: &Op) -> Vec<String> {
    op.forms(TOKEN).into_iter().map(|form| form["client_secret"].clone()).collect()
}

#[tokio::test]
async fn a_refused_secret_gives_way_to_the_other_at_once() {
    let op = Op::start().await;
    let idp = with(&op, secret(SECRET), Some(secret(OTHER_SECRET)));
    for number in [7_000_222, 7_000_215, 700_027] {
        op.set_next(TOKEN, refused(number));
        finish(&idp).await.unwrap();
        finish(&idp).await.unwrap();
    }
    let (a, b) = (SECRET, OTHER_SECRET);
    assert_eq!(secrets(&op), [a, b, b, b, a, a, a, b, b], "the one that worked goes first");
    assert!(op.forms(TOKEN).iter().all(|form| form["code"] == CODE));
    let reports = idp.credentials();
    assert!(
        matches!(&reports[0].outcome, CredentialOutcome::Refused { refusal, .. } if refusal.aadsts == Some(700_027))
    );
    assert!(matches!(reports[1].outcome, CredentialOutcome::Accepted { .. }));
}

#[tokio::test]
async fn two_refused_secrets_are_told_by_the_first_and_tried_once_each() {
    let op = Op::start().await;
    let idp = with(&op, secret(SECRET), Some(secret(OTHER_SECRET)));
    op.set_next(TOKEN, refused(7_000_222));
    op.set(TOKEN, refused(7_000_215));
    let Err(IdpError::ClientRefused(refusal)) = finish(&idp).await else { panic!() };
    assert_eq!(refusal.aadsts, Some(7_000_222));
    assert_eq!(secrets(&op), [SECRET, OTHER_SECRET]);
}

#[tokio::test]
async fn what_is_not_about_the_credential_is_not_sent_twice() {
    let op = Op::start().await;
    let idp = with(&op, secret(SECRET), Some(secret(OTHER_SECRET)));
    for (status, error, number) in [
        (400, "invalid_grant", 54_005),
        (400, "invalid_grant", 7_000_215),
        (400, "unauthorized_client", 700_016),
        (400, "invalid_request", 90_014),
        (503, "temporarily_unavailable", 90_033),
    ] {
        let before = op.hits(TOKEN);
        op.set(TOKEN, json_answer(status, &json!({ "error": error, "error_codes": [number] })));
        assert!(finish(&idp).await.is_err());
        assert_eq!(op.hits(TOKEN), before + 1, "{error}");
    }
}

#[tokio::test]
async fn a_federated_token_that_nothing_matches_gives_way_as_well() {
    let op = Op::start().await;
    let folder = TempDir::new().unwrap();
    let token = token_file(folder.path(), &federated(NOW + 60));
    let idp = with(&op, token, Some(secret(OTHER_SECRET)));
    op.set_next(
        TOKEN,
        json_answer(400, &json!({ "error": "invalid_request", "error_codes": [70_021] })),
    );
    finish(&idp).await.unwrap();
    let forms = op.forms(TOKEN);
    assert!(forms[0].contains_key("client_assertion") && !forms[0].contains_key("client_secret"));
    assert!(forms[1].contains_key("client_secret") && !forms[1].contains_key("client_assertion"));
}

#[tokio::test]
async fn a_credential_without_its_file_gives_way_as_well() {
    let op = Op::start().await;
    let missing = || Credential::FederatedToken { file: "/nowhere/token".into() };
    let idp = with(&op, missing(), Some(secret(OTHER_SECRET)));
    finish(&idp).await.unwrap();
    assert_eq!(secrets(&op), [OTHER_SECRET]);
    op.set(TOKEN, refused(7_000_215));
    let answer = finish(&idp).await;
    assert!(matches!(answer, Err(IdpError::ClientRefused(_))), "{answer:?}");
    let both = finish(&with(&op, missing(), Some(missing()))).await;
    assert!(matches!(both, Err(IdpError::Credential { which: Which::First, .. })), "{both:?}");
}
