//! What admins are told of policies with faults.

use super::super::compile::compile;
use super::{book, policy, terms};
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;

/// Policies with faults, as people write them.
const FAULTY: &[&str] = &[
    "",
    "permit (principal",
    "permit (principal, action, resource)",
    "permit (principal, action, resource);\nforbid (principal, action, resource);",
    "permit (principal == ?principal, action, resource);",
    "allow (principal, action, resource);",
    "permit (principal, resource, action);",
    "permit (principal, action, resource) if { true };",
    "permit (principal, action, resource) when { principal.name = \"x\" };",
    "permit (principal, action, resource) when { 'x' == context.path };",
    "permit (principal, action, resource)\nwhen { contxt.mfa }\nunless { recource.app };",
    "permit (principal, action, resource)\nwhen { context.mffa };",
    "permit (principal is User, action, resource)\nwhen { principal.gest && principal.nme == \"x\" };",
    "permit (principal, action, resource)\nwhen {\n  context.path == 1\n};",
    "permit (principal in Grupp::\"x\", action, resource);",
    "permit (principal, action == Action::\"get\", resource);",
    "permit (principal, action, resource) when { context.params.yaer == \"2026\" };",
    "permit (principal, action, resource) when { context.params.year == \"2026\" };",
    "permit (principal, action, resource) when { principal.email == \"x\" };",
    "permit (principal, action, resource) when { context.path.startsWith(\"/x\") };",
    "permit (principal, action, resource) when { context.ip.isInRange(ip(\"10.0.0/8\")) };",
    "permit (principal, action, resource) when { context.path + \"x\" == \"y\" };",
    "forbid (principal, action, resource in Route::\"shop/finanse\") when {\n  resource in App::\"other\" // not Route::\"x/y\"\n};",
    "forbid (principal in Group::\"Finance\", action, resource) when {\n  principal != User::\"uma@contoso.example\"\n};",
    "forbid (principal in Group::\"F1A2CE00-0000-4000-8000-000000000001\", action, resource);",
    "permit (principal, action, resource) when { \"ŘěŘ\" == contxt.x };",
];

fn told(text: &str) -> String {
    let book = RuleBook { policies: vec![policy("p", text)], ..book() };
    let error = compile(&book, ReleaseNumber(1), &terms()).expect_err(text);
    let problems: Vec<_> = error.problems.iter().map(|one| format!("    {one}")).collect();
    format!("{text}\n{}\n\n", problems.join("\n"))
}

#[test]
fn faults_are_placed_and_explained() {
    insta::assert_snapshot!(FAULTY.iter().map(|text| told(text)).collect::<String>());
}

#[test]
fn words_in_strings_and_comments_name_nothing() {
    let text = "// Route::\"a/b\"\npermit (principal, action, resource) // \"\n\
                when { context.path == \"Route::\\\"a/b\\\"\" };";
    let book = RuleBook { policies: vec![policy("p", text)], ..book() };
    assert!(compile(&book, ReleaseNumber(1), &terms()).is_ok());
}
