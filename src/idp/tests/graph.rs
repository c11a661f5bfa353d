//! Microsoft Graph: groups in one answer and in pages, throttling, names, tokens of our own.

use std::time::Duration;

use serde_json::{Value, json};

use super::op::{
    ACCESS, Answer, GRAPH, GROUP, OTHER_TENANT, Op, TENANT, TOKEN, finish, json_answer,
    metadata_path,
};
use crate::idp::{ContextUse, Idp, IdpError};
use crate::model::id::GroupId;

const PAGES: &str = "/v1.0/me/transitiveMemberOf/microsoft.graph.group";
const NAMES: &str = "/v1.0/directoryObjects/getByIds";

fn id(number: usize) -> String {
    format!("99999999-0000-4000-8000-{number:012}")
}

fn refusal(status: u16, code: &str) -> Answer {
    json_answer(status, &json!({ "error": { "code": code, "message": "canary" } }))
}

fn later(status: u16, seconds: Option<&str>) -> Answer {
    let mut answer = refusal(status, "TooManyRequests");
    answer.headers.extend(seconds.map(|seconds| ("retry-after", seconds.to_owned())));
    answer
}

/// A provider whose tokens say "more groups than fit".
async fn overage() -> Op {
    let op = Op::start().await;
    op.answer_claims(|claims| claims["hasgroups"] = json!(true));
    op
}

async fn groups(op: &Op) -> Result<Vec<String>, IdpError> {
    let person = finish(&op.idp()).await?;
    Ok(person.identity.user.groups.into_iter().map(String::from).collect())
}

#[track_caller]
fn unavailable(answer: Result<Vec<String>, IdpError>) -> String {
    let Err(IdpError::GroupsUnavailable { reason }) = answer else { panic!("{answer:?}") };
    assert!(!reason.contains("canary"), "{reason}");
    reason
}

/// A page of the long list; `next` is a path.
fn page(op: &Op, ids: &[usize], next: Option<&str>) -> Answer {
    let groups: Vec<Value> = ids.iter().map(|number| json!({ "id": id(*number) })).collect();
    let mut page = json!({ "@odata.count": 3, "value": groups });
    if let Some(next) = next {
        page["@odata.nextLink"] = json!(op.origin.url(next));
    }
    json_answer(200, &page)
}

#[tokio::test]
async fn a_list_that_is_too_long_for_one_answer_is_read_in_pages() {
    let op = overage().await;
    op.set(GRAPH, refusal(400, "Directory_ResultSizeLimitExceeded"));
    op.set_next(PAGES, page(&op, &[1, 2], Some("/v1.0/more?$skiptoken=x")));
    op.set("/v1.0/more", page(&op, &[3], None));
    assert_eq!(groups(&op).await.unwrap(), [id(1), id(2), id(3)]);
    let (_, headers) = op.last(PAGES);
    assert_eq!(headers["consistencylevel"], "eventual");
    assert_eq!(headers["authorization"], format!("Bearer {ACCESS}"));
    assert_eq!(op.last("/v1.0/more").1["authorization"], format!("Bearer {ACCESS}"));
}

#[tokio::test]
async fn groups_that_are_no_security_groups_do_not_count() {
    let op = overage().await;
    op.set(GRAPH, refusal(400, "Directory_ResultSizeLimitExceeded"));
    let groups_of_both_kinds = json!({ "value": [
        { "id": id(1), "securityEnabled": true },
        { "id": id(2), "securityEnabled": false },
        { "id": id(3), "securityEnabled": null },
    ] });
    op.set(PAGES, json_answer(200, &groups_of_both_kinds));
    assert_eq!(groups(&op).await.unwrap(), [id(1), id(3)]);
}

#[tokio::test]
async fn pages_lead_nowhere_else_and_come_to_an_end() {
    let op = overage().await;
    let elsewhere = Op::start().await;
    op.set(GRAPH, refusal(400, "Directory_ResultSizeLimitExceeded"));
    let authority = op.origin.authority();
    for next in [
        elsewhere.origin.url("/v1.0/more"),
        format!("http://{authority}@evil.example/v1.0/more"),
        format!("http://user@{authority}/v1.0/more"),
        format!("https://{authority}/v1.0/more"),
        op.origin.url("/beta/more"),
        op.origin.url("/v1.0/../token"),
        "/v1.0/more".to_owned(),
        String::new(),
    ] {
        op.set(PAGES, json_answer(200, &json!({ "value": [], "@odata.nextLink": next })));
        let reason = unavailable(groups(&op).await);
        assert!(reason.contains("somewhere else"), "{next}: {reason}");
    }
    assert_eq!((elsewhere.hits("/v1.0/more"), op.hits("/v1.0/more")), (0, 0));
    op.set(PAGES, page(&op, &[1], Some(PAGES)));
    let before = op.hits(PAGES);
    assert!(unavailable(groups(&op).await).contains("too many pages"));
    assert_eq!(op.hits(PAGES), before + 25);
    op.set_next(PAGES, page(&op, &[1], Some("/v1.0/more")));
    op.set("/v1.0/more", later(503, Some("60")));
    unavailable(groups(&op).await);
}

