//! Two tenants behind `organizations` and `common`, registrations that admit one of them, and further origins.

use super::*;

fn at(tenant: &str, changes: &[(&str, &str)]) -> String {
    authorize(changes).replace(people::TENANT, tenant)
}

impl World {
    async fn token_at(&self, tenant: &str, code: &str) -> Answer {
        let form = [
            ("client_id", people::CLIENT),
            ("client_secret", SECRET),
            ("grant_type", "authorization_code"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("code", code),
        ];
        self.post(&format!("/{tenant}/oauth2/v2.0/token"), &form).await
    }
}

#[tokio::test]
async fn twin_of_uma_has_her_address_and_nothing_else() {
    let world = World::new();
    let page = world.get(&at("organizations", &[])).await;
    assert!(page.text.contains(">fay</button>") && page.text.contains(">uma</button>"));
    let picked = world.post(&at("organizations", &[]), &[("person", "fay")]).await;
    let body = world.token_at("organizations", &picked.sent("code").unwrap()).await.json();
    let issuer = format!("{ORIGIN}/{}/v2.0", people::GUEST_HOME);
    let token = body["id_token"].as_str().unwrap();
    let fay = world.verified_for(token, people::CLIENT, &issuer).await.unwrap();
    let uma = world.claims("uma").await;
    assert_eq!(fay["email"], uma["email"]);
    assert_eq!(fay["tid"], people::GUEST_HOME);
    for claim in ["tid", "oid", "sub", "iss", "preferred_username"] {
        assert_ne!(fay[claim], uma[claim], "{claim}");
    }
}

#[tokio::test]
async fn people_sign_in_at_their_own_tenant_only() {
    let world = World::new();
    assert!(!world.get(&at(people::TENANT, &[])).await.text.contains(">fay</button>"));
    let picked = world.post(&at(people::DOMAIN, &[]), &[("person", "fay")]).await;
    assert!(picked.text.contains("AADSTS50020"));
    let other = world.get(&at(people::OTHER_DOMAIN, &[])).await;
    assert!(other.text.contains(">fay</button>") && !other.text.contains(">uma</button>"));
    // A browser that is signed in as uma is asked again there.
    let cookie = world.pick("uma").await.cookie();
    let asked = world.get_as(&at(people::OTHER_DOMAIN, &[]), &cookie).await;
    assert!(asked.text.contains("Who signs in?"));
}

#[tokio::test]
async fn registration_of_one_tenant_is_unknown_elsewhere() {
    let world = World::new();
    let mine = |gate: &mut Registration| gate.audience = Audience::MyOrg;
    world.sim.change_client(people::CLIENT, mine).unwrap();
    assert_eq!(world.get(&at(people::DOMAIN, &[])).await.status, StatusCode::OK);
    let check = async |tenant: &str, number: &str| {
        assert!(world.get(&at(tenant, &[])).await.text.contains(number), "{tenant}");
    };
    check("organizations", "AADSTS50194").await;
    check("common", "AADSTS50194").await;
    check(people::OTHER_DOMAIN, "AADSTS700016").await;
    check("consumers", "AADSTS9002332").await;
}

#[tokio::test]
async fn metadata_of_the_other_tenant_and_of_consumers_names_them() {
    let world = World::new();
    for (segment, tenant) in [
        (people::OTHER_DOMAIN, people::GUEST_HOME),
        ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"),
    ] {
        let path = format!("/{segment}/v2.0/.well-known/openid-configuration");
        let document = world.get(&path).await.json();
        assert_eq!(document["issuer"], format!("{ORIGIN}/{tenant}/v2.0"));
    }
}

#[tokio::test]
async fn further_origin_names_itself_everywhere() {
    let world = World::new();
    let secure = world.sim.at("https://localhost:8443").unwrap();
    let other = World { sim: secure, clock: world.clock.clone() };
    let path = format!("/{}/v2.0/.well-known/openid-configuration", people::TENANT);
    let document = other.get(&path).await.text;
    assert!(document.contains("https://localhost:8443/") && !document.contains(ORIGIN));
    let claims = other.claims("uma").await;
    assert_eq!(claims["iss"], format!("https://localhost:8443/{}/v2.0", people::TENANT));
    assert!(other.pick("uma").await.header("set-cookie").ends_with("; Secure"));
    assert!(world.sim.at("localhost:8443").is_err());
}

#[tokio::test]
async fn genuine_instances_are_known_and_others_are_not() {
    let world = World::new();
    let ask = async |endpoint: &str| {
        let path = "/common/discovery/instance?api-version=1.1&authorization_endpoint=";
        world.get(&format!("{path}{endpoint}")).await
    };
    for host in [ORIGIN, "https://login.microsoftonline.com"] {
        let answer = ask(&format!("{host}/{}/oauth2/v2.0/authorize", people::TENANT)).await.json();
        let document = answer["tenant_discovery_endpoint"].as_str().unwrap();
        let path = format!("{}/v2.0/.well-known/openid-configuration", people::TENANT);
        assert_eq!(document, format!("{host}/{path}"));
        assert!(!answer["metadata"][0]["aliases"].as_array().unwrap().is_empty());
    }
    for strange in ["https://evil.example/common/oauth2/v2.0/authorize", "nonsense"] {
        let answer = ask(strange).await;
        assert_eq!((answer.status.as_u16(), answer.code_of_error()), (400, 50049));
        assert_eq!(answer.json()["error"], "invalid_instance");
    }
}

#[tokio::test]
async fn doubled_slashes_count_once_and_appid_leads_on() {
    let world = World::new();
    let path = format!("/{}//v2.0/.well-known/openid-configuration", people::TENANT);
    let with_app = format!("{path}?appid={}", people::CLIENT);
    assert_eq!(world.get(&path).await.status, StatusCode::OK);
    let keys = world.get(&with_app).await.json()["jwks_uri"].as_str().unwrap().to_owned();
    assert!(keys.ends_with(&format!("/discovery/v2.0/keys?appid={}", people::CLIENT)));
    let keys = keys.strip_prefix(ORIGIN).unwrap();
    assert_eq!(world.get(keys).await.status, StatusCode::OK);
}
