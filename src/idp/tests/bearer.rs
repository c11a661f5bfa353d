//! Access tokens that callers bring: whose they are, what they lack, and how long an answer about them is kept.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::op::{
    GROUP, KEYS, NOW, Op, PERSON, SCRIPT, SERVICE, TENANT, TOKEN, header, json_answer,
    metadata_path, sign,
};
use crate::idp::bearer::Directory as _;
use crate::idp::{ApiSettings, BearerCaller, BearerRefusal, Idp, IdpError, Reach, TokenVersion};
use crate::model::entra::GroupSource;
use crate::model::id::{AppRole, GroupId};
use crate::model::principal::Principal;
use crate::model::record::MfaState;
use crate::model::time::Timestamp;

async fn bring(idp: &Idp, claims: &Value) -> Result<Arc<BearerCaller>, BearerRefusal> {
    idp.bearer(&sign(&header(), &claims.to_string(), 0).into()).await
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn with(mut claims: Value, more: &Value) -> Value {
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

#[tokio::test]
async fn a_token_that_acts_for_a_person_is_that_person() {
    let op = Op::start().await;
    let caller = bring(&op.idp(), &op.person_claims()).await.unwrap();
    let Principal::User(user) = &**caller.principal else { panic!("{caller:?}") };
    assert_eq!(
        (user.name.as_str(), user.user_name.as_str()),
        ("Olive Oyl", "olive@contoso.example")
    );
    assert_eq!(user.groups.iter().map(GroupId::as_str).collect::<Vec<_>>(), [GROUP]);
    assert_eq!(user.roles.iter().map(AppRole::as_str).collect::<Vec<_>>(), ["Reports.Read"]);
    assert_eq!(caller.expires_at, Timestamp::from_seconds(NOW + 3600));
    assert_eq!((caller.mfa, caller.authenticated_at), (MfaState::NotMet, None));
    let stronger = json!({ "acrs": ["c1"], "auth_time": NOW - 20, "idtyp": "user" });
    let caller = bring(&op.idp(), &with(op.person_claims(), &stronger)).await.unwrap();
    assert_eq!(caller.mfa, MfaState::Met);
    assert_eq!(caller.authenticated_at, Some(Timestamp::from_seconds(NOW - 20)));
}

#[tokio::test]
async fn a_token_of_a_service_is_a_workload_with_its_roles() {
    let op = Op::start().await;
    let caller = bring(&op.idp(), &op.service_claims()).await.unwrap();
    let Principal::Workload(workload) = &**caller.principal else { panic!("{caller:?}") };
    assert_eq!(workload.subject.to_string(), format!("{TENANT}.{SERVICE}"));
    assert_eq!(workload.client, SCRIPT);
    assert_eq!(workload.roles.iter().map(AppRole::as_str).collect::<Vec<_>>(), ["Jobs.Run"]);
}

#[tokio::test]
async fn a_sound_token_that_gives_its_holder_nothing_is_insufficient() {
    let op = Op::start().await;
    let (person, service) = (op.person_claims(), op.service_claims());
    for claims in [
        with(person.clone(), &json!({ "scp": "access_as_users" })),
        with(person.clone(), &json!({ "scp": "" })),
        with(person.clone(), &json!({ "scp": ["access_as_user"] })),
        without(person, "scp"),
        without(service.clone(), "roles"),
        with(service.clone(), &json!({ "roles": [] })),
        without(service.clone(), "idtyp"),
        with(service, &json!({ "idtyp": "App" })),
    ] {
        let refused = bring(&op.idp(), &claims).await;
        assert!(matches!(refused, Err(BearerRefusal::Insufficient { .. })), "{refused:?} {claims}");
    }
}

#[tokio::test]
async fn what_may_be_no_access_token_is_refused() {
    let op = Op::start().await;
    let (person, service) = (op.person_claims(), op.service_claims());
    for claims in [
        op.claims(),
        without(op.claims(), "nonce"),
        with(person.clone(), &json!({ "nonce": "x" })),
        with(service.clone(), &json!({ "at_hash": "x" })),
        without(service.clone(), "azp"),
        with(service.clone(), &json!({ "azp": "nightly job" })),
        with(service.clone(), &json!({ "scp": "access_as_user" })),
        with(person.clone(), &json!({ "idtyp": "device" })),
        with(person, &json!({ "idtyp": ["user"] })),
        with(service, &json!({ "roles": "Jobs.Run" })),
    ] {
        let refused = bring(&op.idp(), &claims).await;
        assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?} {claims}");
    }
}

#[tokio::test]
async fn a_person_whose_groups_are_not_all_told_is_not_taken_for_one_without() {
    let op = Op::start().await;
    for marker in [
        json!({ "_claim_names": { "groups": "src1" } }),
        json!({ "hasgroups": true }),
        json!({ "hasgroups": "true", "groups": [] }),
    ] {
        let refused = bring(&op.idp(), &with(op.person_claims(), &marker)).await;
        assert!(matches!(refused, Err(BearerRefusal::Unsettled { .. })), "{refused:?} {marker}");
    }
}

#[tokio::test]
async fn groups_that_a_token_leaves_out_come_from_graph_with_a_token_of_our_own() {
    let op = Op::start().await;
    let idp = op.idp();
    let path = format!("/v1.0/users/{PERSON}/getMemberObjects");
    let own = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "our-own" });
    op.set(TOKEN, json_answer(200, &own));
    let claims = with(op.person_claims(), &json!({ "_claim_names": { "groups": "src1" } }));
    // Graph fails: refused, and left alone for a while.
    for _ in 0..3 {
        let refused = bring(&idp, &claims).await;
        assert!(matches!(refused, Err(BearerRefusal::Unsettled { .. })), "{refused:?}");
    }
    assert_eq!(op.hits(&path), 1);
    op.set(&path, json_answer(200, &json!({ "value": [GROUP, SERVICE] })));
    op.later(Duration::from_secs(10));
    let caller = bring(&idp, &claims).await.unwrap();
    let Principal::User(user) = &**caller.principal else { panic!("{caller:?}") };
    assert_eq!(user.groups.len(), 2);
    let (body, headers) = op.last(&path);
    assert_eq!(body, r#"{"securityEnabledOnly":true}"#);
    assert_eq!(headers["authorization"], "Bearer our-own");
    assert!(bring(&idp, &claims).await.is_ok());
    assert_eq!(op.hits(&path), 2, "kept");
    op.later(Duration::from_mins(15));
    op.set(&path, json_answer(200, &json!({ "value": [GROUP] })));
    let caller = bring(&idp, &claims).await.unwrap();
    let Principal::User(user) = &**caller.principal else { panic!("{caller:?}") };
    assert_eq!(
        (user.groups.len(), op.hits(&path)),
        (1, 3),
        "asked again after a quarter of an hour"
    );
}

