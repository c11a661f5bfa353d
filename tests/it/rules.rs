//! The commands that answer questions about rules, as a shell sees them.

use std::path::Path;
use std::process::{Command, Output};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/demo");

/// In an empty folder, with no settings around.
fn cedargate(arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_cedargate"))
        .args(arguments)
        .current_dir(&nowhere)
        .env_clear()
        .output()
        .unwrap()
}

#[track_caller]
fn says(output: &Output, code: i32, lines: &[&str]) {
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    let err = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    for line in lines {
        assert!(out.contains(line) || err.contains(line), "no `{line}` in:\n{out}{err}");
    }
}

fn decide(more: &[&str]) -> Output {
    cedargate(&[&["decide", "--rules", DEMO, "--app", "intranet"], more].concat())
}

#[test]
fn decide_names_the_rule_that_lets_in_and_the_clause_that_is_missing() {
    says(
        &decide(&["--path", "/finance/q3", "--group", "Finance"]),
        0,
        &[
            "allow  intranet/finance",
            "grant:finance-read  Finance may read",
            "holds   who   Finance",
        ],
    );
    says(
        &decide(&["--path", "/finance/q3", "--group", "Finance", "--method", "POST"]),
        1,
        &[
            "deny  intranet/finance: no rule lets them in",
            "misses  when  with multi-factor sign-in",
        ],
    );
    says(
        &decide(&["--path", "/finance/q3", "--group", "Finance", "--method", "POST", "--mfa"]),
        0,
        &["allow"],
    );
    says(&decide(&["--path", "/finance/q3"]), 1, &["no rule lets anybody in who is not signed in"]);
    says(&decide(&["--path", "/nowhere"]), 1, &["no route of the app covers the path"]);
    let guest = ["--path", "/admin/users", "--group", "IT-Admins", "--guest"];
    says(&decide(&guest), 1, &["a rule keeps them out", "policy:no-guests-in-admin"]);
}

