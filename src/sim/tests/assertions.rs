//! Client assertions: certificates, and tokens of another issuer.

use jsonwebtoken::Header;

use super::keys::SigningKey;
use super::*;

/// The client's key with its certificate, made once.
static KEY: OnceLock<SigningKey> = OnceLock::new();

fn client_key() -> &'static SigningKey {
    KEY.get_or_init(|| SigningKey::generate().unwrap())
}

const CLUSTER: &str = "https://cluster.example/";
const ACCOUNT: &str = "system:serviceaccount:gate:gate";
const EXCHANGE: &str = "api://AzureADTokenExchange";

fn endpoint() -> String {
    format!("{ORIGIN}/{}/oauth2/v2.0/token", people::TENANT)
}

fn good_claims() -> Value {
    json!({ "aud": endpoint(), "iss": people::NIGHTLY_JOB, "sub": people::NIGHTLY_JOB,
        "jti": "1", "nbf": START - 60, "iat": START, "exp": START + 540 })
}

fn sha256_header() -> Header {
    let mut header = Header::new(Algorithm::PS256);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(client_key().certificate())));
    header
}

fn assertion(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, client_key().encoding()).unwrap()
}

impl World {
    fn certified() -> Self {
        let world = Self::new();
        let with = |job: &mut Registration| {
            job.secrets.clear();
            job.certificates.push(client_key().certificate().to_vec());
        };
        world.sim.change_client(people::NIGHTLY_JOB, with).unwrap();
        world
    }

    fn federated() -> Self {
        let world = Self::new();
        let trust = FederatedCredential {
            issuer: CLUSTER.to_owned(),
            subject: ACCOUNT.to_owned(),
            audience: EXCHANGE.to_owned(),
            key: FederatedKey::Cluster,
        };
        let with = |job: &mut Registration| job.federated.push(trust);
        world.sim.change_client(people::NIGHTLY_JOB, with).unwrap();
        world
    }

    async fn by_assertion(&self, token: &str) -> Answer {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form =
            [("client_secret", ""), ("client_assertion_type", kind), ("client_assertion", token)];
        self.for_itself(&form).await
    }
}

#[tokio::test]
async fn certificate_proves_the_client_in_each_form_that_clients_send() {
    let world = World::certified();
    let mut padded = sha256_header();
    padded.x5t_s256 = padded.x5t_s256.map(|text| format!("{text}="));
    let mut sha1 = Header::new(Algorithm::RS256);
    sha1.x5t = Some(
        URL_SAFE_NO_PAD.encode(<sha1::Sha1 as sha1::Digest>::digest(client_key().certificate())),
    );
    for header in [sha256_header(), padded, sha1] {
        let answer = world.by_assertion(&assertion(&header, &good_claims())).await;
        assert_eq!(answer.status, StatusCode::OK, "{header:?}: {}", answer.text);
        let body = answer.json();
        let claims = world.verified(body["access_token"].as_str().unwrap()).await.unwrap();
        assert_eq!(claims["azpacr"], "2");
    }
}

#[tokio::test]
async fn wrong_assertions_are_refused() {
    let world = World::certified();
    let check = async |token: &str, number: u64| {
        let answer = world.by_assertion(token).await;
        assert_eq!((answer.status.as_u16(), answer.code_of_error()), (401, number));
        assert_eq!(answer.json()["error"], "invalid_client");
    };
    let claims = |name: &str, value: Value| {
        let mut claims = good_claims();
        claims[name] = value;
        assertion(&sha256_header(), &claims)
    };
    let mut unknown = sha256_header();
    unknown.x5t_s256 = Some(URL_SAFE_NO_PAD.encode([7; 32]));
    let good = assertion(&sha256_header(), &good_claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    check(&claims("aud", json!("https://elsewhere.example/token")), 50012).await;
    check(&claims("sub", json!(people::CLIENT)), 700_021).await;
    check(&claims("iss", json!(people::CLIENT)), 700_021).await;
    check(&claims("exp", json!(START - 301)), 700_024).await;
    check(&claims("nbf", json!(START + 301)), 700_024).await;
    check(&assertion(&unknown, &good_claims()), 700_027).await;
    check(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 256])), 700_027).await;
}

#[tokio::test]
async fn assertion_and_secret_together_are_refused() {
    let world = World::certified();
    world.sim.add_secret(people::NIGHTLY_JOB, "secret").unwrap();
    let token = assertion(&sha256_header(), &good_claims());
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let both = [
        ("client_secret", "secret"),
        ("client_assertion_type", kind),
        ("client_assertion", &token),
    ];
    assert_eq!(world.for_itself(&both).await.code_of_error(), 9_002_313);
    let untyped = [("client_secret", ""), ("client_assertion", token.as_str())];
    assert_eq!(world.for_itself(&untyped).await.code_of_error(), 900_144);
}

#[tokio::test]
async fn token_of_a_trusted_issuer_proves_the_client() {
    let world = World::federated();
    let hour = Duration::from_hours(1);
    let token = world.sim.cluster_token((CLUSTER, ACCOUNT), EXCHANGE, hour).unwrap();
    assert_eq!(world.by_assertion(&token).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(3600 + 301));
    assert_eq!(world.by_assertion(&token).await.code_of_error(), 700_024);
}

#[tokio::test]
async fn foreign_token_must_match_in_everything() {
    let world = World::federated();
    let hour = Duration::from_hours(1);
    let make = |issuer, subject, audience| {
        world.sim.cluster_token((issuer, subject), audience, hour).unwrap()
    };
    for token in [
        make("https://cluster.example", ACCOUNT, EXCHANGE),
        make(CLUSTER, "system:serviceaccount:gate:other", EXCHANGE),
        make(CLUSTER, ACCOUNT, "api://AzureADTokenExchangeChina"),
    ] {
        let answer = world.by_assertion(&token).await;
        assert_eq!((answer.status.as_u16(), answer.code_of_error()), (401, 70021));
    }
    let good = make(CLUSTER, ACCOUNT, EXCHANGE);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 256]));
    assert_eq!(world.by_assertion(&forged).await.code_of_error(), 700_027);
    assert_eq!(world.by_assertion(&good).await.status, StatusCode::OK);
}

#[tokio::test]
async fn new_federation_takes_a_while_to_spread() {
    let world = World::federated();
    world.sim.delay_federation(2);
    let hour = Duration::from_hours(1);
    let token = world.sim.cluster_token((CLUSTER, ACCOUNT), EXCHANGE, hour).unwrap();
    assert_eq!(world.by_assertion(&token).await.code_of_error(), 70021);
    assert_eq!(world.by_assertion(&token).await.code_of_error(), 70021);
    assert_eq!(world.by_assertion(&token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn code_is_redeemed_with_a_certificate_as_well() {
    let world = World::new();
    let with =
        |gate: &mut Registration| gate.certificates.push(client_key().certificate().to_vec());
    world.sim.change_client(people::CLIENT, with).unwrap();
    let mut claims = good_claims();
    claims["iss"] = json!(people::CLIENT);
    claims["sub"] = json!(people::CLIENT);
    let token = assertion(&sha256_header(), &claims);
    let code = world.code("uma").await;
    let form = [
        ("client_id", people::CLIENT),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &token),
        ("grant_type", "authorization_code"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", &code),
    ];
    let answer = world.post(&format!("/{}/oauth2/v2.0/token", people::TENANT), &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}