#[tokio::test]
async fn a_request_that_is_slowed_down_is_repeated_in_time_or_not_at_all() {
    let op = overage().await;
    op.set(GRAPH, json_answer(200, &json!({ "value": [GROUP] })));
    for status in [429, 503, 504] {
        op.set_next(GRAPH, later(status, Some("0")));
        op.set_next(GRAPH, later(status, Some("0")));
        assert_eq!(groups(&op).await.unwrap(), [GROUP]);
    }
    assert_eq!(op.hits(GRAPH), 9);
    op.set_next(GRAPH, later(429, Some("5")));
    let reason = unavailable(groups(&op).await);
    assert!(reason.contains("status 429"), "{reason}");
    assert_eq!(op.hits(GRAPH), 10, "the wait would end too late");
    op.set_next(GRAPH, later(429, Some("18446744073709551615")));
    unavailable(groups(&op).await);
    assert_eq!(op.hits(GRAPH), 11, "longer than time lasts");
    op.set(GRAPH, later(429, Some("0")));
    unavailable(groups(&op).await);
    assert_eq!(op.hits(GRAPH), 15, "four times are enough");
    op.set(GRAPH, refusal(500, "x"));
    unavailable(groups(&op).await);
    assert_eq!(op.hits(GRAPH), 16, "what is broken is not asked again");
}

fn own_token(name: &str, seconds: u64) -> Answer {
    let body = json!({ "token_type": "Bearer", "expires_in": seconds, "access_token": name });
    json_answer(200, &body)
}

fn ids(numbers: std::ops::Range<usize>) -> Vec<GroupId> {
    numbers.map(|number| id(number).parse().unwrap()).collect()
}

#[tokio::test]
async fn names_are_asked_for_with_a_token_of_our_own() {
    let op = Op::start().await;
    let idp = op.idp();
    op.set(TOKEN, own_token("own-1", 3600));
    let found = json!({ "value": [
        { "@odata.type": "#microsoft.graph.group", "id": id(1), "displayName": "Finance" },
        { "@odata.type": "#microsoft.graph.group", "id": id(3), "displayName": "Ops" },
    ] });
    op.set(NAMES, json_answer(200, &found));
    let names = idp.group_names(&ids(1..4)).await.unwrap();
    let names: Vec<_> = names.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    assert_eq!(names, [(id(1).as_str(), "Finance"), (id(3).as_str(), "Ops")]);
    let (body, headers) = op.last(NAMES);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({ "ids": [id(1), id(2), id(3)], "types": ["group"] }));
    assert_eq!(headers["authorization"], "Bearer own-1");
    let form = op.forms(TOKEN).pop().unwrap();
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["scope"], "https://graph.microsoft.com/.default");
    op.later(Duration::from_mins(54));
    idp.group_names(&ids(1..4)).await.unwrap();
    assert_eq!(op.hits(TOKEN), 1, "the token is kept");
    op.later(Duration::from_mins(1));
    op.set(TOKEN, own_token("own-2", 3600));
    idp.group_names(&ids(1..4)).await.unwrap();
    assert_eq!(op.last(NAMES).1["authorization"], "Bearer own-2");
    assert!(idp.group_names(&[]).await.unwrap().is_empty());
    assert_eq!(op.hits(NAMES), 3);
}

#[tokio::test]
async fn names_are_asked_for_a_thousand_at_a_time() {
    let op = Op::start().await;
    op.set(TOKEN, own_token("own", 3600));
    op.set(NAMES, json_answer(200, &json!({ "value": [] })));
    assert!(op.idp().group_names(&ids(0..2001)).await.unwrap().is_empty());
    let asked =
        |body: &str| serde_json::from_str::<Value>(body).unwrap()["ids"].as_array().unwrap().len();
    assert_eq!((op.hits(NAMES), asked(&op.last(NAMES).0)), (3, 1));
}