#[test]
fn decide_answers_as_json() {
    let answer = decide(&["--path", "/finance/q3", "--group", "Finance", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(told["verdict"], "allow");
    assert_eq!(told["route"], "intranet/finance");
    assert_eq!(told["deciding"][0]["rule"], "grant:finance-read");
    assert_eq!(told["deciding"][0]["clauses"][0]["outcome"], "holds");
}

#[test]
fn questions_that_can_not_be_put_are_named() {
    says(
        &decide(&["--path", "/", "--group", "Accounting"]),
        2,
        &["no group is called `Accounting`"],
    );
    says(&decide(&["--path", "/a/../b"]), 2, &["the path is refused before anything is decided"]);
    says(&decide(&["--path", "/", "--method", "get"]), 2, &["`get` is not a method"]);
    says(&decide(&["--path", "/", "--guest"]), 2, &["nobody's guest"]);
    let other = ["decide", "--rules", DEMO, "--app", "wiki", "--path", "/"];
    says(&cedargate(&other), 2, &["there is no app `wiki`; the rule book has: intranet"]);
    says(
        &cedargate(&["decide", "--rules", "/nowhere", "--app", "a", "--path", "/"]),
        2,
        &["/nowhere"],
    );
}

#[test]
fn who_and_what_say_always_if_or_never() {
    let who = ["rules", "who", "--rules", DEMO, "--app", "intranet", "--path", "/finance/q3"];
    says(&cedargate(&who), 0, &["Finance: always (grant:finance-read)"]);
    let write = [&who[..], &["--method", "POST", "--all"]].concat();
    let mfa = "Finance: if with multi-factor sign-in (grant:finance-write)";
    says(&cedargate(&write), 0, &[mfa, "IT-Admins: never", "Everyone: never"]);
    let what = ["rules", "what", "--rules", DEMO, "--app", "intranet", "--everyone", "--all"];
    says(
        &cedargate(&what),
        0,
        &["intranet/home  /: always (grant:home)", "intranet/me  /me: never"],
    );
}

#[test]
fn an_assertion_that_does_not_hold_is_named_and_fails_the_command() {
    says(&cedargate(&["rules", "test", DEMO]), 0, &["3 of 3 assertions hold"]);
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(DEMO).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let grants = copy.path().join("grants.toml");
    let open = "\n[[grant]]\nid = \"hole\"\nwho = \"signed_in\"\nwhat = \"read\"\nroute = \"intranet/admin\"\n";
    let text = std::fs::read_to_string(&grants).unwrap() + open;
    std::fs::write(&grants, text).unwrap();
    let broken = cedargate(&["rules", "test", path(copy.path())]);
    let hole = "assertion `admin-is-for-admins`: everyone signed in can GET intranet/admin through `grant:hole`";
    says(&broken, 1, &[hole, "2 of 3 assertions hold"]);
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with settings of its own, as an operator has it.
struct Site(tempfile::TempDir);

impl Site {
    fn new(second_person: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = format!(
            "public_url = \"https://gate.example\"\n[entra]\ntenant = \"{id}\"\nclient_id = \"{id}\"\nclient_secret = \"s~1\"\nmfa_context = \"c1\"\n[console]\nsecond_person = \"{second_person}\"\n",
            id = "11111111-2222-3333-4444-555555555555",
        );
        std::fs::write(folder.path().join("cedargate.toml"), settings).unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        Self(folder)
    }

    fn run(&self, user: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cedargate"))
            .arg("rules")
            .args(arguments)
            .current_dir(&self.0)
            .env_clear()
            .env("USER", user)
            .output()
            .unwrap()
    }

    /// The content hash that `rules review` shows.
    fn content(&self) -> String {
        let review = self.run("eddie", &["review"]);
        let out = String::from_utf8(review.stdout).unwrap();
        let line = out
            .lines()
            .find_map(|line| line.strip_prefix("content "))
            .unwrap_or_else(|| panic!("{out}"));
        line.split(' ').next().unwrap().to_owned()
    }
}

#[test]
fn what_is_most_likely_not_meant_is_said_with_a_review_and_with_the_assertions() {
    let folder = folder_with(
        "forbid (principal, action, resource)\nwhen { context.path like \"/nowhere*\" };\n",
    );
    let lint = "policy `more`: ";
    let tried = cedargate(&["rules", "test", path(folder.path())]);
    says(&tried, 0, &["more.cedar", lint, "(like-across-slashes)", "3 of 3 assertions hold"]);
    let site = Site::new("off");
    says(&site.run("eddie", &["import", path(folder.path())]), 0, &["is the draft now"]);
    says(
        &site.run("eddie", &["review"]),
        0,
        &["most likely not meant:", "policy `more`:2:16: ", "(like-across-slashes)"],
    );
}

#[test]
fn rules_go_from_files_through_draft_and_review_to_a_release_and_back() {
    let site = Site::new("off");
    says(&site.run("eddie", &["import", DEMO]), 0, &["is the draft now"]);
    says(
        &site.run("eddie", &["review"]),
        0,
        &["+ grant:finance-read: Finance may read", "+ permit(", "on release 0"],
    );
    let content = site.content();
    says(
        &site.run("pat", &["publish", "0000", "--note", "guessed"]),
        2,
        &["the draft was changed since it was reviewed"],
    );
    says(&site.run("pat", &["publish", &content, "--note", "first"]), 0, &["release 1 published"]);
    says(&site.run("pat", &["diff", DEMO]), 0, &[]);

    // What was exported comes back unchanged.
    let out = site.0.path().join("rules");
    says(&site.run("pat", &["export", path(&out)]), 0, &["release 1 written"]);
    says(&site.run("pat", &["diff", path(&out)]), 0, &[]);
    let grants = out.join("grants.toml");
    let text = std::fs::read_to_string(&grants).unwrap().replace(
        "what = \"read\"\nroute = \"intranet/me\"",
        "what = \"all\"\nroute = \"intranet/me\"",
    );
    std::fs::write(&grants, text).unwrap();
    says(
        &site.run("pat", &["diff", path(&out)]),
        1,
        &[
            "- grant:me: Everyone signed in may read intranet/me",
            "+ grant:me: Everyone signed in may read and change intranet/me",
        ],
    );
    says(
        &site.run("pat", &["import", path(&out), "--publish", "--note", "second"]),
        0,
        &["release 2 published"],
    );
    says(
        &site.run("pat", &["rollback", "1", "--note", "too much"]),
        0,
        &["release 3 published: release 1 again"],
    );
    says(&site.run("pat", &["diff", DEMO]), 0, &[]);
    says(&site.run("pat", &["releases"]), 0, &["3  ", "operator:pat", "too much"]);

    says(&site.run("eddie", &["import", path(&out)]), 0, &["is the draft now (1 changes)"]);
    says(&site.run("eddie", &["discard"]), 0, &["1 changes of the draft thrown away"]);
    says(&site.run("eddie", &["review"]), 0, &["on release 3"]);
}

#[test]
fn a_broken_folder_names_each_file_and_line_and_changes_nothing() {
    let site = Site::new("off");
    let folder = site.0.path().join("broken");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("routes.toml"), "[[app]]\nid = \"a\"\nname = 7\n").unwrap();
    std::fs::write(folder.join("grants.toml"), "[[grant]]\nid = \"g\"\nwho = \"nobody\"\n")
        .unwrap();
    let refused = site.run("eddie", &["import", path(&folder), "--publish"]);
    says(&refused, 2, &["routes.toml:", "grants.toml:"]);
    says(&site.run("eddie", &["releases"]), 0, &[]);
    says(&site.run("eddie", &["review"]), 0, &["on release 0"]);
}

#[test]
fn a_second_person_has_to_approve_whichever_way_the_rules_come() {
    let site = Site::new("required");
    let alone = site.run("eddie", &["import", DEMO, "--publish"]);
    says(&alone, 2, &["publishing needs a second person", "rules approve"]);
    says(&site.run("eddie", &["import", DEMO]), 0, &["is the draft now"]);
    let content = site.content();
    says(&site.run("eddie", &["approve", &content]), 0, &["as operator:eddie"]);
    says(&site.run("eddie", &["publish", &content]), 2, &["publishing needs a second person"]);
    says(&site.run("pat", &["approve", &content]), 0, &["as operator:pat"]);
    says(
        &site.run("eddie", &["review"]),
        0,
        &["approved by operator:eddie", "approved by operator:pat"],
    );
    says(&site.run("eddie", &["publish", &content]), 0, &["release 1 published"]);
}

/// A folder with the demo's rules and one more policy.
fn folder_with(policy: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(DEMO).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
    }
    std::fs::write(folder.path().join("more.cedar"), policy).unwrap();
    folder
}

#[test]
fn lint_and_faults_name_file_line_and_column() {
    says(&cedargate(&["rules", "lint", DEMO]), 0, &[]);
    let folder = folder_with("permit (principal is User, action, resource)\nwhen { true };\n");
    let dir = folder.path().display().to_string();
    let lint = format!("{dir}/more.cedar:2:1: policy `more`: this condition always holds");
    says(&cedargate(&["rules", "lint", &dir]), 1, &[&lint, "(always-true)"]);
    let folder = folder_with("permit (principal, action, resource)\nwhen { context.mffa };\n");
    let dir = folder.path().display().to_string();
    let fault = format!(
        "{dir}/more.cedar:2:8: policy `more`: attribute `mffa` in context not found; did you mean `mfa`?"
    );
    says(&cedargate(&["rules", "lint", &dir]), 2, &[&fault]);
}

#[test]
fn format_says_which_files_it_would_change_and_changes_them() {
    says(&cedargate(&["rules", "format", "--check", DEMO]), 0, &[]);
    let text = "permit(principal is User,action,resource)when{context.mfa};// mine\n";
    let folder = folder_with(text);
    let dir = folder.path().display().to_string();
    let file = folder.path().join("more.cedar");
    says(&cedargate(&["rules", "format", "--check", &dir]), 1, &["more.cedar"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    says(&cedargate(&["rules", "format", &dir]), 0, &["more.cedar"]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("when { context.mfa }; // mine"));
    says(&cedargate(&["rules", "format", "--check", &dir]), 0, &[]);
    std::fs::write(&file, "permit (principal").unwrap();
    let fault = "more.cedar:1:18: policy `more`: unexpected end of input";
    says(&cedargate(&["rules", "format", &dir]), 2, &[fault]);
}
