//! What the fuzz targets hold of random input, held here of input that is near to good.

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

proptest! {
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