#[tokio::test]
async fn a_name_that_is_not_shown_is_not_a_group_that_is_gone() {
    let op = Op::start().await;
    op.set(TOKEN, own_token("own", 3600));
    let hidden = json!({ "value": [{ "id": id(1), "displayName": null }] });
    for answer in [refusal(403, "Authorization_RequestDenied"), json_answer(200, &hidden)] {
        op.set(NAMES, answer);
        let answer = op.idp().group_names(&ids(1..3)).await;
        let Err(IdpError::NoPermission { permission, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(permission, "GroupMember.Read.All");
    }
    for answer in [
        later(429, Some("60")),
        refusal(500, "x"),
        json_answer(200, &json!({ "value": [{ "id": "x", "displayName": "y" }] })),
        json_answer(200, &json!({})),
    ] {
        op.set(NAMES, answer);
        let answer = op.idp().group_names(&ids(1..3)).await;
        assert!(matches!(answer, Err(IdpError::Unavailable { .. })), "{answer:?}");
    }
    op.set(TOKEN, json_answer(401, &json!({ "error": "invalid_client" })));
    let answer = op.idp().group_names(&ids(1..3)).await;
    assert!(matches!(answer, Err(IdpError::ClientRefused(_))), "{answer:?}");
}

#[tokio::test]
async fn a_token_that_graph_does_not_take_is_given_up() {
    let op = Op::start().await;
    let idp = op.idp();
    op.set(TOKEN, own_token("old", 3600));
    op.set_next(NAMES, refusal(401, "InvalidAuthenticationToken"));
    op.set(NAMES, json_answer(200, &json!({ "value": [] })));
    assert!(matches!(idp.group_names(&ids(1..2)).await, Err(IdpError::Unavailable { .. })));
    op.set(TOKEN, own_token("new", 3600));
    assert!(idp.group_names(&ids(1..2)).await.is_ok());
    assert_eq!(op.last(NAMES).1["authorization"], "Bearer new");
}

#[tokio::test]
async fn every_allowed_tenant_is_asked_for_names() {
    let op = Op::start().await;
    let mut metadata = op.metadata();
    metadata["issuer"] = json!(op.issuer("{tenantid}"));
    metadata["token_endpoint"] = json!(op.origin.url("/organizations/oauth2/v2.0/token"));
    op.set(&metadata_path("organizations"), json_answer(200, &metadata));
    let mut settings = op.settings();
    settings.tenant = "organizations".to_owned();
    settings.allowed_tenants = [TENANT, OTHER_TENANT].map(|id| id.parse().unwrap()).into();
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    for tenant in [TENANT, OTHER_TENANT] {
        op.set(&format!("/{tenant}/oauth2/v2.0/token"), own_token(tenant, 3600));
    }
    let one = |number: usize, name: &str| {
        json_answer(200, &json!({ "value": [{ "id": id(number), "displayName": name }] }))
    };
    op.set_next(NAMES, one(1, "Finance"));
    op.set_next(NAMES, one(2, "Elsewhere"));
    assert_eq!(idp.group_names(&ids(1..3)).await.unwrap().len(), 2);
    assert_eq!(op.last(NAMES).1["authorization"], format!("Bearer {OTHER_TENANT}"));
    op.set_next(NAMES, one(1, "Finance"));
    op.set(NAMES, refusal(403, "Authorization_RequestDenied"));
    let answer = idp.group_names(&ids(1..3)).await;
    assert!(matches!(answer, Err(IdpError::NoPermission { .. })), "half an answer is none");
}

#[tokio::test]
async fn a_context_that_no_policy_in_force_binds_is_told() {
    let op = Op::start().await;
    let path = "/v1.0/identity/conditionalAccess/policies";
    op.set(TOKEN, own_token("own", 3600));
    let policy = |state: &str, contexts: Value| {
        let apps = json!({ "includeAuthenticationContextClassReferences": contexts });
        json!({ "state": state, "conditions": { "applications": apps } })
    };
    let bare = json!({ "state": "enabled", "conditions": { "applications": {} } });
    let context = "c1".parse().unwrap();
    for (policies, expected) in [
        (json!([]), ContextUse::Unbound),
        (json!([bare, policy("enabled", json!(["c10", "c2"]))]), ContextUse::Unbound),
        (json!([policy("disabled", json!(["c1"]))]), ContextUse::Unbound),
        (json!([policy("enabledForReportingButNotEnforced", json!(["c1"]))]), ContextUse::Unbound),
        (json!([bare, policy("enabled", json!(["c2", "c1"]))]), ContextUse::Bound),
    ] {
        op.set(path, json_answer(200, &json!({ "value": policies })));
        assert_eq!(op.idp().context_use(&context).await.unwrap(), expected, "{policies}");
    }
    op.set(path, refusal(403, "Authorization_RequestDenied"));
    let answer = op.idp().context_use(&context).await;
    let Err(IdpError::NoPermission { permission, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(permission, "Policy.Read.All");
}