#[tokio::test]
async fn without_an_audience_of_ours_no_token_is_accepted() {
    let op = Op::start().await;
    let mut settings = op.settings();
    settings.api = None;
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    let refused = bring(&idp, &op.service_claims()).await;
    assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?}");
    assert_eq!(op.hits(KEYS), 0);
}

#[tokio::test]
async fn v1_tokens_are_checked_with_v1_metadata_and_only_where_they_are_asked_for() {
    let op = Op::start().await;
    let issuer = format!("https://sts.windows.net/{TENANT}/");
    let mut metadata = op.metadata();
    metadata["issuer"] = json!(issuer);
    metadata["jwks_uri"] = json!(op.origin.url("/v1/keys"));
    op.set(&format!("/{TENANT}/.well-known/openid-configuration"), json_answer(200, &metadata));
    let key = without(op.jwk(1, "key-1"), "issuer");
    op.set("/v1/keys", json_answer(200, &json!({ "keys": [key] })));
    let mut settings = op.settings();
    settings.api = Some(ApiSettings {
        audience: "api://gate".to_owned(),
        version: TokenVersion::V1,
        ..settings.api.unwrap()
    });
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    let claims = without(op.service_claims(), "azp");
    let claims =
        with(claims, &json!({ "iss": issuer, "ver": "1.0", "aud": "api://gate", "appid": SCRIPT }));
    let token = |claims: &Value, key| sign(&header(), &claims.to_string(), key).into();
    assert!(idp.bearer(&token(&claims, 1)).await.is_ok());
    let mixed = [
        json!({ "ver": "2.0" }),
        json!({ "iss": op.issuer(TENANT) }),
        json!({ "iss": op.issuer(TENANT), "ver": "2.0" }),
        json!({ "iss": "https://sts.chinacloudapi.cn/11111111-1111-4111-8111-111111111111/" }),
        json!({ "aud": "api://gate/" }),
    ];
    for change in mixed {
        let refused = idp.bearer(&token(&with(claims.clone(), &change), 1)).await;
        assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?} {change}");
    }
    // The keys of v2.0 tokens vouch for nothing here, nor does the v1.0 token anywhere else.
    let refused = idp.bearer(&token(&claims, 0)).await;
    assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?}");
    let refused = op.idp().bearer(&token(&claims, 1)).await;
    assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_accepted_token_is_known_until_it_expires() {
    let op = Op::start().await;
    let idp = op.idp();
    let token = sign(&header(), &op.service_claims().to_string(), 0).into();
    assert!(!idp.knows_bearer(&token));
    let first = idp.bearer(&token).await.unwrap();
    assert!(idp.knows_bearer(&token));
    assert!(Arc::ptr_eq(&first, &idp.bearer(&token).await.unwrap()), "checked once");
    op.later(Duration::from_secs(3599));
    assert!(idp.bearer(&token).await.is_ok());
    op.later(Duration::from_secs(1));
    assert!(!idp.knows_bearer(&token));
    op.later(Duration::from_mins(1));
    let refused = idp.bearer(&token).await;
    assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_withdrawn_key_ends_what_was_known_of_its_tokens() {
    let op = Op::start().await;
    let idp = op.idp();
    let later = json!({ "exp": NOW + 4 * 3600 });
    let old = sign(&header(), &with(op.service_claims(), &later).to_string(), 0).into();
    assert!(idp.bearer(&old).await.is_ok());
    op.set(KEYS, json_answer(200, &json!({ "keys": [op.jwk(1, "key-2")] })));
    // Another token is signed with the new key: the keys are fetched, and the old one is gone.
    let named = json!({ "typ": "JWT", "alg": "RS256", "kid": "key-2" });
    let new = sign(&named, &with(op.service_claims(), &later).to_string(), 1).into();
    assert!(idp.bearer(&new).await.is_ok());
    let refused = idp.bearer(&old).await;
    assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?}");
    assert!(idp.bearer(&new).await.is_ok());
}

