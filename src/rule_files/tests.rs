//! The rule book as files: round trips, and what is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::civil::{Hours, Weekday};
use crate::model::grant::{Conditions, Effect, Grant, Method, Mfa, Reach, What, Who};
use crate::model::policy::Policy;
use crate::model::rule_book::RuleBook;
use crate::model::time::Span;

const APP: &str = "[[app]]\nid = \"a\"\nname = \"A\"\norigins = [\"https://a.example\"]\n";

#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) {
    let problems = read_texts(files).expect_err("must be refused").to_string();
    assert!(problems.lines().any(|line| line.contains(expected)), "{expected} in {problems}");
}

fn route(rest: &str) -> String {
    format!("{APP}[[app.route]]\n{rest}\n")
}

#[test]
#[cfg(feature = "demo")]
fn demo_files_are_written_as_they_are_read() {
    let book = demo().unwrap();
    assert_eq!((book.apps.len(), book.routes.len(), book.grants.len()), (1, 11, 13));
    let written = texts(&book).unwrap();
    assert_eq!(written["routes.toml"], include_str!("../../policies/demo/routes.toml"));
    assert_eq!(written["grants.toml"], include_str!("../../policies/demo/grants.toml"));
    assert_eq!(written["assertions.toml"], include_str!("../../policies/demo/assertions.toml"));
}

#[test]
fn unusable_files_are_refused_by_file_and_line() {
    check(&[], "routes.toml: is missing");
    check(&[("routes.toml", "[[app]\n")], "routes.toml:1: is not TOML");
    check(&[("routes.toml", "app = 1\n")], "routes.toml:1: must be a list of tables");
    check(&[("routes.toml", "\n[[apps]]\n")], "routes.toml:2: `apps` is not a known key");
    check(&[("routes.toml", "[[app]]\nid = \"A\"\n")], "routes.toml:2: `A` is not an app id");
    check(
        &[("routes.toml", &format!("{APP}colour = 1\n"))],
        "routes.toml:5: unknown field `colour`",
    );
    check(&[("routes.toml", &format!("{APP}{APP}"))], "routes.toml:5: app `a` is there twice");
    check(
        &[("routes.toml", &route("name = \"x\"\npattern = \"x\""))],
        "routes.toml:7: `x` is not a path",
    );
    check(&[("routes.toml", &route("name = \"X\"\npattern = \"/x\""))], "is not a route id");
    let twice =
        route("name = \"x\"\npattern = \"/x\"\n[[app.route]]\nname = \"x\"\npattern = \"/y\"");
    check(&[("routes.toml", &twice)], "routes.toml:8: route `a/x` is there twice");
    check(&[("routes.toml", "[group_names]\nFinance = \"x\"\n")], "is not a group object id");
    check(&[("routes.toml", APP), ("extra.toml", "")], "extra.toml: is not a rule file");
    check(&[("routes.toml", APP), ("No_Writes.cedar", "")], "No_Writes.cedar: the file's name");
}

#[test]
fn unusable_grants_are_refused_by_line() {
    let routes = route("name = \"x\"\npattern = \"/x\"");
    let grant = "[[grant]]\nid = \"g\"\nwho = \"everyone\"\nwhat = \"read\"\n";
    let refused = |grants: &str, expected: &str| {
        check(&[("routes.toml", &routes), ("grants.toml", grants)], expected);
    };
    refused(&format!("{grant}route = \"a/y\"\n"), "grants.toml:1: grant `g` names `a/y`");
    refused(&format!("{grant}route = \"a/x\"\nwhom = 1\n"), "grants.toml:6: unknown field `whom`");
    refused(
        &format!("{grant}route = \"a/x\"\n{grant}route = \"a/x\"\n"),
        "grants.toml:6: grant `g` is",
    );
    refused("[[grants]]\n", "grants.toml:1: `grants` is not a known key");
    refused("[[grant]]\nid = \"g\"\nwho = \"nobody\"\n", "grants.toml:3: unknown variant `nobody`");
}

#[test]
fn all_problems_are_told_at_once() {
    let routes = format!(
        "{APP}[[app.route]]\nname = \"x\"\npattern = \"x\"\n[[app]]\nid = \"B\"\n[[app.route]]\nname = 1\n"
    );
    let problems = read_texts(&[("routes.toml", &routes), ("x.toml", ""), ("grants.toml", "= 1")]);
    let problems = problems.unwrap_err().to_string();
    for place in ["routes.toml:7", "routes.toml:9", "routes.toml:11", "x.toml", "grants.toml:1"] {
        assert!(problems.lines().any(|line| line.starts_with(place)), "{place} in {problems}");
    }
}

#[test]
fn folder_that_would_not_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("more")).unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    std::fs::write(folder.path().join("routes.toml"), APP).unwrap();
    std::fs::write(folder.path().join("README.md"), "words").unwrap();
    let problems = read(folder.path()).unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    assert!(problems.to_string().contains("folders are not read"));
    assert!(read(&folder.path().join("absent")).is_err());
}

#[test]
fn file_that_is_too_large_is_not_read_a56() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("routes.toml")).unwrap();
    file.set_len((128 << 20) + 1).unwrap();
    assert!(
        read(folder.path())
            .unwrap_err()
            .to_string()
            .contains("routes.toml: is larger than 128 MiB")
    );
}

