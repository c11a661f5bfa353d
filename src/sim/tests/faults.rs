//! Ordered faults: every AADSTS number, ailing endpoints, a wrong clock, group claims in other forms.

use super::people::Account;
use super::*;

/// Every number that a gate has words for, after Microsoft's list.
const KNOWN: &[u32] = &[
    16000, 50020, 50034, 51004, 28002, 28003, 70011, 700_022, 700_023, 500_011, 40010, 50033,
    90006, 90012, 90024, 90033, 90090, 40008, 40009, 50011, 50012, 700_027, 700_030, 700_024,
    50053, 50055, 50056, 50057, 50126, 50144, 50058, 50059, 90002, 90019, 50072, 50074, 50076,
    50078, 50079, 50097, 53000, 53001, 53002, 53004, 53003, 530_032, 530_035, 53011, 50131, 50158,
    500_021, 500_022, 500_212, 500_213, 500_208, 50105, 50132, 50133, 50173, 50089, 50140, 50199,
    50146, 501_461, 50147, 501_491, 501_481, 50194, 90130, 9_001_023, 50196, 54005, 65001,
    9_002_341, 65004, 65005, 650_052, 650_056, 650_057, 70000, 70001, 7_000_112, 70002, 700_005,
    700_016, 70008, 700_082, 700_084, 70021, 700_211, 700_212, 700_213, 700_229, 700_025, 700_054,
    70043, 7_000_215, 7_000_218, 7_000_222, 90009, 90014, 900_144, 9_002_313, 900_971, 900_561,
    90055, 90094, 90095, 90038, 900_382, 900_432, 900_439, 901_002, 9_002_326, 9_002_327,
    9_002_332, 70016, 70018, 70019, 90119, 90120, 50049, 50068, 50070, 50071,
];

