//! The sample app as the gate and a visitor meet it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::EncodePrivateKey;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::assertion::{Verdict, Verifier};
use super::*;
use crate::model::time::{Clock, Timestamp};

const START: i64 = 1_800_000_000;
const UMA: &str = "c0de0000-7e4a-4000-8000-00000000c0de.0b000000-0000-4000-8000-000000000005";

fn app_with_keys_at(jwks_url: String) -> SampleApp {
    SampleApp::new(SampleSettings {
        app_id: "intranet".to_owned(),
        jwks_url,
        sign_out_path: "/_gate/logout".to_owned(),
        clock: Clock::fixed(Timestamp::from_seconds(START)),
    })
}

/// An app whose key set nobody serves.
fn app() -> SampleApp {
    app_with_keys_at("http://127.0.0.1:1/_gate/jwks.json".to_owned())
}

async fn send(app: &SampleApp, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let response = TowerToHyperService::new(app.clone().router()).call(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (head.status, head.headers, body)
}

async fn page(app: &SampleApp, path: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .header("x-gate-user-id", UMA)
        .header("x-gate-name", "Uma%20%C3%9Cmarov")
        .header("x-gate-groups", "Finance,a%2Cb")
        .body(Body::empty())
        .unwrap();
    let (status, _, body) = send(app, request).await;
    (status, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn every_page_shows_what_it_was_told() {
    let app = app();
    for path in ["/", "/me", "/finance/summary", "/reports/2026", "/admin/"] {
        let (status, text) = page(&app, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(text.contains("Uma Ümarov") && text.contains(UMA), "{path}");
        assert!(text.contains(r#"<span class="value">a,b</span>"#), "{path}");
        assert!(text.contains("No assertion came with this request."), "{path}");
        assert!(text.contains("/_gate/logout"), "{path}");
    }
}

#[tokio::test]
async fn pages_hold_nothing_inline() {
    let app = app();
    for path in ["/", "/me", "/finance/summary", "/reports/2026", "/admin/", "/nowhere"] {
        let (_, text) = page(&app, path).await;
        assert!(!text.contains(" style=") && !text.contains("<style"), "{path}");
        assert!(!text.contains(" onclick=") && !text.contains("<script>"), "{path}");
    }
}

#[tokio::test]
async fn headers_are_shown_as_text_and_never_as_markup() {
    let request = Request::get("/")
        .header("x-gate-name", "%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        .body(Body::empty())
        .unwrap();
    let (_, _, body) = send(&app(), request).await;
    assert!(!String::from_utf8(body).unwrap().contains("<script>alert"));
}

#[tokio::test]
async fn unknown_pages_and_years_are_missing() {
    let app = app();
    for path in ["/nowhere", "/reports/1999", "/reports/x", "/download/x", "/download/1073741825"] {
        assert_eq!(page(&app, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn visitor_without_headers_is_a_stranger_with_a_way_to_sign_in() {
    let (status, _, body) = send(&app(), Request::get("/").body(Body::empty()).unwrap()).await;
    let text = String::from_utf8(body).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("stranger") && text.contains(">Sign in</a>"));
}

#[tokio::test]
async fn note_is_kept_with_its_author() {
    let app = app();
    let request = Request::post("/finance/summary")
        .header("x-gate-name", "Uma")
        .body(Body::from("note=ask+%3Cb%3Eagain%3C%2Fb%3E"))
        .unwrap();
    let (status, headers, _) = send(&app, request).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers["location"], "/finance/summary#notes");
    let (_, text) = page(&app, "/finance/summary").await;
    assert!(text.contains("ask &#60;b&#62;again") && text.contains("<small>Uma, "));
}

#[tokio::test]
async fn api_answers_json() {
    let app = app();
    let request = Request::get("/api/hello").header("x-gate-name", "Uma").body(Body::empty());
    let (_, headers, body) = send(&app, request.unwrap()).await;
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["hello"], "Uma");
    let first = send(&app, Request::get("/api/quote").body(Body::empty()).unwrap()).await.2;
    let second = send(&app, Request::get("/api/quote").body(Body::empty()).unwrap()).await.2;
    assert_ne!(first, second);
    let order = Request::post("/api/orders").body(Body::from(r#"{"count":2}"#)).unwrap();
    let (status, _, body) = send(&app, order).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["accepted"]["count"], 2);
    let broken = Request::post("/api/orders").body(Body::from("{")).unwrap();
    assert_eq!(send(&app, broken).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn download_has_exactly_the_length_asked_for() {
    let app = app();
    for length in [0_usize, 1, 65_536, 200_001] {
        let request = Request::get(format!("/download/{length}")).body(Body::empty()).unwrap();
        let (_, headers, body) = send(&app, request).await;
        assert_eq!(body.len(), length);
        assert_eq!(headers["content-length"], length.to_string().as_str());
    }
}

#[tokio::test]
async fn upload_is_counted() {
    let request = Request::post("/upload").body(Body::from(vec![7; 3_000_000])).unwrap();
    let (_, _, body) = send(&app(), request).await;
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["bytes"], 3_000_000);
}

#[tokio::test]
async fn first_event_comes_at_once() {
    let service = TowerToHyperService::new(app().router());
    let request = Request::get("/events").body(Body::empty()).unwrap();
    let response: http::Response<Body> = service.call(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let frame = response.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(frame.starts_with(b"event: tick\ndata: {"));
}

/// A gate's signing key and its published form.
struct GateKey {
    signing: EncodingKey,
    jwks: Value,
}

impl GateKey {
    fn new(kid: &str) -> Self {
        let secret = SecretKey::random(&mut rand_core::OsRng);
        let point = secret.public_key().to_encoded_point(false);
        let part = |bytes: Option<_>| {
            bytes.map(|bytes: &p256::FieldBytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap()
        };
        let jwks = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
            "kid": kid, "x": part(point.x()), "y": part(point.y()) }] });
        let der = secret.to_pkcs8_der().unwrap();
        Self { signing: EncodingKey::from_ec_der(der.as_bytes()), jwks }
    }

    fn sign(&self, kid: &str, claims: &Value) -> String {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.signing).unwrap()
    }
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "aud": "intranet", "sub": UMA, "exp": START + 60 });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// Runs `check` while `keys` are served on a port of this machine.
async fn with_served(keys: &Value, check: impl AsyncFnOnce(String)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}/_gate/jwks.json", listener.local_addr().unwrap().port());
    let text = keys.to_string();
    let router = Router::new().route("/_gate/jwks.json", get(|| async move { text }));
    tokio::select! {
        served = axum::serve(listener, router) => panic!("the key server ended: {served:?}"),
        () = check(url) => {}
    }
}

#[tokio::test]
async fn genuine_assertion_is_verified() {
    let key = GateKey::new("k1");
    let token = key.sign("k1", &claims(&json!({})));
    with_served(&key.jwks, async |url| {
        let app = app_with_keys_at(url);
        let request = Request::get("/me")
            .header("x-gate-user-id", UMA)
            .header("x-gate-assertion", &token)
            .body(Body::empty())
            .unwrap();
        let text = String::from_utf8(send(&app, request).await.2).unwrap();
        assert!(text.contains("The signed assertion confirms this."), "{text}");
        let other = Request::get("/me")
            .header("x-gate-user-id", "somebody.else")
            .header("x-gate-assertion", &token)
            .body(Body::empty())
            .unwrap();
        let text = String::from_utf8(send(&app, other).await.2).unwrap();
        assert!(text.contains("it is about somebody else"));
    })
    .await;
}

#[tokio::test]
async fn assertion_that_does_not_hold_is_refused() {
    let key = GateKey::new("k1");
    let stranger = GateKey::new("k1");
    with_served(&key.jwks, async |url| {
        let clock = Clock::fixed(Timestamp::from_seconds(START));
        let verifier = Verifier::new(url, "intranet".to_owned(), clock);
        let check = async |token: &str| {
            let verdict = verifier.judge(token).await;
            assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
        };
        check(&key.sign("k1", &claims(&json!({ "aud": "payroll" })))).await;
        check(&key.sign("k1", &claims(&json!({ "exp": START - 60 })))).await;
        check(&key.sign("k1", &json!({ "aud": "intranet", "sub": UMA }))).await;
        check(&key.sign("k1", &json!({ "sub": UMA, "exp": START + 60 }))).await;
        check(&key.sign("k2", &claims(&json!({})))).await;
        check(&stranger.sign("k1", &claims(&json!({})))).await;
        check("not a token").await;
        let none = r#"{"alg":"none","kid":"k1"}"#;
        let payload = claims(&json!({})).to_string();
        let unsigned =
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(none), URL_SAFE_NO_PAD.encode(payload));
        check(&unsigned).await;
        assert_eq!(verifier.judge("").await, Verdict::Absent);
        let good = verifier.judge(&key.sign("k1", &claims(&json!({})))).await;
        assert!(matches!(good, Verdict::Verified(_)), "{good:?}");
    })
    .await;
}

#[tokio::test]
async fn keys_are_fetched_again_only_after_a_pause() {
    let key = GateKey::new("k1");
    let clock = Clock::fixed(Timestamp::from_seconds(START));
    let token = key.sign("k1", &claims(&json!({})));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    drop(listener);
    let verifier = Verifier::new(url, "intranet".to_owned(), clock.clone());
    assert!(
        matches!(verifier.judge(&token).await, Verdict::Refused(text) if text.contains("connect"))
    );
    assert!(matches!(verifier.judge(&token).await, Verdict::Refused(text) if text.contains("key")));
    clock.advance(Duration::from_secs(5));
    assert!(
        matches!(verifier.judge(&token).await, Verdict::Refused(text) if text.contains("connect"))
    );
}

#[tokio::test]
async fn keys_come_from_this_machine_only() {
    for url in ["http://example.com/", "https://localhost/", "http://10.0.0.1/", "file:///x", "x"] {
        let error = super::jwks::fetch(url).await.unwrap_err();
        assert!(error.to_string().contains("plain http address"), "{url}: {error}");
    }
}

#[tokio::test]
async fn socket_sends_back_what_it_gets() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    tokio::select! {
        served = axum::serve(listener, app().router()) => panic!("the app ended: {served:?}"),
        () = async {
            let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
            socket.send(Message::text("hello")).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
        } => {}
    }
}
