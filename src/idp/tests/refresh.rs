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
        ("invalid_grant", json!(null), "invalid_grant"),
        ("invalid_grant", json!(["50173", -1, 1e300]), "invalid_grant"),
        ("invalid_grant", json!("50173"), "invalid_grant"),
        ("invalid_grant", json!([70002, 54005]), "AADSTS54005"),
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

/// Every number of Entra that a refresh token can meet, with the OAuth code it comes under, and whether the session of
/// the person ends by it.
const REFUSALS: [(&str, u32, bool); 47] = [
    ("interaction_required", 50_058, true),
    ("login_required", 50_058, true),
    ("invalid_grant", 50_053, true),
    ("invalid_grant", 50_055, true),
    ("invalid_grant", 50_056, true),
    ("invalid_grant", 50_057, true),
    ("invalid_grant", 50_126, true),
    ("invalid_grant", 50_144, true),
    ("invalid_grant", 50_020, true),
    ("invalid_grant", 50_034, true),
    ("invalid_grant", 50_072, true),
    ("interaction_required", 50_074, true),
    ("invalid_grant", 50_076, true),
    ("interaction_required", 50_076, true),
    ("invalid_grant", 50_078, true),
    ("invalid_grant", 50_079, true),
    ("invalid_grant", 50_089, true),
    ("invalid_grant", 50_097, true),
    ("invalid_grant", 50_105, true),
    ("interaction_required", 50_105, true),
    ("invalid_grant", 50_131, true),
    ("invalid_grant", 50_132, true),
    ("invalid_grant", 50_133, true),
    ("invalid_grant", 50_158, true),
    ("invalid_grant", 50_173, true),
    ("interaction_required", 53_000, true),
    ("interaction_required", 53_003, true),
    ("access_denied", 53_003, true),
    ("invalid_grant", 65_001, true),
    ("consent_required", 65_001, true),
    ("invalid_grant", 70_000, true),
    ("invalid_grant", 70_008, true),
    ("invalid_grant", 70_043, true),
    ("invalid_grant", 700_082, true),
    ("invalid_client", 7_000_215, false),
    ("invalid_client", 7_000_222, false),
    ("invalid_client", 700_027, false),
    ("invalid_client", 700_024, false),
    ("invalid_request", 70_021, false),
    ("unauthorized_client", 700_016, false),
    ("unauthorized_client", 7_000_112, false),
    ("invalid_scope", 70_011, false),
    ("invalid_resource", 500_011, false),
    ("invalid_grant", 50_196, false),
    ("invalid_grant", 90_033, false),
    ("invalid_grant", 90_055, false),
    ("server_error", 50_033, false),
];

#[tokio::test]
async fn only_what_is_about_the_person_ends_the_session() {
    let op = Op::start().await;
    let idp = op.idp();
    for (error, number, ends) in REFUSALS {
        let status = if error == "invalid_client" { 401 } else { 400 };
        op.set(TOKEN, json_answer(status, &json!({ "error": error, "error_codes": [number] })));
        match recheck(&idp).await {
            Ok(Recheck::Refused { detail }) => {
                assert!(ends, "{error} {number}");
                assert_eq!(detail, format!("AADSTS{number}"));
            }
            Ok(Recheck::Renewed(_)) => panic!("{error} {number}"),
            Err(_) => assert!(!ends, "{error} {number}"),
        }
    }
}

#[tokio::test]
async fn a_token_of_another_person_ends_the_session() {
    let op = Op::start().await;
    op.answer_claims(|claims| claims["oid"] = json!(OTHER_TENANT));
    let answer = recheck(&op.idp()).await;
    assert!(matches!(answer, Ok(Recheck::Refused { .. })), "{answer:?}");
    op.answer_claims(|claims| claims["iss"] = json!("https://evil.example"));
    let answer = recheck(&op.idp()).await;
    assert!(matches!(answer, Ok(Recheck::Refused { .. })), "{answer:?}");
    // A token that can't be checked says nothing of the person.
    op.answer_claims(|claims| claims["exp"] = json!(1));
    assert!(matches!(recheck(&op.idp()).await, Err(IdpError::BadToken { check: "expiry" })));
}