#[tokio::test]
async fn made_up_keys_make_us_ask_once_a_minute() {
    let op = Op::start().await;
    let idp = op.idp();
    assert!(bring(&idp, &op.service_claims()).await.is_ok());
    let before = op.hits(KEYS);
    for number in 0..50 {
        let named = json!({ "typ": "JWT", "alg": "RS256", "kid": format!("made-up-{number}") });
        let token = sign(&named, &op.service_claims().to_string(), 0).into();
        let refused = idp.bearer(&token).await;
        assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(op.hits(KEYS), before + 1);
}

#[tokio::test]
async fn when_no_keys_are_at_hand_nothing_is_known_of_a_token() {
    let op = Op::start().await;
    op.set(&metadata_path(TENANT), json_answer(500, &json!({})));
    let refused = bring(&op.idp(), &op.service_claims()).await;
    assert!(matches!(refused, Err(BearerRefusal::Unsettled { .. })), "{refused:?}");
}

#[tokio::test]
async fn what_settings_rule_out_is_refused_for_good() {
    let op = Op::start().await;
    let named = with(op.person_claims(), &json!({ "groups": ["Admins"] }));
    let refused = bring(&op.idp(), &named).await;
    assert!(matches!(refused, Err(BearerRefusal::Insufficient { .. })), "{refused:?}");
    let as_roles = json!({ "groups": null, "roles": [GROUP] });
    for claims in [op.person_claims(), op.service_claims()] {
        let refused = bring(&op.idp(), &with(claims, &as_roles)).await;
        let Err(BearerRefusal::Insufficient { problem }) = refused else { panic!("{refused:?}") };
        assert!(problem.contains("emit_as_roles"), "{problem}");
    }
    let mut settings = op.settings();
    settings.groups = GroupSource::Token;
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    let refused = bring(&idp, &with(op.person_claims(), &json!({ "hasgroups": true }))).await;
    assert!(matches!(refused, Err(BearerRefusal::Insufficient { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_token_of_our_own_that_graph_refuses_is_given_up() {
    let op = Op::start().await;
    let idp = op.idp();
    let path = format!("/v1.0/users/{PERSON}/getMemberObjects");
    let own =
        |name: &str| json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": name });
    let claims = with(op.person_claims(), &json!({ "hasgroups": true }));
    op.set(TOKEN, json_answer(200, &own("revoked")));
    op.set(&path, json_answer(401, &json!({})));
    assert!(bring(&idp, &claims).await.is_err());
    op.set(TOKEN, json_answer(200, &own("new")));
    op.set(&path, json_answer(200, &json!({ "value": [GROUP] })));
    op.later(Duration::from_secs(10));
    assert!(bring(&idp, &claims).await.is_ok());
    assert_eq!(op.last(&path).1["authorization"], "Bearer new");
}

#[tokio::test]
async fn graph_that_does_not_let_us_says_which_permission_is_missing() {
    let op = Op::start().await;
    let own = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "own" });
    op.set(TOKEN, json_answer(200, &own));
    op.set(&format!("/v1.0/users/{PERSON}/getMemberObjects"), json_answer(403, &json!({})));
    let subject = format!("{TENANT}.{PERSON}").parse().unwrap();
    let refused = op.idp().groups_of(&subject).await;
    let Err(IdpError::NoPermission { permission, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(permission, "GroupMember.Read.All");
}

#[tokio::test]
async fn a_failure_to_get_a_token_of_our_own_is_shared() {
    let op = Op::start().await;
    let idp = op.idp();
    op.set(TOKEN, json_answer(503, &json!({})));
    let subject = format!("{TENANT}.{PERSON}").parse().unwrap();
    let many = (0..30).map(|_| idp.groups_of(&subject));
    let answers = futures_util::future::join_all(many).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(op.hits(TOKEN), 1);
    op.later(Duration::from_secs(5));
    assert!(idp.groups_of(&subject).await.is_err());
    assert_eq!(op.hits(TOKEN), 2, "asked again after a pause");
}

#[tokio::test]
async fn a_changed_key_under_a_known_name_is_fetched() {
    let op = Op::start().await;
    let idp = op.idp();
    assert!(bring(&idp, &op.person_claims()).await.is_ok());
    op.set(KEYS, json_answer(200, &json!({ "keys": [op.jwk(1, "key-1")] })));
    for claims in [op.person_claims(), op.service_claims()] {
        assert!(idp.bearer(&sign(&header(), &claims.to_string(), 1).into()).await.is_ok());
    }
    let refused = bring(&idp, &op.person_claims()).await;
    assert!(matches!(refused, Err(BearerRefusal::Invalid { .. })), "{refused:?}");
    assert_eq!(op.hits(KEYS), 2);
}

#[tokio::test]
async fn fetching_the_same_keys_again_leaves_what_is_known() {
    let op = Op::start().await;
    let idp = op.idp();
    let first = bring(&idp, &op.service_claims()).await.unwrap();
    let named = json!({ "typ": "JWT", "alg": "RS256", "kid": "made-up" });
    let stranger = sign(&named, &op.service_claims().to_string(), 0).into();
    assert!(idp.bearer(&stranger).await.is_err());
    assert_eq!(op.hits(KEYS), 2);
    let again = bring(&idp, &op.service_claims()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again), "not checked again");
}

#[tokio::test]
async fn contexts_of_a_token_count_as_long_as_those_of_a_session() {
    for (proof, left) in [(json!({}), 25), (json!({ "auth_time": NOW - 20 * 60 }), 10)] {
        let op = Op::start().await;
        let idp = op.idp();
        let claims = with(op.person_claims(), &json!({ "acrs": ["c1"] }));
        let claims = with(claims, &proof);
        op.later(Duration::from_secs(left * 60 - 1));
        let caller = bring(&idp, &claims).await.unwrap();
        assert_eq!((caller.mfa, caller.auth_contexts.len()), (MfaState::Met, 1));
        op.later(Duration::from_secs(1));
        let caller = bring(&idp, &claims).await.unwrap();
        assert_eq!((caller.mfa, caller.auth_contexts.len()), (MfaState::NotMet, 0));
    }
}

#[tokio::test]
async fn v1_metadata_is_looked_at_too() {
    let op = Op::start().await;
    let mut settings = op.settings();
    settings.api = Some(ApiSettings { version: TokenVersion::V1, ..settings.api.unwrap() });
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    assert!(matches!(idp.probe().await, Err(IdpError::Unavailable { .. })));
    assert_eq!(idp.standing().reach, Reach::Failing);
}
