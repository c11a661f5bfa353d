//! Providers that are down, slow to change their keys, or not what they say; and what errors must not tell.

use std::error::Error;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::op::{
    ACCESS, Answer, CODE, KEYS, NONCE, Op, REFRESH, SECRET, TENANT, TOKEN, VERIFIER, finish,
    header, json_answer, message, metadata_path, sign,
};
use crate::idp::{Ask, HttpError, Idp, IdpError, Reach};
use crate::model::host::Origin;

fn answer(status: u16, kind: &str, body: &str) -> Answer {
    let headers = vec![("content-type", kind.to_owned())];
    Answer { status, headers, body: body.to_owned() }
}

#[tokio::test]
async fn a_probe_tells_the_issuer_and_the_keys() {
    let op = Op::start().await;
    let found = op.idp().probe().await.unwrap();
    assert_eq!((found.issuer, found.keys), (op.issuer(TENANT), 1));
}

#[tokio::test]
async fn nothing_is_asked_before_it_is_needed() {
    let op = Op::start().await;
    let idp = op.idp();
    assert_eq!(op.hits(&metadata_path(TENANT)), 0);
    idp.begin(&Ask::default()).await.unwrap();
    idp.begin(&Ask::default()).await.unwrap();
    assert_eq!(op.hits(&metadata_path(TENANT)), 1);
}

#[tokio::test]
async fn metadata_that_leads_elsewhere_is_refused() {
    let op = Op::start().await;
    let check = async |change: &dyn Fn(&mut Value)| {
        op.set_metadata(|metadata| change(metadata));
        let answer = op.idp().probe().await;
        assert!(matches!(answer, Err(IdpError::Discovery { .. })), "{answer:?}");
    };
    let elsewhere = "https://evil.example/x";
    check(&|m| m["issuer"] = json!(elsewhere)).await;
    check(&|m| m["issuer"] = json!(format!("{}/", m["issuer"].as_str().unwrap()))).await;
    check(&|m| m["issuer"] = json!(op.issuer("{tenantid}"))).await;
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"] {
        check(&|m| m[name] = json!(elsewhere)).await;
        check(&|m| m[name] = json!("http://127.0.0.1:1/x")).await;
        check(&|m| m[name] = json!(format!("http://u@{}/x", op.origin.authority()))).await;
        check(&|m| m[name] = json!("x")).await;
    }
    assert_eq!(op.hits(KEYS), 0);
}

#[tokio::test]
async fn a_domain_stands_for_the_tenant_that_the_metadata_names() {
    let op = Op::start().await;
    op.set(&metadata_path("contoso.example"), json_answer(200, &op.metadata()));
    let mut settings = op.settings();
    settings.tenant = "contoso.example".to_owned();
    let idp = crate::idp::Idp::new(settings, op.clock.clone()).unwrap();
    assert!(finish(&idp).await.is_ok());
    let mut metadata = op.metadata();
    metadata["issuer"] = json!(op.issuer("contoso.example"));
    op.set(&metadata_path("contoso.example"), json_answer(200, &metadata));
    op.later(Duration::from_hours(25));
    assert!(matches!(idp.probe().await, Err(IdpError::Discovery { .. })));
}

#[tokio::test]
async fn discovery_follows_no_redirect_reads_no_flood_and_unpacks_nothing() {
    let op = Op::start().await;
    let path = metadata_path(TENANT);
    op.set("/elsewhere", json_answer(200, &op.metadata()));
    let mut redirect = json_answer(302, &op.metadata());
    redirect.headers.push(("location", op.origin.url("/elsewhere")));
    op.set(&path, redirect);
    let cause = |answer| match answer {
        Err(IdpError::Unavailable { cause, .. }) => cause,
        other => panic!("{other:?}"),
    };
    assert!(matches!(cause(op.idp().probe().await), HttpError::Status { status: 302, .. }));
    assert_eq!(op.hits("/elsewhere"), 0);
    op.set_metadata(|metadata| metadata["filler"] = json!("x".repeat(512 * 1024)));
    assert!(matches!(cause(op.idp().probe().await), HttpError::TooLarge { .. }));
    let mut packed = json_answer(200, &op.metadata());
    packed.headers.push(("content-encoding", "gzip".to_owned()));
    op.set(&path, packed);
    assert!(matches!(cause(op.idp().probe().await), HttpError::Encoded));
    op.set(&path, answer(200, "text/html", "<html>"));
    assert!(matches!(cause(op.idp().probe().await), HttpError::Unreadable));
    op.set(&path, json_answer(200, &op.metadata()));
    let keys: Vec<Value> = (0..101).map(|n| op.jwk(0, &format!("key-{n}"))).collect();
    op.set(KEYS, json_answer(200, &json!({ "keys": keys })));
    assert!(matches!(op.idp().probe().await, Err(IdpError::Discovery { .. })));
    op.set(KEYS, json_answer(200, &json!({ "keys": [] })));
    assert!(matches!(op.idp().probe().await, Err(IdpError::Discovery { .. })));
}

