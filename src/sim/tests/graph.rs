//! Graph: who asks about whom, memberships in one piece and in pages, names, and what ails it.

use super::*;

impl World {
    async fn ask_graph(&self, path: &str, token: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(body.to_string()).unwrap()).await
    }

    async fn list(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {token}"))
            .header("consistencylevel", "eventual");
        self.send(request.body(String::new()).unwrap()).await
    }

    /// An access token for Graph, for this person.
    async fn token_of(&self, user: &str) -> String {
        self.sign_in(user).await["access_token"].as_str().unwrap().to_owned()
    }

    /// An access token for Graph, for the workload.
    async fn own_token(&self) -> String {
        let scope = "https://graph.microsoft.com/.default";
        let body = self.for_itself(&[("scope", scope)]).await.json();
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn permit(&self, client: &str, permissions: &[&str]) {
        let all = permissions.iter().map(|name| (*name).to_owned()).collect();
        self.sim.change_client(client, |one| one.graph = all).unwrap();
    }
}

fn security() -> Value {
    json!({ "securityEnabledOnly": true })
}

#[tokio::test]
async fn me_is_the_person_of_the_token() {
    let world = World::new();
    let token = world.token_of("uma").await;
    let me = world.list("/v1.0/me", &token).await.json();
    assert_eq!(
        (me["id"].as_str(), me["displayName"].as_str()),
        (Some(people::UMA), Some("Uma Umarov"))
    );
    let info = world.list("/oidc/userinfo", &token).await.json();
    assert_eq!(info["name"], "Uma Umarov");
    assert!(info.get("groups").is_none() && info.get("oid").is_none());
    let own = world.own_token().await;
    let refused = world.list("/v1.0/me", &own).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let user = world.list(&format!("/v1.0/users/{}", people::UMA), &own).await.json();
    assert_eq!(user["id"], people::UMA);
    let missing = world.list(&format!("/v1.0/users/{}", people::TENANT), &own).await;
    assert_eq!(missing.json()["error"]["code"], "Request_ResourceNotFound");
}

#[tokio::test]
async fn memberships_come_in_one_piece() {
    let world = World::new();
    let token = world.token_of("max").await;
    let own = world.own_token().await;
    let theirs = format!("/v1.0/users/{}", people::MAX);
    for (base, token) in [("/v1.0/me", &token), (theirs.as_str(), &own)] {
        for call in ["getMemberObjects", "getMemberGroups"] {
            let answer =
                world.ask_graph(&format!("{base}/{call}"), token, &security()).await.json();
            assert_eq!(answer["value"].as_array().unwrap().len(), people::MAX_GROUPS as usize);
        }
    }
    let asked = json!({ "groupIds": [people::FINANCE, people::IT_ADMINS] });
    let answer = world.ask_graph("/v1.0/me/checkMemberGroups", &token, &asked).await.json();
    assert_eq!(answer["value"], json!([people::FINANCE]));
    let refused = world.ask_graph("/v1.0/me/getMemberObjects", &token, &json!({})).await;
    assert_eq!(refused.json()["error"]["code"], "Request_BadRequest");
    world.sim.limit_graph(449);
    let refused = world.ask_graph("/v1.0/me/getMemberObjects", &token, &security()).await;
    assert_eq!(refused.json()["error"]["code"], "Directory_ResultSizeLimitExceeded");
}

