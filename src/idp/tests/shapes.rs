//! Golden tables: each shape of token that Entra makes, and the principal that becomes of it, or why none does.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::op::{
    GRAPH, GROUP, KEYS, NOW, OTHER_TENANT, Op, PERSON, SCRIPT, TENANT, finish, header, json_answer,
    metadata_path, sign,
};
use crate::idp::{ApiSettings, Idp, TokenVersion};
use crate::model::id::Subject;
use crate::model::principal::{Principal, User};

/// Where Microsoft keeps personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What a shape changes in the claims of an ordinary token; `null` leaves a claim out.
fn shaped(mut claims: Value, change: &Value) -> Value {
    let members = claims.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// The first part of a GUID, which tells them apart here.
fn begin(guid: &str) -> &str {
    guid.split('-').next().unwrap()
}

fn subject(subject: &Subject) -> String {
    let tenant = match subject.tenant.as_str() {
        TENANT => "contoso",
        OTHER_TENANT => "fabrikam",
        PERSONAL => "personal",
        other => other,
    };
    format!("{tenant}.{}", begin(subject.object.as_str()))
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let short =
        |item: &String| item.get(..8).filter(|_| item.len() == 36).unwrap_or(item).to_owned();
    match items.len() {
        0..4 => format!("[{}]", items.iter().map(short).collect::<Vec<_>>().join(" ")),
        many => format!("[{many} of them]"),
    }
}

fn user(user: &User) -> String {
    let email = user.email.as_deref().unwrap_or("-");
    format!(
        "{:?} {} `{}` e-mail {email} groups {} roles {} directory roles {}",
        user.guest,
        subject(&user.subject),
        user.user_name,
        list(&user.groups),
        list(&user.roles),
        list(&user.directory_roles),
    )
}

async fn signed_in(op: &Op, idp: &Idp, claims: &Value) -> String {
    op.answer_token(&sign(&header(), &claims.to_string(), 0));
    match finish(idp).await {
        Ok(person) => {
            let contexts = list(&person.identity.auth_contexts);
            format!("{} contexts {contexts}", user(&person.identity.user))
        }
        Err(error) => format!("refused: {error}"),
    }
}

async fn brought(idp: &Idp, (header, claims): (&Value, &Value)) -> String {
    match idp.bearer(&sign(header, &claims.to_string(), 0).into()).await {
        Ok(caller) => {
            let who = match &**caller.principal {
                Principal::User(person) => user(person),
                Principal::Workload(service) => {
                    let (who, client) = (subject(&service.subject), begin(&service.client));
                    format!("Service {who} through {client} roles {}", list(&service.roles))
                }
                Principal::Anonymous => "nobody".to_owned(),
            };
            let contexts = list(&caller.auth_contexts);
            format!("{who} contexts {contexts} mfa {}", serde_json::json!(caller.mfa))
        }
        Err(refusal) => {
            let text = format!("{refusal:?}");
            format!("{}: {refusal}", text.split([' ', '{']).next().unwrap())
        }
    }
}

fn id_shapes() -> Vec<(&'static str, Value)> {
    let home = format!("https://sts.windows.net/{OTHER_TENANT}/");
    let source = json!({ "src1": { "endpoint": "https://graph.windows.net/x" } });
    let many: Vec<String> = (0..200).map(|n| format!("99999999-0000-4000-8000-{n:012}")).collect();
    vec![
        ("member", json!({})),
        ("member, acct", json!({ "acct": 0 })),
        ("guest, acct", json!({ "acct": 1, "email": "gia@fabrikam.example" })),
        ("guest, acct as text", json!({ "acct": "1" })),
        ("guest, idp", json!({ "idp": home, "email": "gia@fabrikam.example" })),
        ("guest, personal account", json!({ "idp": "live.com" })),
        ("renamed", json!({ "preferred_username": "popeye@contoso.example", "name": "Popeye" })),
        ("no names", json!({ "preferred_username": null, "name": null })),
        ("e-mail of unknown owner", json!({ "email": "ceo@contoso.example", "xms_edov": false })),
        ("e-mail, xms_edov true", json!({ "email": "o@contoso.example", "xms_edov": true })),
        ("e-mail, xms_edov 1", json!({ "email": "o@contoso.example", "xms_edov": 1 })),
        ("e-mail, xms_edov text", json!({ "email": "o@contoso.example", "xms_edov": "1" })),
        ("no roles", json!({ "roles": null })),
        ("several roles", json!({ "roles": ["B.Read", "A.Read"] })),
        ("wids", json!({ "wids": ["62e90394-69f5-4237-9190-012177145e10"] })),
        ("no groups", json!({ "groups": null })),
        ("exactly 200 groups", json!({ "groups": many })),
        (
            "overage",
            json!({ "groups": null, "_claim_names": { "groups": "src1" }, "_claim_sources": source }),
        ),
        (
            "overage beside groups",
            json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": source }),
        ),
        ("_claim_names of another claim", json!({ "_claim_names": { "address": "src1" } })),
        ("hasgroups", json!({ "groups": null, "hasgroups": true })),
        ("hasgroups as text", json!({ "groups": null, "hasgroups": "true" })),
        ("hasgroups beside groups", json!({ "hasgroups": true })),
        ("hasgroups false", json!({ "hasgroups": false })),
        ("group names, synchronised", json!({ "groups": ["CONTOSO\\Admins"] })),
        ("group names, of the cloud", json!({ "groups": ["Admins"] })),
        ("group names and ids", json!({ "groups": [GROUP, "Admins"] })),
        ("emit_as_roles, names", json!({ "groups": null, "roles": ["Reports.Read", "Admins"] })),
        ("emit_as_roles, ids", json!({ "groups": null, "roles": [GROUP] })),
        ("acrs, list", json!({ "acrs": ["c1", "c25"] })),
        ("acrs, lone text", json!({ "acrs": "c1" })),
        ("acrs, none", json!({ "acrs": [] })),
        ("v1", json!({ "ver": "1.0", "iss": format!("https://sts.windows.net/{TENANT}/") })),
        ("access token", json!({ "nonce": null, "scp": "access_as_user", "azp": SCRIPT })),
    ]
}

#[tokio::test]
async fn what_becomes_of_each_shape_of_id_token() {
    let op = Op::start().await;
    op.set(GRAPH, json_answer(200, &json!({ "value": [GROUP, PERSON] })));
    let idp = op.idp();
    let mut table = String::new();
    for (shape, change) in id_shapes() {
        let outcome = signed_in(&op, &idp, &shaped(op.claims(), &change)).await;
        writeln!(table, "{shape:<30} {outcome}").unwrap();
    }
    insta::assert_snapshot!("id_tokens", table);
}

#[tokio::test]
async fn what_becomes_of_each_shape_of_access_token() {
    let op = Op::start().await;
    let idp = op.idp();
    let (person, service) = (op.person_claims(), op.service_claims());
    let home = format!("https://sts.windows.net/{OTHER_TENANT}/");
    let v1 = json!({ "ver": "1.0", "iss": format!("https://sts.windows.net/{TENANT}/"), "azp": null, "appid": SCRIPT });
    let graph =
        json!({ "aud": "00000003-0000-0000-c000-000000000000", "ver": "1.0", "scp": "User.Read" });
    let shapes = [
        ("for a person", &person, json!({})),
        ("for a person, one scope", &person, json!({ "scp": "access_as_user" })),
        ("for a person, include_user_token", &person, json!({ "idtyp": "user" })),
        ("for a guest", &person, json!({ "idp": home, "acct": 1 })),
        ("for a person, acrs", &person, json!({ "acrs": ["c1"] })),
        ("for a person, acrs as text", &person, json!({ "acrs": "c1" })),
        ("for a person, other acrs", &person, json!({ "acrs": ["c2"] })),
        (
            "for a person, wids",
            &person,
            json!({ "wids": ["62e90394-69f5-4237-9190-012177145e10"] }),
        ),
        ("for a person, group names", &person, json!({ "groups": ["Admins"] })),
        ("for a person, another scope", &person, json!({ "scp": "User.Read" })),
        ("of a service", &service, json!({})),
        ("of a service, two roles", &service, json!({ "roles": ["Jobs.Run", "Reports.Read"] })),
        ("of a service, without roles", &service, json!({ "roles": null })),
        ("of a service, without idtyp", &service, json!({ "idtyp": null })),
        ("of a service without principal", &service, json!({ "oid": null })),
        ("of a service, groups claimed", &service, json!({ "groups": [GROUP] })),
        ("v1 where v2 is wanted", &service, v1),
        ("for Graph", &person, graph),
        (
            "of another tenant",
            &service,
            json!({ "tid": OTHER_TENANT, "iss": op.issuer(OTHER_TENANT) }),
        ),
        ("for another API", &service, json!({ "aud": SCRIPT })),
        ("expired", &service, json!({ "exp": NOW - 3600 })),
        ("not valid yet", &service, json!({ "nbf": NOW + 3600 })),
    ];
    let mut table = String::new();
    for (shape, claims, change) in shapes {
        let outcome = brought(&idp, (&header(), &shaped(claims.clone(), &change))).await;
        writeln!(table, "{shape:<32} {outcome}").unwrap();
    }
    let outcome = brought(&idp, (&header(), &op.claims())).await;
    writeln!(table, "{:<32} {outcome}", "an ID token").unwrap();
    let tricky = json!({ "typ": "JWT", "alg": "RS256", "kid": "key-1", "nonce": "x" });
    let outcome = brought(&idp, (&tricky, &person)).await;
    writeln!(table, "{:<32} {outcome}", "for Graph, nonce in its header").unwrap();
    insta::assert_snapshot!("access_tokens", table);
}

#[tokio::test]
async fn what_becomes_of_each_shape_of_v1_access_token() {
    let op = Op::start().await;
    let issuer = format!("https://sts.windows.net/{TENANT}/");
    let metadata = shaped(op.metadata(), &json!({ "issuer": issuer }));
    op.set(&format!("/{TENANT}/.well-known/openid-configuration"), json_answer(200, &metadata));
    let key = shaped(op.jwk(0, "key-1"), &json!({ "issuer": null }));
    op.set(KEYS, json_answer(200, &json!({ "keys": [key] })));
    let mut settings = op.settings();
    let api = settings.api.unwrap();
    settings.api =
        Some(ApiSettings { audience: "api://gate".to_owned(), version: TokenVersion::V1, ..api });
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    let older = json!({ "ver": "1.0", "iss": issuer, "aud": "api://gate", "azp": null, "azpacr": null,
        "appid": SCRIPT, "appidacr": "1" });
    let person = json!({ "preferred_username": null, "upn": "olive@contoso.example", "amr": ["pwd", "mfa"],
        "acr": "1", "unique_name": "olive@contoso.example", "family_name": "Oyl", "ipaddr": "192.0.2.1" });
    let (person, service) =
        (shaped(shaped(op.person_claims(), &older), &person), shaped(op.service_claims(), &older));
    let china = json!({ "iss": format!("https://sts.chinacloudapi.cn/{TENANT}/") });
    let shapes = [
        ("for a person", &person, json!({})),
        (
            "for a guest",
            &person,
            json!({ "upn": null, "unique_name": "live.com#gia@fabrikam.example",
            "idp": format!("https://sts.windows.net/{OTHER_TENANT}/") }),
        ),
        ("of a service", &service, json!({})),
        ("of a service, without appid", &service, json!({ "appid": null, "azp": SCRIPT })),
        ("with a slash after its audience", &service, json!({ "aud": "api://gate/" })),
        ("of the cloud in China", &service, china),
        ("v2 issuer in a v1 token", &service, json!({ "iss": op.issuer(TENANT) })),
        ("v2 where v1 is wanted", &service, json!({ "iss": op.issuer(TENANT), "ver": "2.0" })),
    ];
    let mut table = String::new();
    for (shape, claims, change) in shapes {
        let outcome = brought(&idp, (&header(), &shaped(claims.clone(), &change))).await;
        writeln!(table, "{shape:<32} {outcome}").unwrap();
    }
    insta::assert_snapshot!("v1_access_tokens", table);
}

/// Two directories, the same address: the person of the other one is somebody else (nOAuth).
#[tokio::test]
async fn what_becomes_of_tokens_of_several_tenants() {
    let op = Op::start().await;
    let template = op.issuer("{tenantid}");
    let metadata = shaped(op.metadata(), &json!({ "issuer": template }));
    op.set(&metadata_path("organizations"), json_answer(200, &metadata));
    let key = shaped(op.jwk(0, "key-1"), &json!({ "issuer": template }));
    op.set(KEYS, json_answer(200, &json!({ "keys": [key] })));
    let mut settings = op.settings();
    settings.tenant = "organizations".to_owned();
    settings.allowed_tenants = [TENANT, OTHER_TENANT].map(|id| id.parse().unwrap()).into();
    let idp = Idp::new(settings.clone(), op.clock.clone()).unwrap();
    settings.allowed_tenants.insert(PERSONAL.parse().unwrap());
    let with_personal = Idp::new(settings, op.clock.clone()).unwrap();
    let of = |tenant: &str| {
        let change =
            json!({ "tid": tenant, "iss": op.issuer(tenant), "email": "olive@contoso.example" });
        shaped(op.claims(), &change)
    };
    let mut table = String::new();
    for (shape, idp, claims) in [
        ("of the first tenant", &idp, of(TENANT)),
        ("the twin in the second one", &idp, of(OTHER_TENANT)),
        ("of a third one", &idp, of("88888888-8888-4888-8888-888888888888")),
        ("a personal account", &idp, of(PERSONAL)),
        ("a personal account, listed", &with_personal, of(PERSONAL)),
        (
            "tid of one, issuer of the other",
            &idp,
            shaped(of(TENANT), &json!({ "tid": OTHER_TENANT })),
        ),
    ] {
        let outcome = signed_in(&op, idp, &claims).await;
        writeln!(table, "{shape:<32} {outcome}").unwrap();
    }
    insta::assert_snapshot!("tenants", table);
}
