//! Services and scripts that bring access tokens: let in, introduced, recorded, refused and told why.

use std::time::Duration;

use cedargate::model::time::{Clock, Timestamp};
use cedargate::sim::{Overlap, Tamper, people};
use serde_json::{Value, json};

use crate::harness::{Answer, Echo, Request, World, exchange, navigation, script, with_app};

const NOW: i64 = 1_795_510_800;

impl World {
    async fn call(&self, authorization: &[&str]) -> Answer {
        let request = Request::new("GET", &self.app("/api/hello"));
        let with = |request: Request, line: &&str| request.header("authorization", line);
        exchange(authorization.iter().fold(request, with)).await
    }

    /// Sends a token that must be refused in this way, with one record of it.
    async fn refused(&self, authorization: &[&str], (status, error): (u16, &str)) -> Answer {
        let before = self.decisions().await.len();
        let answer = self.call(authorization).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (status, Some(error)),
            "{}",
            answer.text()
        );
        let challenge = answer.header("www-authenticate");
        let expected =
            format!("Bearer realm=\"cedargate\", error=\"{error}\", error_description=\"");
        assert!(challenge.starts_with(&expected) && challenge.ends_with('"'), "{challenge}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let records = self.decisions().await;
        assert_eq!(records.len(), before + 1);
        assert_eq!(records[0]["kind"], "refusal");
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_let_in_by_its_role_and_stands_in_the_log_under_its_own_id() {
    let world = World::start().await;
    let token = world.job_token().await;
    let answer = world.call(&[&format!("Bearer {token}")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = &world.decisions().await[0];
    let job = format!("{}.{}", people::TENANT, people::NIGHTLY_JOB_OBJECT);
    assert_eq!(record["principal"]["kind"], "workload");
    assert_eq!(record["principal"]["id"], job);
    assert_eq!(
        (&record["verdict"], &record["rules"]),
        (&json!("allow"), &json!(["grant:api-jobs"]))
    );
    assert_eq!(record["session"], Value::Null);
    // What opens for people does not open for it, and it is told so as a program is.
    let me = exchange(
        script("GET", &world.app("/me")).header("authorization", &format!("bearer   {token}")),
    )
    .await;
    assert_eq!((me.status, me.json()["reason"].as_str()), (403, Some("no_grant")));
    assert!(!format!("{:?}", world.records().await).contains(&token));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_told_who_calls_and_never_sees_the_token() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| {
        let role = cedargate::model::grant::Who::Role(people::JOBS_RUN.parse().unwrap());
        with_app(book, ("second", echo.port), role);
    });
    let world = world.await;
    let mut job = world.nightly_job().await;
    let seen = job.fetch("GET", "http://second.localhost/any").await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let text = seen.text().to_ascii_lowercase();
    assert!(!text.contains("authorization") && !text.contains("bearer"), "{text}");
    assert!(text.contains(&format!("{}.{}", people::TENANT, people::NIGHTLY_JOB_OBJECT)), "{text}");
    assert!(text.contains(&people::JOBS_RUN.to_ascii_lowercase()), "{text}");
    assert_eq!(seen.header("vary"), "Cookie, Authorization");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_token_is_said_in_the_words_of_rfc_6750() {
    let world = World::start().await;
    let (good, other) = (world.job_token().await, world.job_token().await);
    let good = format!("Bearer {good}");
    let forged = format!("{good}x");
    for lines in [
        vec![good.as_str(), &*format!("Bearer {other}")],
        vec![&good, "Basic dXNlcjpwdw=="],
        vec!["Bearer"],
        vec!["Bearer "],
        vec!["bearer a b"],
        vec!["Bearer a,b"],
        vec!["Bearer \"a\""],
    ] {
        world.refused(&lines, (400, "invalid_request")).await;
    }
    let long = format!("Bearer {}", "a".repeat(16 * 1024 + 1));
    for line in ["Bearer x", "BEARER a.b.c", &forged, &long] {
        world.refused(&[line], (401, "invalid_token")).await;
    }
    for tamper in [
        Tamper::Claim("aud".to_owned(), json!("00000003-0000-0000-c000-000000000000")),
        Tamper::Claim("iss".to_owned(), json!("https://sts.windows.net/x/")),
        Tamper::Claim("ver".to_owned(), json!("1.0")),
        Tamper::Claim("exp".to_owned(), json!(1)),
        Tamper::Claim("tid".to_owned(), json!(people::GUEST_HOME)),
        Tamper::Without("aud".to_owned()),
        Tamper::Without("iss".to_owned()),
        Tamper::Without("exp".to_owned()),
        Tamper::Without("oid".to_owned()),
        Tamper::Header("jku".to_owned(), json!("https://evil.example")),
        Tamper::AlgNone,
        Tamper::HmacWithPublicKey,
        Tamper::HmacWithClientSecret,
        Tamper::OtherKey,
        Tamper::PersonalAccountKey,
        Tamper::Payload,
        Tamper::NoSignature,
    ] {
        world.sim.tamper_next_access_token(tamper.clone());
        let wrong = format!("Bearer {}", world.job_token().await);
        let answer = world.refused(&[&wrong], (401, "invalid_token")).await;
        assert!(!answer.text().contains("eyJ"), "{tamper:?}");
    }
    for missing in ["idtyp", "roles"] {
        world.sim.tamper_next_access_token(Tamper::Without(missing.to_owned()));
        let poor = format!("Bearer {}", world.job_token().await);
        world.refused(&[&poor], (403, "insufficient_scope")).await;
    }
    assert_eq!(world.call(&[&good]).await.status, 200, "the good one is still good");
    let basic = world.call(&["Basic dXNlcjpwdw=="]).await;
    assert_eq!(basic.status, 401);
    assert_eq!(
        basic.header("www-authenticate"),
        "Bearer realm=\"cedargate\"",
        "no token, no error"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_counts_before_a_token_and_a_broken_token_is_never_nobody() {
    let world = World::start().await;
    let uma = world.browser_of("uma").await;
    let page =
        exchange(uma.dressed(script("GET", &world.app("/me"))).header("authorization", "Bearer x"))
            .await;
    assert_eq!(page.status, 200, "{}", page.text());
    // The start page is open to everybody, but not to a token that is not one.
    let home = Request::new("GET", &world.app("/")).header("authorization", "Bearer x");
    assert_eq!(exchange(home).await.status, 401);
    let navigated = navigation("GET", &world.app("/")).header("authorization", "Bearer x");
    assert_eq!(exchange(navigated).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_pages_take_sessions_only() {
    let world = World::start().await;
    let mut job = world.nightly_job().await;
    for path in ["/console/", "/console/decisions", "/"] {
        let answer = job.fetch("GET", &world.gate(path)).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.json()["error"], "unauthenticated");
        assert_eq!(world.decisions().await[0]["principal"]["kind"], "anonymous");
    }
    let whoami = job.fetch("GET", &world.app("/_gate/whoami")).await;
    assert!(!whoami.text().contains(people::NIGHTLY_JOB_OBJECT), "{}", whoami.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_with_its_time_and_with_its_key() {
    let clock = Clock::fixed(Timestamp::from_seconds(NOW));
    let world = World::start_at(clock.clone(), |_| {}).await;
    let token = format!("Bearer {}", world.job_token().await);
    assert_eq!(world.call(&[&token]).await.status, 200);
    clock.advance(Duration::from_secs(3599));
    assert_eq!(world.call(&[&token]).await.status, 200);
    clock.advance(Duration::from_mins(2));
    world.refused(&[&token], (401, "invalid_token")).await;

    let token = format!("Bearer {}", world.job_token().await);
    assert_eq!(world.call(&[&token]).await.status, 200);
    world.sim.rotate_keys(Overlap::Drop).unwrap();
    let next = format!("Bearer {}", world.job_token().await);
    assert_eq!(
        world.call(&[&next]).await.status,
        200,
        "the new key is found when it is first used"
    );
    world.refused(&[&token], (401, "invalid_token")).await;
}