#[tokio::test]
async fn lists_come_in_pages_that_lead_on() {
    let world = World::new();
    let token = world.token_of("max").await;
    let list = "/v1.0/me/transitiveMemberOf/microsoft.graph.group";
    let mut path = format!("{list}?$select=id&$top=200&$count=true");
    let (mut ids, mut sizes) = (BTreeSet::new(), Vec::new());
    loop {
        let page = world.list(&path, &token).await.json();
        let value = page["value"].as_array().unwrap();
        sizes.push(value.len());
        assert_eq!(page.get("@odata.count").is_some(), sizes.len() == 1);
        ids.extend(value.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        assert!(value.iter().all(|one| one.as_object().unwrap().len() == 1));
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        assert!(next.contains("$skiptoken=") && next.contains("$count=true"), "{next}");
        path = next.strip_prefix(ORIGIN).unwrap().to_owned();
    }
    assert_eq!(sizes, [200, 200, 50]);
    assert_eq!(ids.len(), people::MAX_GROUPS as usize);
}

#[tokio::test]
async fn cast_needs_the_advanced_query_and_pages_have_a_size() {
    let world = World::new();
    let token = world.token_of("uma").await;
    let list = "/v1.0/me/transitiveMemberOf/microsoft.graph.group";
    let refused = world.list(&format!("{list}?$top=5"), &token).await;
    assert_eq!(refused.json()["error"]["code"], "Request_UnsupportedQuery");
    let plain = Request::get(format!("{list}?$count=true"))
        .header("authorization", format!("Bearer {token}"));
    assert_eq!(
        world.send(plain.body(String::new()).unwrap()).await.status,
        StatusCode::BAD_REQUEST
    );
    for top in ["0", "1000", "many"] {
        let refused = world.list(&format!("{list}?$count=true&$top={top}"), &token).await;
        assert_eq!(refused.json()["error"]["code"], "Request_BadRequest", "{top}");
    }
    let mixed = world.list("/v1.0/me/memberOf", &token).await.json();
    assert_eq!(mixed["value"][0]["@odata.type"], "#microsoft.graph.group");
}

#[tokio::test]
async fn names_need_permission() {
    let world = World::new();
    let path = "/v1.0/me/transitiveMemberOf/microsoft.graph.group?$count=true";
    let named = world.list(path, &world.token_of("uma").await).await.json();
    assert_eq!(named["value"][0]["displayName"], "Finance");
    world.permit(people::CLIENT, &["User.Read"]);
    let bare = world.list(path, &world.token_of("uma").await).await.json();
    assert_eq!(bare["value"][0]["id"], people::FINANCE);
    assert_eq!(bare["value"][0]["displayName"], Value::Null);
}

#[tokio::test]
async fn ids_become_names_and_absent_ones_are_missing() {
    let world = World::new();
    let own = world.own_token().await;
    let get = "/v1.0/directoryObjects/getByIds";
    let ids = [people::FINANCE, people::IT_ADMINS, people::TENANT];
    let body = json!({ "ids": ids, "types": ["group"] });
    let names = async || -> Vec<String> {
        let answer = world.ask_graph(get, &own, &body).await.json();
        let all = answer["value"].as_array().unwrap().clone();
        all.iter().map(|one| one["displayName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names().await, ["Finance", "IT-Admins"]);
    world.sim.name_group(people::FINANCE, "Finance and Controlling");
    world.sim.delete_group(people::IT_ADMINS).unwrap();
    assert_eq!(names().await, ["Finance and Controlling"]);
    assert!(world.claims("olive").await.get("groups").is_none());
    let many: Vec<String> = (0..1001).map(people::filler_group).collect();
    let refused = world.ask_graph(get, &own, &json!({ "ids": many })).await;
    assert_eq!(refused.json()["error"]["code"], "Request_BadRequest");
    world.permit(people::NIGHTLY_JOB, &[]);
    let refused = world.ask_graph(get, &world.own_token().await, &body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["error"]["code"], "Authorization_RequestDenied");
}

#[tokio::test]
async fn graph_can_be_throttled_and_denied() {
    let world = World::new();
    let token = world.token_of("uma").await;
    world.sim.throttle_graph(2, Duration::from_secs(7));
    for _ in 0..2 {
        let answer = world.list("/v1.0/me", &token).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.header("retry-after"), "7");
    }
    assert_eq!(world.list("/v1.0/me", &token).await.status, StatusCode::OK);
    world.sim.set_graph_rights(GraphRights::Denied);
    assert_eq!(world.list("/v1.0/me", &token).await.status, StatusCode::FORBIDDEN);
    world.sim.set_graph_rights(GraphRights::AsHeld);
    assert_eq!(world.list("/v1.0/me", &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn tokens_of_other_apis_and_old_ones_are_refused() {
    let world = World::new();
    let body = world.for_itself(&[]).await.json();
    let api = body["access_token"].as_str().unwrap();
    let refused = world.list(&format!("/v1.0/users/{}", people::UMA), api).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.json()["error"]["code"], "InvalidAuthenticationToken");
    let token = world.token_of("uma").await;
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(world.list("/v1.0/me", &token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn request_ids_are_echoed() {
    let world = World::new();
    let request = Request::get("/v1.0/me").header("client-request-id", "mine");
    let answer = world.send(request.body(String::new()).unwrap()).await;
    assert_eq!(answer.header("client-request-id"), "mine");
    assert_eq!(answer.json()["error"]["innerError"]["client-request-id"], "mine");
    assert!(!answer.header("request-id").is_empty());
}

#[tokio::test]
async fn bound_contexts_stand_in_the_policies() {
    let world = World::new();
    world.permit(people::NIGHTLY_JOB, &["Policy.Read.All"]);
    let own = world.own_token().await;
    let path = "/v1.0/identity/conditionalAccess/policies";
    let contexts = "/value/0/conditions/applications/includeAuthenticationContextClassReferences";
    let answer = world.list(path, &own).await.json();
    assert_eq!(answer.pointer(contexts), Some(&json!(["c1"])));
    world.sim.unbind_context("c1");
    assert_eq!(world.list(path, &own).await.json()["value"], json!([]));
    let person = world.token_of("uma").await;
    assert_eq!(world.list(path, &person).await.status, StatusCode::FORBIDDEN);
}
