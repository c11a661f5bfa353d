//! Sign-ins that go well, what they send, and the groups they bring.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::op::{
    ACCESS, CLIENT, CODE, GRAPH, GROUP, OTHER_TENANT, Op, PERSON, REFRESH, SECRET, TENANT, TOKEN,
    VERIFIER, finish, json_answer,
};
use crate::idp::{Ask, Idp, IdpError, SignOutHint};
use crate::model::entra::GroupSource;
use crate::model::id::{AppRole, GroupId};
use crate::model::principal::GuestStatus;

fn query(url: &str) -> BTreeMap<String, String> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_sign_in_begins_with_state_nonce_and_pkce() {
    let op = Op::start().await;
    let begun = op.idp().begin(&Ask::default()).await.unwrap();
    let sent = query(&begun.url);
    let challenge = Sha256::digest(begun.verifier.expose_secret());
    let expected = [
        ("client_id", CLIENT),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("redirect_uri", "http://localhost:8080/_gate/callback"),
        ("scope", "openid profile email offline_access User.Read"),
        ("state", begun.state.expose_secret()),
        ("nonce", begun.nonce.expose_secret()),
        ("code_challenge", &URL_SAFE_NO_PAD.encode(challenge)),
        ("code_challenge_method", "S256"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(sent, BTreeMap::from(expected));
    assert_eq!(begun.state.expose_secret().len(), 43);
    let again = op.idp().begin(&Ask::default()).await.unwrap();
    assert_ne!(begun.state.expose_secret(), again.state.expose_secret());
    assert!(!format!("{begun:?}").contains(begun.state.expose_secret()));
}

#[tokio::test]
async fn a_code_becomes_a_person() {
    let op = Op::start().await;
    let signed_in = finish(&op.idp()).await.unwrap();
    let user = signed_in.identity.user;
    assert_eq!(user.subject.to_string(), format!("{TENANT}.{PERSON}"));
    assert_eq!((user.name.as_str(), user.email), ("Olive Oyl", None));
    assert_eq!(user.user_name, "olive@contoso.example");
    assert_eq!(user.guest, GuestStatus::Member);
    assert_eq!(user.groups.iter().map(GroupId::as_str).collect::<Vec<_>>(), [GROUP]);
    assert_eq!(user.roles.iter().map(AppRole::as_str).collect::<Vec<_>>(), ["Reports.Read"]);
    assert_eq!(signed_in.refresh_token.unwrap().expose_secret(), REFRESH);
    let (body, headers) = op.last(TOKEN);
    let sent: BTreeMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", CODE),
        ("code_verifier", VERIFIER),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("redirect_uri", "http://localhost:8080/_gate/callback"),
    ] {
        assert_eq!(sent[name], value);
    }
    assert_eq!(headers["client-request-id"].len(), 36);
    assert!(!headers.contains_key("origin") && !headers.contains_key("authorization"));
}

#[tokio::test]
async fn optional_claims_are_read() {
    let op = Op::start().await;
    op.answer_claims(|claims| {
        claims["acrs"] = json!(["c1", "c2"]);
        claims["sid"] = json!("entra-session");
        claims["login_hint"] = json!("hint");
        claims["email"] = json!("olive@contoso.example");
    });
    let identity = finish(&op.idp()).await.unwrap().identity;
    assert_eq!(identity.auth_contexts.into_iter().collect::<Vec<_>>(), ["c1", "c2"]);
    assert_eq!(identity.entra_session.as_deref(), Some("entra-session"));
    assert_eq!(identity.login_hint.as_deref(), Some("hint"));
    assert_eq!(identity.user.email.as_deref(), Some("olive@contoso.example"));
    op.answer_claims(|claims| claims["acrs"] = json!("c1"));
    let identity = finish(&op.idp()).await.unwrap().identity;
    assert_eq!(identity.auth_contexts.into_iter().collect::<Vec<_>>(), ["c1"]);
}

#[tokio::test]
async fn guests_are_told_from_members() {
    let op = Op::start().await;
    let home = format!("https://sts.windows.net/{OTHER_TENANT}/");
    let own = format!("https://sts.windows.net/{TENANT}/");
    for (claim, value, expected) in [
        ("acct", json!(0), GuestStatus::Member),
        ("acct", json!(1), GuestStatus::Guest),
        ("idp", json!(home), GuestStatus::Guest),
        ("idp", json!("live.com"), GuestStatus::Guest),
        ("idp", json!(own), GuestStatus::Member),
        ("idp", json!(op.issuer(TENANT)), GuestStatus::Member),
    ] {
        op.answer_claims(|claims| claims[claim] = value.clone());
        let user = finish(&op.idp()).await.unwrap().identity.user;
        assert_eq!(user.guest, expected, "{claim}: {value}");
    }
}

#[tokio::test]
async fn group_names_are_refused() {
    let op = Op::start().await;
    for name in ["Admins", "CONTOSO\\Admins"] {
        op.answer_claims(|claims| claims["groups"] = json!([GROUP, name]));
        assert!(matches!(finish(&op.idp()).await, Err(IdpError::GroupNames)));
    }
}

/// The markers, each beside a `groups` claim that must not be believed.
fn overages() -> [Value; 3] {
    let evil = json!({ "src1": { "endpoint": "https://evil.example/getMemberObjects" } });
    [
        json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": evil }),
        json!({ "hasgroups": true }),
        json!({ "hasgroups": "true" }),
    ]
}

fn answer_overage(op: &Op, marker: &Value) {
    op.answer_claims(|claims| {
        claims.as_object_mut().unwrap().extend(marker.as_object().unwrap().clone());
    });
}

#[tokio::test]
async fn groups_that_do_not_fit_come_from_graph() {
    let op = Op::start().await;
    let many: Vec<_> = (0..450).map(|n| format!("99999999-0000-4000-8000-{n:012}")).collect();
    op.set(GRAPH, json_answer(200, &json!({ "value": many })));
    for marker in overages() {
        answer_overage(&op, &marker);
        let groups = finish(&op.idp()).await.unwrap().identity.user.groups;
        let groups: Vec<String> = groups.into_iter().map(String::from).collect();
        assert_eq!(groups, many, "{marker}");
    }
    let (body, headers) = op.last(GRAPH);
    assert_eq!(body, r#"{"securityEnabledOnly":true}"#);
    assert_eq!(headers["authorization"], format!("Bearer {ACCESS}"));
    assert_eq!(headers["client-request-id"].len(), 36);
}

#[tokio::test]
async fn without_all_groups_from_graph_nobody_signs_in() {
    let op = Op::start().await;
    answer_overage(&op, &overages()[0]);
    let mut slow_down = json_answer(429, &json!({}));
    slow_down.headers.push(("retry-after", "10".to_owned()));
    let half = json!({ "value": [GROUP], "@odata.nextLink": op.origin.url("/next") });
    let denied = json!({ "error": { "code": "Authorization_RequestDenied" } });
    let mut elsewhere = json_answer(302, &json!({ "value": [] }));
    elsewhere.headers.push(("location", op.origin.url("/elsewhere")));
    for answer in [
        json_answer(403, &denied),
        slow_down,
        elsewhere,
        json_answer(500, &json!({ "value": [] })),
        json_answer(200, &json!({})),
        json_answer(200, &json!({ "value": ["Admins"] })),
        json_answer(200, &json!({ "value": [GROUP], "filler": "x".repeat(1024 * 1024) })),
        json_answer(200, &half),
    ] {
        op.set(GRAPH, answer);
        let answer = finish(&op.idp()).await;
        assert!(matches!(answer, Err(IdpError::GroupsUnavailable { .. })), "{answer:?}");
    }
    assert_eq!(op.hits("/elsewhere") + op.hits("/next"), 0);
}

#[tokio::test]
async fn a_plain_provider_may_not_send_tokens_elsewhere() {
    let op = Op::start().await;
    op.set_metadata(|metadata| metadata["msgraph_host"] = json!("graph.evil.example"));
    answer_overage(&op, &overages()[0]);
    let answer = finish(&op.idp()).await;
    assert!(matches!(answer, Err(IdpError::GroupsUnavailable { .. })), "{answer:?}");
}

#[tokio::test]
async fn the_settings_may_name_graph_themselves() {
    let (op, graph) = (Op::start().await, Op::start().await);
    graph.set(GRAPH, json_answer(200, &json!({ "value": [GROUP] })));
    answer_overage(&op, &overages()[0]);
    let mut settings = op.settings();
    settings.graph_origin = Some(graph.origin.clone());
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    assert_eq!(finish(&idp).await.unwrap().identity.user.groups.len(), 1);
    assert_eq!((op.hits(GRAPH), graph.hits(GRAPH)), (0, 1));
}

#[tokio::test]
async fn sign_out_goes_to_the_provider_with_the_hint() {
    let op = Op::start().await;
    let url = op.idp().sign_out_url(&SignOutHint::Login("a hint&more".to_owned())).await.unwrap();
    assert!(url.starts_with(&op.origin.url("/logout?")), "{url}");
    assert_eq!(query(&url)["logout_hint"], "a hint&more");
    assert_eq!(query(&url)["post_logout_redirect_uri"], "http://localhost:8080/_gate/signed-out");
    let url = op.idp().sign_out_url(&SignOutHint::Nobody).await.unwrap();
    assert!(!query(&url).contains_key("logout_hint"));
}

#[tokio::test]
async fn the_settings_say_where_groups_are_read() {
    let op = Op::start().await;
    op.set(GRAPH, json_answer(200, &json!({ "value": [OTHER_TENANT] })));
    let groups = async |source: GroupSource| {
        let mut settings = op.settings();
        settings.groups = source;
        let person = finish(&Idp::new(settings, op.clock.clone()).unwrap()).await?;
        let groups = person.identity.user.groups.into_iter().map(String::from);
        Ok::<_, IdpError>(groups.collect::<Vec<_>>())
    };
    assert_eq!(groups(GroupSource::Token).await.unwrap(), [GROUP]);
    assert_eq!(groups(GroupSource::GraphOnOverage).await.unwrap(), [GROUP]);
    assert_eq!(op.hits(GRAPH), 0);
    assert_eq!(groups(GroupSource::Graph).await.unwrap(), [OTHER_TENANT]);
    for marker in overages() {
        answer_overage(&op, &marker);
        assert_eq!(groups(GroupSource::Graph).await.unwrap(), [OTHER_TENANT]);
        assert_eq!(groups(GroupSource::GraphOnOverage).await.unwrap(), [OTHER_TENANT]);
        let answer = groups(GroupSource::Token).await;
        assert!(matches!(answer, Err(IdpError::TooManyGroups)), "{answer:?}");
    }
}