#[tokio::test]
async fn a_tenant_that_entra_does_not_know_is_told_from_an_entra_that_is_away() {
    let op = Op::start().await;
    let id = "66666666-6666-4666-8666-666666666666";
    let unknown = json!({
        "error": "invalid_tenant", "error_codes": [90002],
        "error_description": format!("AADSTS90002: Tenant not found. Correlation ID: {id}"),
    });
    op.set(&metadata_path(TENANT), json_answer(400, &unknown));
    let answer = op.idp().probe().await;
    let Err(IdpError::Refused(refusal)) = answer else { panic!("{answer:?}") };
    let told = refusal.to_string();
    assert_eq!(told, format!("`invalid_tenant`, `AADSTS90002`, correlation `{id}`"));
    let busy = json!({ "error": "temporarily_unavailable", "error_codes": [90033] });
    for away in [json_answer(400, &busy), json_answer(503, &unknown), json_answer(404, &unknown)] {
        op.set(&metadata_path(TENANT), away);
        assert!(matches!(op.idp().probe().await, Err(IdpError::Unavailable { .. })));
    }
}

#[tokio::test]
async fn an_unreachable_provider_is_reported_as_such() {
    let op = Op::start().await;
    let mut settings = op.settings();
    settings.authority = "http://127.0.0.1:1".parse().unwrap();
    let idp = crate::idp::Idp::new(settings, op.clock.clone()).unwrap();
    let answer = idp.probe().await;
    let Err(IdpError::Unavailable { cause: HttpError::Connection(_), .. }) = &answer else {
        panic!("{answer:?}")
    };
    let said = crate::idp::whole(&answer.unwrap_err());
    assert!(said.contains("http://127.0.0.1:1"), "{said}");
    assert!(said.contains("refused"), "the whole cause: {said}");
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let op = Op::start().await;
    let idp = op.idp();
    assert!(finish(&idp).await.is_ok());
    op.set(KEYS, json_answer(200, &json!({ "keys": [op.jwk(0, "key-1"), op.jwk(1, "key-2")] })));
    let new = json!({ "alg": "RS256", "kid": "key-2" });
    op.answer_token(&sign(&new, &op.claims().to_string(), 1));
    assert!(finish(&idp).await.is_ok());
    assert_eq!(op.hits(KEYS), 2);
}

#[tokio::test]
async fn unknown_keys_make_us_fetch_at_most_once_a_minute() {
    let op = Op::start().await;
    let idp = op.idp();
    assert!(finish(&idp).await.is_ok());
    let fetched = async |kid: &str| {
        let header = json!({ "alg": "RS256", "kid": kid });
        op.answer_token(&sign(&header, &op.claims().to_string(), 1));
        let answer = finish(&idp).await;
        assert!(matches!(answer, Err(IdpError::BadToken { check: "kid" })), "{answer:?}");
        op.hits(KEYS)
    };
    assert_eq!(fetched("a").await, 2);
    assert_eq!(fetched("a").await, 2);
    assert_eq!(fetched("b").await, 2);
    op.later(Duration::from_secs(59));
    assert_eq!(fetched("c").await, 2);
    op.later(Duration::from_secs(1));
    assert_eq!(fetched("d").await, 3);
}

#[tokio::test]
async fn keys_are_fetched_hourly_and_the_last_good_ones_last_a_day() {
    let op = Op::start().await;
    let idp = op.idp();
    let path = metadata_path(TENANT);
    idp.probe().await.unwrap();
    op.later(Duration::from_mins(59));
    idp.probe().await.unwrap();
    assert_eq!(op.hits(&path), 1);
    op.later(Duration::from_mins(1));
    idp.probe().await.unwrap();
    assert_eq!(op.hits(&path), 2);
    op.set(&path, answer(503, "text/html", "down"));
    op.later(Duration::from_hours(1));
    idp.probe().await.unwrap();
    idp.probe().await.unwrap();
    assert_eq!(op.hits(&path), 3, "a failure is not repeated within a minute");
    op.later(Duration::from_hours(23));
    assert!(matches!(idp.probe().await, Err(IdpError::Unavailable { .. })));
}

