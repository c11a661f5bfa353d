//! What must hold of any input, whoever made it: the fuzz targets and the tests run the same functions.

use cedargate::authz::compile::{MfaSetting, Terms, compile};
use cedargate::authz::layout::formatted;
use cedargate::authz::path::{CanonicalPath, read_target};
use cedargate::model::id::ReleaseNumber;
use cedargate::model::policy::Policy;
use cedargate::model::route::PathPattern;
use cedargate::model::rule_book::RuleBook;
use cedargate::rule_files::{read_texts, texts};

const ROUTES: &str = "[[app]]\nid = \"a\"\nname = \"A\"\norigins = [\"https://a.example\"]\n\
                      [[app.route]]\nname = \"x\"\npattern = \"/x/{id}\"\n";

fn terms() -> Terms {
    let public_host = "gate.example".parse().expect("a host");
    Terms { public_host, mfa: MfaSetting::Configured }
}

fn with_policy(text: &str) -> (RuleBook, Policy) {
    let policy = Policy { id: "p".parse().expect("an id"), text: text.to_owned() };
    let book = read_texts(&[("routes.toml", ROUTES)]).expect("good files");
    (RuleBook { policies: vec![policy.clone()], ..book }, policy)
}

/// A text is refused with its faults placed in it, or is one policy, which laying out does not change.
pub(super) fn policy_text(text: &str) {
    let (book, policy) = with_policy(text);
    match compile(&book, ReleaseNumber(1), &terms()) {
        Err(refused) => {
            assert!(!refused.problems.is_empty());
            let lines = text.split('\n').count();
            for problem in refused.problems {
                assert!(!problem.to_string().contains(char::is_control), "{problem}");
                assert!(problem.at.is_none_or(|at| at.line <= lines), "{problem}");
            }
        }
        Ok(snapshot) => {
            let laid_out = formatted(&policy).expect("what compiles can be laid out");
            let again = compile(&with_policy(&laid_out).0, ReleaseNumber(1), &terms());
            assert!(again.is_ok(), "{laid_out}");
            assert!(!snapshot.cedar().is_empty());
        }
    }
}

/// Files are refused by name, or come back as they were read. Each file begins with a line `== <name>`.
pub(super) fn rule_files(text: &str) {
    let mut files: Vec<(&str, &str)> = vec![("routes.toml", ROUTES)];
    let more = text.split("== ").filter_map(|file| file.split_once('\n'));
    files.extend(more);
    match read_texts(&files) {
        Err(refused) => assert!(!refused.0.is_empty()),
        Ok(book) => {
            let written = texts(&book).expect("what was read can be written");
            let names = written.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            let again =
                read_texts(&names.collect::<Vec<_>>()).expect("what was written can be read");
            assert_eq!(again, book);
        }
    }
}

/// A pattern is refused, or is read as it is written, contains itself never and crosses itself never.
pub(super) fn patterns(text: &str) {
    let mut read = text.split(' ').filter_map(|text| text.parse::<PathPattern>().ok());
    let Some(first) = read.next() else { return };
    assert!(text.contains(first.as_str()));
    assert!(!first.contains(&first) && first.crossing(&first).is_none());
    if let Some(second) = read.next() {
        assert!(!(first.contains(&second) && second.contains(&first)));
        assert_eq!(first.crossing(&second).is_some(), second.crossing(&first).is_some());
    }
}

/// A target is refused, or its path is one that is read as itself.
pub(super) fn paths(raw: &[u8]) {
    let Ok(target) = read_target(raw) else { return };
    let again = CanonicalPath::read(target.path.as_str().as_bytes());
    assert_eq!(again.as_ref(), Ok(&target.path));
    let inner = || target.path.segments().map(str::to_ascii_lowercase);
    assert!(!inner().any(|segment| segment == "." || segment == ".." || segment.contains("%2e")));
}
