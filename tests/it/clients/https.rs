//! The simulator over https, and a gate that trusts the authority behind it.

use cedargate::model::time::Clock;
use cedargate::sim::people;
use tokio::net::TcpStream;

use super::tenant::{Tenant, gate};
use crate::harness::{Browser, OwnGate, Request, Seat, Trust, exchange};

const SECRET: &str = "a secret of the gate";

async fn metadata(tenant: &Tenant, origin: &str) -> serde_json::Value {
    let path = format!("/{}/v2.0/.well-known/openid-configuration", people::TENANT);
    let mut request = Request::new("GET", &format!("{origin}{path}"));
    request.trust = Some(tenant.trust());
    exchange(request).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_listener_of_the_simulator_names_itself_whatever_it_is_called() {
    let tenant = Tenant::start(vec![gate(SECRET)]).await;
    assert_eq!(tenant.sim.origin(), tenant.plain);
    for origin in [tenant.plain.clone(), tenant.secure.origin()] {
        let document = metadata(&tenant, &origin).await;
        assert_eq!(document["issuer"], format!("{origin}/{}/v2.0", people::TENANT));
        for address in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
        {
            let address = document[address].as_str().unwrap();
            assert!(address.starts_with(&format!("{origin}/")), "{address} at {origin}");
        }
    }
    let path = format!("{}/common/v2.0/.well-known/openid-configuration", tenant.plain);
    let lied_to = Request::new("GET", &path).header("host", "login.evil.example");
    let issuer = exchange(lied_to).await.json()["issuer"].clone();
    assert_eq!(issuer, format!("{}/{{tenantid}}/v2.0", tenant.plain));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_good_for_this_machine_and_for_nothing_else() {
    let (tenant, other) = (Tenant::start(Vec::new()).await, Tenant::start(Vec::new()).await);
    let greet = async |trust: Trust, host: &str| {
        let stream = TcpStream::connect(("127.0.0.1", tenant.secure.port)).await.unwrap();
        trust.greet(host, stream).await.map(drop)
    };
    for host in ["localhost", "127.0.0.1", "app.localhost"] {
        greet(tenant.trust(), host).await.unwrap();
    }
    greet(tenant.trust(), "login.microsoftonline.com").await.unwrap_err();
    // Every start has an authority of its own.
    greet(other.trust(), "localhost").await.unwrap_err();
    let text = std::fs::read_to_string(&tenant.secure.authority).unwrap();
    assert_eq!(text.matches("BEGIN").count(), 1, "{text}");
    assert!(text.contains("BEGIN CERTIFICATE") && !text.contains("KEY"), "{text}");
}

async fn open(tenant: &Tenant, further: &[(&str, String)]) -> anyhow::Result<OwnGate> {
    let mut entra = vec![
        ("ENTRA__CLIENT_ID", people::CLIENT.to_owned()),
        ("ENTRA__CLIENT_SECRET", SECRET.to_owned()),
        ("ENTRA__AUTHORITY", tenant.secure.origin()),
    ];
    entra.extend_from_slice(further);
    Seat::take().await.open(Clock::System, &entra).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_signs_people_in_over_https_when_it_trusts_the_authority() {
    let tenant = Tenant::start(vec![gate(SECRET)]).await;
    let authority = tenant.secure.authority.display().to_string();
    let gate = open(&tenant, &[("ENTRA__CA_FILE", authority)]).await.unwrap();
    let mut max = Browser::new(gate.port).trusting(tenant.trust());
    // His groups do not fit into the token: Graph is asked over https as well.
    let page = max.sign_in("max", &gate.app("/mine")).await;
    assert_eq!((page.status, page.url.as_str()), (200, gate.app("/mine").as_str()));
    assert_eq!(page.json()["x-gate-name"][0], "Max%20Mertens");
    assert_eq!(gate.app.hits(), 1);
    assert_eq!(gate.records().await[0]["verdict"], "allow");
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_does_not_trust_the_authority_signs_nobody_in() {
    let tenant = Tenant::start(vec![gate(SECRET)]).await;
    let gate = open(&tenant, &[]).await.unwrap();
    let page = gate.browser().open(&gate.gate("/_gate/begin")).await;
    assert_eq!(page.status, 503, "{}", page.text());
    page.assert_page();
    assert_eq!(gate.app.hits(), 0);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_file_that_is_none_is_named() {
    let tenant = Tenant::start(Vec::new()).await;
    let folder = tempfile::TempDir::new().unwrap();
    let write = |text: &str| {
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let broken = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    for (text, wrong) in
        [("", "no certificate in"), ("hello", "no certificate in"), (broken, "no certificate")]
    {
        let refused = open(&tenant, &[("ENTRA__CA_FILE", write(text))]).await.err();
        let said = format!("{:#}", refused.expect("a gate can't use that"));
        assert!(said.contains("ca_file") && said.contains(wrong), "{said}");
    }
    let absent = folder.path().join("none.pem").display().to_string();
    let said =
        format!("{:#}", open(&tenant, &[("ENTRA__CA_FILE", absent.clone())]).await.err().unwrap());
    assert!(said.contains("entra.ca_file") && said.contains(&absent), "{said}");
}