#[tokio::test]
async fn many_who_wait_make_one_fetch() {
    let op = Op::start().await;
    let idp = op.idp();
    let (a, b, c) = tokio::join!(idp.probe(), idp.probe(), idp.probe());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(op.hits(&metadata_path(TENANT)), 1);
    let op = Op::start().await;
    op.set(&metadata_path(TENANT), answer(503, "text/html", "down"));
    let idp = op.idp();
    let (a, b, c) = tokio::join!(idp.probe(), idp.probe(), idp.probe());
    assert!(a.is_err() && b.is_err() && c.is_err());
    assert_eq!(op.hits(&metadata_path(TENANT)), 1);
}

#[tokio::test]
async fn the_token_endpoint_may_be_broken_in_many_ways() {
    let op = Op::start().await;
    let idp = op.idp();
    for broken in [
        answer(502, "text/html", "<html>bad gateway</html>"),
        answer(429, "application/json", r#"{"error":"invalid_grant"}"#),
        answer(302, "application/json", "{}"),
        answer(400, "text/html", "<html>"),
        answer(400, "application/json", ""),
        answer(200, "text/html", "<html>"),
        answer(200, "application/json", "{}"),
        answer(200, "application/json", &"x".repeat(513 * 1024)),
    ] {
        op.set(TOKEN, broken);
        let answer = finish(&idp).await;
        assert!(matches!(answer, Err(IdpError::Unavailable { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_refused_code_and_a_refused_secret_are_told_apart() {
    let op = Op::start().await;
    let id = "66666666-6666-4666-8666-666666666666";
    let idp = op.idp();
    let body = json!({ "error": "invalid_grant", "error_codes": [54005], "correlation_id": id });
    op.set(TOKEN, json_answer(400, &body));
    let Err(IdpError::CodeRefused(refusal)) = finish(&idp).await else { panic!() };
    assert_eq!(
        (refusal.code().as_str(), refusal.correlation_id.as_deref()),
        ("AADSTS54005", Some(id))
    );
    op.set(
        TOKEN,
        json_answer(401, &json!({ "error": "invalid_client", "error_codes": [7_000_222] })),
    );
    let Err(IdpError::ClientRefused(refusal)) = finish(&idp).await else { panic!() };
    assert_eq!(refusal.aadsts, Some(7_000_222));
}

#[test]
fn errors_in_the_callback_keep_codes_only() {
    let id = "66666666-6666-4666-8666-666666666666";
    let text = format!("AADSTS65004: call <b>+1</b>\r\nTrace ID: x\r\nCorrelation ID: {id}\r\n");
    let IdpError::Cancelled(refusal) = IdpError::from_callback("access_denied", Some(&text)) else {
        panic!()
    };
    assert_eq!(refusal.aadsts, Some(65004));
    assert_eq!(refusal.correlation_id.as_deref(), Some(id));
    let check = |error: &str, expected: fn(&IdpError) -> bool| {
        let read = IdpError::from_callback(error, Some("<script>"));
        assert!(expected(&read), "{read:?}");
        assert!(!format!("{read} {read:?}").contains("script"));
    };
    check("login_required", |e| matches!(e, IdpError::InteractionNeeded(_)));
    check("consent_required", |e| matches!(e, IdpError::InteractionNeeded(_)));
    check("server_error", |e| matches!(e, IdpError::Overloaded(_)));
    check("invalid_scope", |e| matches!(e, IdpError::Refused(_)));
    check("<script>", |e| matches!(e, IdpError::Refused(r) if r.error == "other"));
}

/// The error with all its causes, as a log would print it.
fn printed(error: &IdpError) -> String {
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (**cause).source());
    let causes: Vec<String> = causes.map(|cause| format!("{cause:?} {cause}")).collect();
    format!("{error:?} {error} {}", causes.join(" "))
}

#[tokio::test]
async fn errors_tell_no_secret() {
    let op = Op::start().await;
    let idp = op.idp();
    let all = format!("{SECRET} {CODE} {VERIFIER} {NONCE} {ACCESS} {REFRESH}");
    let leaking = json!({
        "error": all, "error_description": all, "error_codes": [1], "correlation_id": all,
        "access_token": ACCESS, "refresh_token": REFRESH, "token_type": 7, "id_token": all,
    });
    let mut errors = Vec::new();
    for (status, kind) in
        [(400, "application/json"), (200, "application/json"), (200, "a/b"), (502, "a/b")]
    {
        op.set(TOKEN, answer(status, kind, &leaking.to_string()));
        errors.push(finish(&idp).await.unwrap_err());
    }
    op.set(TOKEN, answer(400, "application/json", &all));
    errors.push(finish(&idp).await.unwrap_err());
    op.answer_token(&all);
    errors.push(finish(&idp).await.unwrap_err());
    for (name, value) in [
        ("nonce", json!(all)),
        ("aud", json!(all)),
        ("groups", json!([all])),
        ("hasgroups", json!(true)),
    ] {
        op.answer_claims(|claims| claims[name] = value);
        errors.push(finish(&idp).await.unwrap_err());
    }
    op.answer_token(&sign(&header(), &op.claims().to_string(), 1));
    errors.push(finish(&idp).await.unwrap_err());
    errors.push(IdpError::from_callback(&all, Some(&all)));
    for error in errors {
        assert!(!printed(&error).contains("canary"), "{error:?}");
        assert!(!printed(&error).contains("eyJ"), "{error:?}");
    }
    assert!(!format!("{idp:?}").contains("canary"));
    op.answer_token(&op.good_token());
    let person = finish(&idp).await.unwrap();
    assert!(!format!("{person:?}").contains("canary"));
}

/// Asks for what a token signed by key `number` under the name `kid` is worth.
async fn signed_by(op: &Op, idp: &Idp, (number, kid): (usize, &str)) -> Result<(), IdpError> {
    let header = json!({ "alg": "RS256", "kid": kid });
    op.answer_token(&sign(&header, &op.claims().to_string(), number));
    finish(idp).await.map(drop)
}

fn publish(op: &Op, keys: &[(usize, &str)]) {
    let keys: Vec<Value> = keys.iter().map(|(number, kid)| op.jwk(*number, kid)).collect();
    op.set(KEYS, json_answer(200, &json!({ "keys": keys })));
}

/// The ways in which keys can change, each with the least number of fetches that good tokens may cost: one before, and
/// one more when the change was not announced.
#[tokio::test]
async fn keys_may_change_in_any_way() {
    let start = async || {
        let op = Op::start().await;
        let idp = op.idp();
        assert!(finish(&idp).await.is_ok());
        (op, idp)
    };
    let (op, idp) = start().await;
    publish(&op, &[(0, "key-1"), (1, "key-2")]);
    op.later(Duration::from_hours(1));
    assert!(signed_by(&op, &idp, (1, "key-2")).await.is_ok(), "published long before it signs");
    assert!(signed_by(&op, &idp, (0, "key-1")).await.is_ok(), "the old one goes on");
    assert_eq!(op.hits(KEYS), 2);

    let (op, idp) = start().await;
    publish(&op, &[(0, "key-1"), (1, "key-2")]);
    assert!(signed_by(&op, &idp, (1, "key-2")).await.is_ok(), "published just before it signs");
    assert_eq!(op.hits(KEYS), 2);

    let (op, idp) = start().await;
    let answer = signed_by(&op, &idp, (1, "key-2")).await;
    assert!(matches!(answer, Err(IdpError::BadToken { check: "kid" })), "signs before published");
    publish(&op, &[(1, "key-2")]);
    op.later(Duration::from_mins(1));
    assert!(signed_by(&op, &idp, (1, "key-2")).await.is_ok());
    let answer = signed_by(&op, &idp, (0, "key-1")).await;
    assert!(matches!(answer, Err(IdpError::BadToken { check: "kid" })), "the old one is gone");

    let (op, idp) = start().await;
    publish(&op, &[(1, "key-1")]);
    assert!(signed_by(&op, &idp, (1, "key-1")).await.is_ok(), "another key under the same name");
    assert_eq!(op.hits(KEYS), 2);
    let answer = signed_by(&op, &idp, (0, "key-1")).await;
    assert!(matches!(answer, Err(IdpError::BadToken { check: "signature" })), "{answer:?}");
    assert_eq!(op.hits(KEYS), 2, "at most one fetch a minute");

    for bad in [json_answer(200, &json!({ "keys": [] })), json_answer(500, &json!({}))] {
        let (op, idp) = start().await;
        op.set(KEYS, bad);
        op.later(Duration::from_hours(1));
        op.answer_claims(|claims| claims["exp"] = json!(op.clock.now().as_seconds() + 60));
        assert!(finish(&idp).await.is_ok(), "a bad set leaves the last good one");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_old_keys() {
    let op = Op::start().await;
    let ahead = crate::model::time::Clock::fixed(op.clock.now().plus(Duration::from_hours(5)));
    let idp = Idp::new(op.settings(), ahead.clone()).unwrap();
    assert!(idp.probe().await.is_ok());
    ahead.set(op.clock.now());
    assert!(idp.probe().await.is_ok());
    assert_eq!(op.hits(KEYS), 2);
}

#[tokio::test]
async fn a_thousand_unknown_keys_make_one_fetch() {
    let op = Op::start().await;
    let idp = op.idp();
    assert!(finish(&idp).await.is_ok());
    for number in 0..1_000 {
        let header = json!({ "alg": "RS256", "kid": format!("made-up-{number}") });
        // Never reaches the signature: one for all saves time.
        op.answer_token(&format!("{}.c2ln", message(&header, &op.claims().to_string())));
        assert!(finish(&idp).await.is_err());
    }
    assert_eq!(op.hits(KEYS), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_is_not_asked_by_everybody() {
    let op = Op::start().await;
    let path = metadata_path(TENANT);
    op.set(&path, answer(503, "text/html", "down"));
    let idp = op.idp();
    for _ in 0..5 {
        assert!(idp.begin(&Ask::default()).await.is_err());
    }
    assert_eq!(op.hits(&path), 1);
    op.set(&path, json_answer(200, &op.metadata()));
    op.later(Duration::from_secs(5));
    assert!(idp.begin(&Ask::default()).await.is_ok(), "five seconds after it came back");
}

#[tokio::test]
async fn the_background_renews_before_anybody_waits() {
    let op = Op::start().await;
    let (idp, path) = (op.idp(), metadata_path(TENANT));
    assert_eq!((idp.standing().metadata_at, idp.standing().reach), (None, Reach::Unknown));
    idp.renew().await;
    assert_eq!(idp.standing().metadata_at, Some(op.clock.now()));
    op.later(Duration::from_mins(49));
    idp.renew().await;
    assert_eq!(op.hits(&path), 1);
    op.later(Duration::from_mins(1));
    op.set(&path, answer(503, "text/html", "down"));
    idp.renew().await;
    idp.renew().await;
    assert_eq!(op.hits(&path), 2, "a failure is not repeated within a minute");
    assert_eq!(idp.standing().reach, Reach::Failing);
    op.set(&path, json_answer(200, &op.metadata()));
    op.later(Duration::from_mins(1));
    idp.renew().await;
    let standing = idp.standing();
    assert_eq!((standing.metadata_at, standing.reach), (Some(op.clock.now()), Reach::Reached));
    op.later(Duration::from_mins(49));
    assert!(idp.begin(&Ask::default()).await.is_ok());
    assert_eq!(op.hits(&path), 3);
}

#[tokio::test]
async fn the_background_ends_when_it_is_told_to() {
    let op = Op::start().await;
    let (idp, stop) = (op.idp(), CancellationToken::new());
    let running = idp.clone().run(stop.clone());
    let seen = async {
        while idp.standing().metadata_at.is_none() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    tokio::join!(running, seen);
    assert_eq!(op.hits(&metadata_path(TENANT)), 1);
}

/// A server that takes connections and never says a word.
async fn silence() -> (Origin, tokio::net::TcpListener) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    (origin.parse().unwrap(), listener)
}

#[tokio::test]
async fn a_silent_provider_is_given_up_in_time() {
    let op = Op::start().await;
    let (origin, _listener) = silence().await;
    let mut settings = op.settings();
    settings.authority = origin;
    let patience = Duration::from_millis(50);
    let idp = Idp::with_patience(settings, op.clock.clone(), patience).unwrap();
    let answer = idp.begin(&Ask::default()).await;
    let Err(IdpError::Unavailable { cause: HttpError::Timeout { limit }, .. }) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(limit, patience);
}

#[tokio::test]
async fn only_so_many_sign_in_at_once() {
    let op = Op::start().await;
    let (origin, _listener) = silence().await;
    let mut settings = op.settings();
    settings.authority = origin;
    let idp = Idp::with_patience(settings, op.clock.clone(), Duration::from_secs(1)).unwrap();
    let many = (0..80).map(|_| async { idp.begin(&Ask::default()).await.map(drop) });
    let answers = futures_util::future::join_all(many).await;
    let busy = answers.iter().filter(|answer| matches!(answer, Err(IdpError::Busy))).count();
    let away = answers.iter().filter(|a| matches!(a, Err(IdpError::Unavailable { .. }))).count();
    assert_eq!((away, busy), (64, 16));
}