#[test]
fn policy_that_left_the_book_leaves_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut book =
        read_texts(&[("routes.toml", APP), ("old.cedar", "permit (principal, action, resource);")])
            .unwrap();
    write(&book, folder.path()).unwrap();
    assert_eq!(read(folder.path()).unwrap(), book);
    book.policies.clear();
    write(&book, folder.path()).unwrap();
    assert_eq!(read(folder.path()).unwrap(), book);
}

#[test]
fn foreign_folder_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("theirs.cedar");
    std::fs::write(&theirs, "x").unwrap();
    let refused = write(&RuleBook::default(), folder.path()).unwrap_err();
    assert!(refused.to_string().contains("no routes.toml"), "{refused}");
    assert!(theirs.exists() && !folder.path().join("routes.toml").exists());
}

#[test]
fn route_without_its_app_is_not_written() {
    let mut book =
        read_texts(&[("routes.toml", &route("name = \"x\"\npattern = \"/x\""))]).unwrap();
    book.apps.clear();
    assert!(texts(&book).unwrap_err().to_string().starts_with("route a/x: "));
}

const GUID: &str = "f1a2ce00-0000-4000-8000-000000000001";

fn who() -> impl Strategy<Value = Who> {
    let subject = || format!("{GUID}.{GUID}").parse().unwrap();
    prop_oneof![
        Just(Who::Group(GUID.parse().unwrap())),
        "[A-Za-z\"'\\\\#=]{1,20}".prop_map(|role| Who::Role(role.parse().unwrap())),
        Just(Who::Person(subject())),
        Just(Who::Workload(subject())),
        Just(Who::SignedIn),
        Just(Who::Everyone),
    ]
}

fn what() -> impl Strategy<Value = What> {
    let methods = proptest::sample::subsequence(Method::ALL.to_vec(), 1..=7);
    prop_oneof![
        Just(What::Read),
        Just(What::Write),
        Just(What::All),
        methods.prop_map(|methods| What::Methods(methods.into_iter().collect())),
    ]
}

fn office_hours() -> Hours {
    let days = [Weekday::Mon, Weekday::Fri].into_iter().collect();
    let at = |text: &str| text.parse().unwrap();
    Hours::new("Europe/Prague".parse().unwrap(), days, at("07:00"), at("24:00")).unwrap()
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let networks = proptest::sample::subsequence(
        vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        0..=2,
    );
    let mfa = prop_oneof![Just(Mfa::Optional), Just(Mfa::Required)];
    let until = proptest::option::of(0_i64..4_000_000_000).prop_map(|at| {
        at.map(|at| crate::model::time::Instant(crate::model::time::Timestamp::from_seconds(at)))
    });
    let hours = prop_oneof![Just(Vec::new()), Just(vec![office_hours()])];
    let fresh = proptest::option::of((1_u64..100_000).prop_map(Duration::from_secs).prop_map(Span));
    let auth_context = proptest::option::of(Just("c7".parse().unwrap()));
    let own = proptest::option::of(Just("rest".parse().unwrap()));
    (networks, hours, mfa, fresh, auth_context, own, until).prop_map(
        |(networks, hours, mfa, fresh, auth_context, own, until)| Conditions {
            networks,
            hours,
            mfa,
            fresh,
            auth_context,
            own,
            until,
        },
    )
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let effect = prop_oneof![Just(Effect::Permit), Just(Effect::Forbid)];
    let reach = prop_oneof![Just(Reach::Below), Just(Reach::Only)];
    let grant = (who(), what(), conditions(), ".{0,30}", effect, reach);
    proptest::collection::btree_map("[a-z0-9][a-z0-9-]{0,8}", grant, 0..6).prop_map(|grants| {
        let make =
            |(id, (who, what, when, reason, effect, reach)): (String, (_, _, _, String, _, _))| {
                Grant {
                    id: id.parse().unwrap(),
                    effect,
                    who,
                    what,
                    route: "a/x".parse().unwrap(),
                    reach,
                    when,
                    ticket: reason.clone(),
                    reason,
                }
            };
        grants.into_iter().map(make).collect()
    })
}

proptest! {
    #[test]
    fn reading_what_was_written_changes_nothing(
        grants in grants(),
        title in ".{0,30}",
        labels in proptest::collection::vec(".{0,10}", 0..3),
        names in proptest::collection::vec("\\PC{0,20}", 0..2),
        policies in proptest::collection::btree_map("[a-z0-9]{1,8}", "(?s).{0,60}", 0..3),
    ) {
        let mut book = read_texts(&[("routes.toml", &route("name = \"x\"\npattern = \"/x/{*rest}\""))]).unwrap();
        book.grants = grants;
        book.routes[0].title = title;
        book.routes[0].labels = labels;
        book.group_names = names.into_iter().map(|name| (GUID.parse().unwrap(), name)).collect();
        let policy = |(id, text): (String, String)| Policy { id: id.parse().unwrap(), text };
        book.policies = policies.into_iter().map(policy).collect();
        let written: BTreeMap<String, String> = texts(&book).unwrap();
        let files: Vec<_> = written.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let again = read_texts(&files).unwrap();
        prop_assert_eq!(&again, &book);
        prop_assert_eq!(texts(&again).unwrap(), written);
    }
}