#[test]
fn table_is_sorted_and_knows_every_number() {
    let numbers: Vec<u32> = aadsts::TABLE.iter().map(|row| row.number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let missing: Vec<_> = KNOWN.iter().filter(|number| aadsts::find(**number).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for row in aadsts::TABLE {
        assert!(row.text.ends_with('.') && !row.text.contains("AADSTS"), "{}", row.number);
    }
}

#[tokio::test]
async fn every_number_comes_on_order_in_entras_form() {
    let world = World::new();
    for row in aadsts::TABLE {
        world.sim.fail_next_token(TokenFault::Aadsts(row.number));
        let answer = world.token(&[("code", "any")]).await;
        let body = answer.json();
        assert_eq!(body["error"], row.at_token, "{}", row.number);
        assert_eq!(body["error_codes"], json!([row.number]));
        let start = format!("AADSTS{}: {}\r\nTrace ID: ", row.number, row.text);
        assert!(body["error_description"].as_str().unwrap().starts_with(&start), "{}", row.number);
        assert!(body["error_uri"].as_str().unwrap().ends_with(&format!("?code={}", row.number)));
        let status = match row.at_token {
            _ if row.number == 90055 => 429,
            "invalid_client" => 401,
            "temporarily_unavailable" => 503,
            _ => 400,
        };
        assert_eq!(answer.status.as_u16(), status, "{}", row.number);

        world.sim.fail_next_authorize(AuthorizeFault::AsEntra(row.number));
        let answer = world.get(&authorize(&[])).await;
        match row.ends {
            aadsts::Ends::Back => {
                assert_eq!(answer.sent("error").as_deref(), Some(row.at_authorize));
            }
            aadsts::Ends::Page => assert_eq!(answer.status, StatusCode::BAD_REQUEST),
        }
        world.sim.fail_next_authorize(AuthorizeFault::SentBack(row.number));
        let answer = world.get(&authorize(&[])).await;
        assert_eq!(answer.sent("error").as_deref(), Some(row.at_authorize), "{}", row.number);
        assert_eq!(answer.sent("state").as_deref(), Some("the-state"));
    }
    assert!(world.get(&authorize(&[])).await.text.contains("Who signs in?"));
}

#[tokio::test]
async fn page_faults_travel_when_no_page_may_be_shown() {
    let world = World::new();
    world.sim.fail_next_authorize(AuthorizeFault::AsEntra(50105));
    let answer = world.get(&authorize(&[("prompt", "none")])).await;
    assert_eq!(answer.sent("error").as_deref(), Some("interaction_required"));
}

#[tokio::test]
async fn endpoints_ail_one_by_one() {
    let world = World::new();
    let metadata = format!("/{}/v2.0/.well-known/openid-configuration", people::TENANT);
    let keys = format!("/{}/discovery/v2.0/keys", people::TENANT);
    world.sim.set_condition(Endpoint::Metadata, Condition::Unavailable);
    let answer = world.get(&metadata).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(world.get(&keys).await.status, StatusCode::OK);
    world.sim.set_condition(Endpoint::Metadata, Condition::NotJson);
    assert!(world.get(&metadata).await.text.starts_with("<html>"));
    world.sim.set_condition(Endpoint::Metadata, Condition::Well);
    assert_eq!(world.get(&metadata).await.status, StatusCode::OK);
    world.sim.set_condition(Endpoint::Token, Condition::Unavailable);
    assert_eq!(world.token(&[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    world.sim.set_condition(Endpoint::Graph, Condition::Unavailable);
    assert_eq!(world.get("/v1.0/me").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn slow_endpoint_answers_late_and_hanging_one_does_not() {
    let world = World::new();
    let metadata = format!("/{}/v2.0/.well-known/openid-configuration", people::TENANT);
    let (late, longer) = (Duration::from_millis(30), Duration::from_millis(60));
    world.sim.set_condition(Endpoint::Metadata, Condition::Slow(late));
    let begun = tokio::time::Instant::now();
    assert_eq!(world.get(&metadata).await.status, StatusCode::OK);
    assert!(begun.elapsed() >= late);
    world.sim.set_condition(Endpoint::Metadata, Condition::Hanging);
    assert!(tokio::time::timeout(longer, world.get(&metadata)).await.is_err());
}

#[tokio::test]
async fn dead_endpoint_drops_the_connection_without_a_byte() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new();
    world.sim.set_condition(Endpoint::Keys, Condition::Dead);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = tokio::task::JoinSet::new();
    let router = world.sim.router();
    serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("GET /{}/discovery/v2.0/keys HTTP/1.1\r\nHost: sim\r\n\r\n", people::TENANT);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes).await;
    assert!(bytes.is_empty(), "{read:?}: {}", String::from_utf8_lossy(&bytes));
}

#[tokio::test]
async fn clock_can_be_wrong() {
    let world = World::new();
    for skew in [600, -600] {
        world.sim.skew_clock(skew);
        assert_eq!(world.claims("uma").await["iat"], START + skew - 300);
    }
    world.sim.skew_clock(0);
    assert_eq!(world.claims("uma").await["iat"], START - 300);
}

#[tokio::test]
async fn planned_rollover_signs_with_a_key_that_was_published_before() {
    let world = World::new();
    let path = format!("/{}/discovery/v2.0/keys", people::TENANT);
    let before = world.get(&path).await.json();
    world.sim.roll_keys().unwrap();
    let body = world.sign_in("uma").await;
    let header = jsonwebtoken::decode_header(body["id_token"].as_str().unwrap()).unwrap();
    assert_eq!(json!(header.kid), before["keys"][1]["kid"]);
    let after = world.get(&path).await.json();
    let kids: Vec<_> = after["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert!(kids.contains(&&before["keys"][0]["kid"]), "the old one stays");
}

#[tokio::test]
async fn groups_stand_in_tokens_as_the_registration_says() {
    let world = World::new();
    world
        .sim
        .change("uma", |uma| {
            uma.roles.insert(people::REPORTS_READ.to_owned());
        })
        .unwrap();
    let as_said = async |form: GroupClaims| {
        world.sim.change_client(people::CLIENT, |gate| gate.group_claims = form).unwrap();
        let claims = world.claims("uma").await;
        (claims["groups"].clone(), claims["roles"].clone())
    };
    let roles = json!([people::REPORTS_READ]);
    assert_eq!(as_said(GroupClaims::Absent).await, (Value::Null, roles.clone()));
    assert_eq!(as_said(GroupClaims::Ids).await, (json!([people::FINANCE]), roles));
    assert_eq!(as_said(GroupClaims::IdsAsRoles).await, (Value::Null, json!([people::FINANCE])));
    world.sim.name_group(people::FINANCE, people::REPORTS_READ);
    let named = as_said(GroupClaims::NamesAsRoles).await;
    assert_eq!(named, (Value::Null, json!([people::REPORTS_READ])), "a group called like a role");
}

#[tokio::test]
async fn role_of_one_registration_stays_out_of_others() {
    let world = World::new();
    let elsewhere = |gate: &mut Registration| {
        gate.app_roles.remove(people::REPORTS_READ);
    };
    world.sim.change_client(people::CLIENT, elsewhere).unwrap();
    let declared = |job: &mut Registration| {
        job.app_roles.insert(people::REPORTS_READ.to_owned());
    };
    world.sim.change_client(people::NIGHTLY_JOB, declared).unwrap();
    assert!(world.claims("rob").await.get("roles").is_none());
}

#[tokio::test]
async fn optional_claims_come_where_they_are_listed() {
    let world = World::new();
    let bare = |gate: &mut Registration| gate.optional_claims.clear();
    world.sim.change_client(people::CLIENT, bare).unwrap();
    let claims = world.claims("uma").await;
    for claim in ["sid", "login_hint", "auth_time", "acct", "xms_edov"] {
        assert!(claims.get(claim).is_none(), "{claim}");
    }
    let all = |gate: &mut Registration| {
        gate.optional_claims.extend([
            OptionalClaim::Sid,
            OptionalClaim::LoginHint,
            OptionalClaim::AuthTime,
            OptionalClaim::Acct,
            OptionalClaim::XmsEdov,
        ]);
    };
    world.sim.change_client(people::CLIENT, all).unwrap();
    let (uma, gia) = (world.claims("uma").await, world.claims("gia").await);
    assert_eq!((uma["acct"].as_i64(), gia["acct"].as_i64()), (Some(0), Some(1)));
    assert_eq!(uma["auth_time"], START);
    assert_eq!(uma["xms_edov"], true);
    let admin = |uma: &mut people::Person| {
        uma.directory_roles.insert("62e90394".to_owned());
    };
    world.sim.change("uma", admin).unwrap();
    assert_eq!(world.claims("uma").await["wids"], json!(["62e90394"]));
}

#[tokio::test]
async fn removed_and_renamed_people_are_noticed() {
    let world = World::new();
    let body = world.sign_in("uma").await;
    let token = body["refresh_token"].as_str().unwrap();
    let married = |uma: &mut people::Person| uma.user_name = "uma.u@contoso.example".to_owned();
    world.sim.change("uma", married).unwrap();
    let claims = world.claims("uma").await;
    assert_eq!(claims["preferred_username"], "uma.u@contoso.example");
    assert_eq!(claims["oid"], people::UMA);
    world.sim.set_account("uma", Account::Disabled).unwrap();
    assert!(world.pick("uma").await.text.contains("AADSTS50057"));
    world.sim.remove_person("uma").unwrap();
    assert_eq!(world.refresh(token).await.code_of_error(), 50034);
    assert!(world.pick("uma").await.text.contains("AADSTS50034"));
    assert!(world.sim.remove_person("uma").is_err());
}
