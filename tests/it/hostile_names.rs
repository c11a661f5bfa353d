//! A55: whatever is typed into a field of the rule book stays a text. It is refused by name, or comes back as it was and
//! the compiled rules are those that are expected, not one more.

use std::collections::BTreeMap;

use cedar_policy::{Effect, PolicySet};
use cedargate::authz::compile::{MfaSetting, Terms, compile};
use cedargate::model::id::ReleaseNumber;
use cedargate::model::problem::Problem;
use cedargate::model::rule_book::RuleBook;
use cedargate::rule_files::{read_texts, texts};
use proptest::prelude::*;
use serde_json::{Value, json};

const GROUP: &str = "f1a2ce00-0000-4000-8000-000000000001";
const POLICY: &str = "forbid (principal, action == Action::\"DELETE\", resource);\n";

/// Every field that holds a string, by its place in the JSON form of a rule book.
const FIELDS: [&str; 27] = [
    "/apps/0/id",
    "/apps/0/name",
    "/apps/0/origins/0",
    "/apps/0/upstream",
    "/apps/0/cors_origins/0",
    "/apps/0/header_aliases/0",
    "/routes/0/id",
    "/routes/0/pattern",
    "/routes/0/title",
    "/routes/0/owner",
    "/routes/0/labels/0",
    "/grants/0/id",
    "/grants/0/who/group",
    "/grants/1/who/role",
    "/grants/2/who/person",
    "/grants/3/who/tenants/0",
    "/grants/0/what",
    "/grants/0/route",
    "/grants/0/reason",
    "/grants/0/ticket",
    "/grants/0/when/networks/0",
    "/grants/0/when/auth_context",
    "/grants/0/when/own",
    "/policies/0/id",
    "/policies/0/text",
    "/assertions/0/reason",
    "/assertions/0/can/path",
];

fn book() -> Value {
    let grant = |id: &str, who: Value| {
        json!({
            "id": id, "who": who, "what": "read", "route": "a/x",
            "reason": "why", "ticket": "T-1",
            "when": { "networks": ["10.0.0.0/8"], "auth_context": "c1", "own": "rest" },
        })
    };
    json!({
        "apps": [{
            "id": "a", "name": "A", "origins": ["https://a.example"], "upstream": "http://127.0.0.1:9",
            "cors_origins": ["https://b.example"], "header_aliases": ["Remote-User"],
        }],
        "routes": [{ "id": "a/x", "pattern": "/x/{*rest}", "title": "X", "owner": "O", "labels": ["l"] }],
        "grants": [
            grant("g0", json!({ "group": GROUP })),
            grant("g1", json!({ "role": "Reports.Read" })),
            grant("g2", json!({ "person": format!("{GROUP}.{GROUP}") })),
            grant("g3", json!({ "tenants": [GROUP] })),
        ],
        "policies": [{ "id": "p", "text": POLICY }],
        "assertions": [{
            "id": "s", "reason": "why",
            "can": { "who": "everyone", "what": "read", "app": "a", "path": "/x/y" },
        }],
        "group_names": { GROUP: "Finance" },
    })
}

/// What people and programs have tried, and what nobody should.
fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "\"",
        "\\",
        "\\\"",
        "\n",
        "\r\n",
        "\0",
        "\u{202e}",
        "\u{feff}",
        "\u{2028}",
        "'''",
        "\"\"\"",
        "*",
        "\\*",
        "Admins\" || true || \"",
        "}; permit(principal, action, resource);",
        "\"); permit(principal, action, resource); //",
        "/x\" } ; permit(principal,action,resource); //",
        "x\"\n@id(\"y\")\npermit(principal, action, resource);",
        "\"; forbid (principal, action, resource);",
        "/* ",
        "// ",
        "[[grant]]\nid = \"more\"",
        "${x}",
        "{{x}}",
        "<script>",
        "../../etc/passwd",
        "\u{1f468}\u{200d}\u{1f469}",
    ]);
    let piece = prop_oneof![
        known.prop_map(str::to_owned),
        "\\PC{0,8}",
        any::<char>().prop_map(String::from)
    ];
    let mixed = proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat());
    let long = mixed.clone().prop_map(|text| text.repeat(64 * 1024 / text.len().max(1) + 1));
    prop_oneof![8 => mixed, 1 => long]
}

/// Asserts what must be true of a rule book with `text` in `field`.
fn check(field: &str, text: &str) {
    let mut form = book();
    *form.pointer_mut(field).unwrap() = Value::from(text);
    let book: RuleBook = match serde_json::from_value(form) {
        Ok(book) => book,
        Err(refused) => {
            let told = Problem::new("rules", refused.to_string()).to_string();
            assert!(told.len() > 10 && told.chars().count() < 1_100, "{field}: {told}");
            assert!(!told.contains(char::is_control), "{field}: {told}");
            return;
        }
    };
    let terms = Terms { public_host: "gate.example".parse().unwrap(), mfa: MfaSetting::Empty };
    match compile(&book, ReleaseNumber(1), &terms) {
        Ok(snapshot) => {
            survives(&book);
            as_expected(&book, &snapshot.cedar());
        }
        Err(refused) => {
            assert!(!refused.problems.is_empty());
            assert!(refused.problems.iter().all(|problem| !problem.message.is_empty()));
            assert!(refused.problems.iter().all(|one| !one.to_string().contains(char::is_control)));
        }
    }
}

/// Through files and back, it is the same; files are read in the order of ids.
fn survives(book: &RuleBook) {
    let written = texts(book).unwrap();
    let files: Vec<_> = written.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut ordered = book.clone();
    ordered.grants.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(read_texts(&files).unwrap(), ordered);
}

/// The Cedar text that is kept for auditors has one policy for each grant and each policy, of the right effect, and each
/// says what was typed.
fn as_expected(book: &RuleBook, cedar: &str) {
    let policies: PolicySet = cedar.parse().unwrap();
    assert_eq!(policies.num_of_policies(), book.grants.len() + book.policies.len());
    let permits = policies.policies().filter(|policy| policy.effect() == Effect::Permit).count();
    let by_hand = book.policies.iter().filter(|policy| policy.text != POLICY).count();
    assert!(permits == book.grants.len() || by_hand > 0);
    let said: BTreeMap<_, _> = policies
        .policies()
        .filter_map(|policy| Some((policy.annotation("id")?.to_owned(), policy.clone())))
        .collect();
    for grant in &book.grants {
        let policy = &said[&format!("grant:{}", grant.id)];
        let text = |name| policy.annotation(name).unwrap_or_default();
        assert_eq!(
            (text("reason"), text("ticket")),
            (grant.reason.as_str(), grant.ticket.as_str())
        );
    }
}

#[test]
fn the_rule_book_of_this_test_is_good_a55() {
    for field in FIELDS {
        let good = book().pointer(field).and_then(Value::as_str).unwrap().to_owned();
        let mut form = book();
        *form.pointer_mut(field).unwrap() = Value::from(good);
        let book: RuleBook = serde_json::from_value(form).unwrap();
        let terms = Terms { public_host: "gate.example".parse().unwrap(), mfa: MfaSetting::Empty };
        let snapshot = compile(&book, ReleaseNumber(1), &terms).unwrap();
        as_expected(&book, &snapshot.cedar());
        survives(&book);
    }
}

proptest! {
    #[test]
    fn hostile_texts_stay_texts_a55(field in prop::sample::select(FIELDS.to_vec()), text in hostile()) {
        check(field, &text);
    }
}
