//! Checking a person again with the refresh token.

use std::collections::BTreeMap;

use serde_json::json;

use super::op::{GRAPH, OTHER_TENANT, Op, PERSON, REFRESH, SECRET, TENANT, TOKEN, json_answer};
use crate::idp::{Idp, IdpError, Recheck};
use crate::model::id::Subject;

async fn recheck(idp: &Idp) -> Result<Recheck, IdpError> {
    let subject: Subject = format!("{TENANT}.{PERSON}").parse().unwrap();
    idp.recheck(&REFRESH.to_owned().into(), &subject).await
}

#[tokio::test]
async fn a_renewed_person_has_the_groups_and_roles_of_now() {
    let op = Op::start().await;
    op.answer_claims(|claims| {
        claims.as_object_mut().unwrap().remove("nonce");
        claims["roles"] = json!(["Other"]);
        claims["groups"] = json!([]);
    });
    let Ok(Recheck::Renewed(person)) = recheck(&op.idp()).await else { panic!("not renewed") };
    assert!(person.identity.user.groups.is_empty());
    assert_eq!(person.identity.user.roles.first().unwrap().as_str(), "Other");
    assert!(person.refresh_token.is_some());
    let (body, _) = op.last(TOKEN);
    let sent: BTreeMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(sent["grant_type"], "refresh_token");
    assert_eq!(sent["refresh_token"], REFRESH);
    assert_eq!(sent["client_secret"], SECRET);
    assert_eq!(sent["scope"], "openid profile email offline_access User.Read");
}

#[tokio::test]
async fn a_refusal_ends_the_session_and_names_the_code() {
    let op = Op::start().await;
    for (error, codes, expected) in [
        ("invalid_grant", json!([50173]), "AADSTS50173"),
        ("interaction_required", json!([50076]), "AADSTS50076"),
        ("consent_required", json!([]), "consent_required"),
    ] {
        let body = json!({ "error": error, "error_codes": codes, "error_description": "<b>" });
        op.set(TOKEN, json_answer(400, &body));
        let answer = recheck(&op.idp()).await;
        let Ok(Recheck::Refused { detail }) = answer else { panic!("{answer:?}") };
        assert_eq!(detail, expected);
    }
}

#[tokio::test]
async fn an_outage_or_our_own_fault_is_not_a_refusal() {
    let op = Op::start().await;
    for (status, error) in [
        (401, "invalid_client"),
        (400, "invalid_scope"),
        (400, "temporarily_unavailable"),
        (429, "invalid_grant"),
        (500, "invalid_grant"),
        (503, "x"),
    ] {
        op.set(TOKEN, json_answer(status, &json!({ "error": error })));
        assert!(recheck(&op.idp()).await.is_err(), "{status} {error}");
    }
    op.answer_claims(|claims| claims["hasgroups"] = json!(true));
    op.set(GRAPH, json_answer(429, &json!({})));
    assert!(matches!(recheck(&op.idp()).await, Err(IdpError::GroupsUnavailable { .. })));
}

#[tokio::test]
async fn a_token_of_another_person_ends_the_session() {
    let op = Op::start().await;
    op.answer_claims(|claims| claims["oid"] = json!(OTHER_TENANT));
    let answer = recheck(&op.idp()).await;
    assert!(matches!(answer, Ok(Recheck::Refused { .. })), "{answer:?}");
    op.answer_claims(|claims| claims["iss"] = json!("https://evil.example"));
    assert!(matches!(recheck(&op.idp()).await, Err(IdpError::BadToken { check: "issuer" })));
}
