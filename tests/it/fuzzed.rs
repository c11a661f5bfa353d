//! What the fuzz targets hold of random input, held here of input that is near to good.

use cedargate::audit::checkpoint::Checkpoint;
use cedargate::audit::proof::Proof;
use cedargate::audit::verify::copy::Outcome;
use cedargate::audit::verify::{Trust, export};
use proptest::prelude::*;

#[path = "../../fuzz/properties.rs"]
mod properties;

/// Words and marks of Cedar, of TOML and of paths, in any order.
fn pieces(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![8 => prop::sample::select(of).prop_map(str::to_owned), 1 => "\\PC{0,3}"];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const CEDAR: &[&str] = &[
    "permit (principal, action, resource)",
    "forbid (principal is User, action, resource) ",
    "when { ",
    "unless { ",
    " }",
    ";",
    "context.mfa",
    "context.path",
    " == ",
    " && ",
    " || ",
    "\"/x\"",
    "\"",
    "// c\n",
    "\n",
    "(",
    ")",
    "[",
    "]",
    "!",
    "1",
    " + ",
    " < ",
    " like ",
    "\"*/x\"",
    " has ",
    "email",
    "principal",
    " is Workload",
    "if ",
    " then ",
    " else ",
    "@id(\"y\")\n",
    "Route::\"a/x\"",
    " in ",
    "Group::\"f1a2ce00-0000-4000-8000-000000000001\"",
    "\u{2028}",
    "ř",
    "\\u{41}",
    "\0",
];

/// A policy that is good but for one piece that is cut out or put in.
fn nearly_cedar() -> impl Strategy<Value = String> {
    let good = "// why\n@id(\"x\") permit (principal is User, action, resource in Route::\"a/x\")\n\
                when { context.path like \"/x/*\" && (principal has email || 1 + 2 < 4) }\n\
                unless { if context.mfa then true else [\"a\"].contains(context.path) }; // end\n";
    (0..good.len(), 0_usize..4, prop::sample::select(CEDAR)).prop_map(|(at, cut, put)| {
        let (before, after) = good.split_at(at);
        format!("{before}{put}{}", after.get(cut..).unwrap_or_default())
    })
}

const FILES: &[&str] = &[
    "== grants.toml\n",
    "== assertions.toml\n",
    "== p.cedar\n",
    "== routes.toml\n",
    "== x.txt\n",
    "[[grant]]\n",
    "id = \"g\"\n",
    "who = \"everyone\"\n",
    "what = \"read\"\n",
    "route = \"a/x\"\n",
    "reason = \"\"\"\nx\"\"\"\n",
    "when = { networks = [\"10.0.0.0/8\"] }\n",
    "[[assertion]]\n",
    "[[app]]\n",
    "[[app.route]]\n",
    "name = \"y\"\n",
    "pattern = \"/y\"\n",
    "permit (principal, action, resource);\n",
    "=",
    "\"",
    "[",
    "\n",
    "\0",
];

const PATHS: &[&str] = &[
    "/", "//", "a", "A", ".", "..", "%2e", "%2E", "%2f", "%5c", "\\", ";", "?", "%41", "%C5%99",
    "%c5", "{year}", "{*rest}", "{", "}", "*", " ", "%20", "%00", "_gate", "~", ":", "@", "%25",
    "%252e",
];

const QUERIES: &[&str] = &[
    "effect:",
    "allow",
    "deny",
    "refused",
    "user:",
    "path:",
    "/a/**",
    "/a*",
    "route:",
    "release:",
    ">=",
    "<",
    "3",
    "5..7",
    "ip:",
    "10.0.0.0/8",
    "at:",
    "-7d",
    "2026-11-24",
    "2026-11-24T00:00:00Z",
    "..",
    "mfa:",
    "yes",
    ",",
    " ",
    "-",
    "*",
    "\"",
    "\\",
    "ř",
    ":",
    "id:",
    "0v9k3m2q-5",
    "ms:",
    "group:",
    "a b",
];

/// A log, a proof or a checkpoint that is good but for a piece that is cut out, changed, put in or moved.
fn nearly_proven() -> impl Strategy<Value = Vec<u8>> {
    let sample = properties::sample_log();
    let good = prop::sample::select(vec![sample.export, sample.proof, sample.note]);
    let put = proptest::collection::vec(any::<u8>(), 0..3);
    let piece = (good, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..80);
    (piece, put, any::<bool>()).prop_map(|((good, at, from, cut), put, moves)| {
        let good = good.into_bytes();
        let (at, from) = (at.index(good.len()), from.index(good.len()));
        let put = if moves { good[from..].iter().take(cut).copied().collect() } else { put };
        [&good[..at], &put, good.get(at + cut..).unwrap_or_default()].concat()
    })
}

#[test]
fn the_log_that_is_nearly_proven_is_proven_when_nothing_is_changed() {
    let sample = properties::sample_log();
    let key = sample.key.public();
    let trust = Trust { keys: vec![key], checkpoints: Vec::new() };
    let checked = export::check(sample.export.as_bytes(), trust, |_| {}).unwrap();
    assert!(matches!(checked, Outcome::Intact(report) if report.read() == 3));
    assert!(Proof::parse(&sample.proof).unwrap().check(&key).is_ok());
    assert!(Checkpoint::open(&sample.note, &key).is_ok());
}

proptest! {
    #[test]
    fn what_was_not_signed_proves_nothing(near in nearly_proven(), raw in proptest::collection::vec(any::<u8>(), 0..60)) {
        properties::audit_verify(&near);
        properties::audit_verify(&raw);
    }

    #[test]
    fn queries_are_refused_or_read_in_one_way(text in pieces(QUERIES)) {
        properties::audit_query(&text);
    }

    #[test]
    fn policies_are_refused_or_one(text in prop_oneof![pieces(CEDAR), nearly_cedar()]) {
        properties::policy_text(&text);
    }

    #[test]
    fn files_are_refused_or_come_back(text in pieces(FILES)) {
        properties::rule_files(&text);
    }

    #[test]
    fn patterns_are_refused_or_read_in_one_way(text in pieces(PATHS)) {
        properties::patterns(&text);
        properties::patterns(&format!("/{}", text.replace(' ', " /")));
    }

    #[test]
    fn targets_are_refused_or_read_in_one_way(text in pieces(PATHS), raw in proptest::collection::vec(any::<u8>(), 0..40)) {
        properties::paths(format!("/{text}").as_bytes());
        properties::paths(&raw);
    }
}
