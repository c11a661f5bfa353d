//! The simulator as a client and a browser meet it.

mod assertions;
mod browser;
mod client_credentials;
mod faults;
mod graph;
mod panel;
mod sign_in;
mod tenants;
mod token;
mod token_claims;

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::people;
use super::*;
use crate::model::time::{Clock, Timestamp};

const ORIGIN: &str = "http://127.0.0.1:8081";
const CALLBACK: &str = "http://localhost:8080/_gate/callback";
const GOODBYE: &str = "http://localhost:8080/_gate/signed-out";
const SECRET: &str = "a simulated secret";
const VERIFIER: &str = "a-verifier-of-forty-three-or-more-characters-000";
const START: i64 = 1_800_000_000;

/// Made once: every tenant of these tests signs with the same keys.
static KEYS: OnceLock<Sim> = OnceLock::new();

struct World {
    sim: Sim,
    clock: Clock,
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A parameter of the redirect target.
    fn sent(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.header("location")).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The simulator's cookie, as the browser sends it back.
    fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    fn code_of_error(&self) -> u64 {
        self.json()["error_codes"][0].as_u64().unwrap()
    }
}

impl World {
    fn new() -> Self {
        Self::telling(None)
    }

    /// A tenant whose client wants to be told of sign-outs at this address.
    fn telling(frontchannel_logout: Option<&str>) -> Self {
        let clock = Clock::fixed(Timestamp::from_seconds(START));
        let mut gate = Registration::new(people::CLIENT, "Cedargate")
            .with_secret(SECRET)
            .with_redirect(CALLBACK)
            .with_logout(GOODBYE)
            .declaring(people::REPORTS_READ)
            .declaring(people::JOBS_RUN)
            .with_graph("GroupMember.Read.All");
        gate.frontchannel_logout = frontchannel_logout.map(str::to_owned);
        let job = Registration::new(people::NIGHTLY_JOB, "nightly-job")
            .with_secret(people::NIGHTLY_JOB_SECRET)
            .holding(people::CLIENT, people::JOBS_RUN)
            .with_graph("GroupMember.Read.All");
        let settings = SimSettings {
            origin: ORIGIN.to_owned(),
            tenant: people::TENANT.to_owned(),
            clients: vec![gate, job],
            people: people::contoso().into_iter().chain(people::fabrikam()).collect(),
            bound_contexts: BTreeSet::from(["c1".to_owned()]),
            panel: Panel::Shown,
        };
        let keys = KEYS.get_or_init(|| Sim::new(settings.clone(), clock.clone()).unwrap());
        Self { sim: keys.sharing_keys(settings, clock.clone()).unwrap(), clock }
    }

    async fn send(&self, request: Request<String>) -> Answer {
        let service = TowerToHyperService::new(self.sim.router());
        let response: Response<Body> = service.call(request.map(Body::from)).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }

    async fn get_as(&self, path: &str, cookie: &str) -> Answer {
        self.send(Request::get(path).header("cookie", cookie).body(String::new()).unwrap()).await
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Request::post(path).body(body).unwrap()).await
    }

    async fn post_as(&self, path: &str, cookie: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Request::post(path).header("cookie", cookie).body(body).unwrap()).await
    }

    async fn pick(&self, user: &str) -> Answer {
        self.post(&authorize(&[]), &[("person", user)]).await
    }

    /// Signs `user` in and gives the code.
    async fn code(&self, user: &str) -> String {
        self.pick(user).await.sent("code").unwrap()
    }

    async fn token(&self, changes: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("client_id", people::CLIENT),
            ("client_secret", SECRET),
            ("grant_type", "authorization_code"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            form.retain(|(given, _)| given != name);
            form.push((name, value));
        }
        self.post(&format!("/{}/oauth2/v2.0/token", people::TENANT), &form).await
    }

    async fn sign_in(&self, user: &str) -> Value {
        let code = self.code(user).await;
        let answer = self.token(&[("code", &code)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// The claims, after verifying with the published key of that `kid`.
    async fn verified(&self, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        self.verified_for(token, people::CLIENT, &self.sim.issuer()).await
    }

    /// The same for another audience and issuer.
    async fn verified_for(
        &self,
        token: &str,
        audience: &str,
        issuer: &str,
    ) -> Result<Value, jsonwebtoken::errors::Error> {
        let header = jsonwebtoken::decode_header(token)?;
        let path = format!("/{}/discovery/v2.0/keys", people::TENANT);
        let keys = self.get(&path).await.json();
        let kid = json!(header.kid.unwrap());
        let keys = keys["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == kid);
        let key = key.ok_or(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat)?;
        let (n, e) = (key["n"].as_str().unwrap(), key["e"].as_str().unwrap());
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[issuer]);
        let key = DecodingKey::from_rsa_components(n, e)?;
        Ok(jsonwebtoken::decode::<Value>(token, &key, &validation)?.claims)
    }

    async fn claims(&self, user: &str) -> Value {
        let body = self.sign_in(user).await;
        self.verified(body["id_token"].as_str().unwrap()).await.unwrap()
    }
}

/// The authorize address with `changes`; an empty value takes a parameter away.
fn authorize(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut query = vec![
        ("client_id", people::CLIENT),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email offline_access User.Read"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        query.retain(|(given, _)| given != name);
        if !value.is_empty() {
            query.push((name, value));
        }
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("/{}/oauth2/v2.0/authorize?{query}", people::TENANT)
}
