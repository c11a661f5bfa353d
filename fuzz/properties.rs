//! What must hold of any input, whoever made it: the fuzz targets and the tests run the same functions.

use cedargate::audit::checkpoint::{Checkpoint, verifier_key};
use cedargate::audit::merkle::{Peaks, Window, leaf_hash};
use cedargate::audit::proof::Proof;
use cedargate::audit::verify::copy::Outcome;
use cedargate::audit::verify::{Trust, export};
use cedargate::authz::compile::{MfaSetting, Terms, compile};
use cedargate::authz::layout::formatted;
use cedargate::authz::path::{CanonicalPath, read_target};
use cedargate::keys::LogKey;
use cedargate::model::id::{OriginId, ReleaseNumber};
use cedargate::model::policy::Policy;
use cedargate::model::query::Query;
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

/// A log of three records in every form that a reader of it takes. Nothing else was ever signed by its key.
pub(super) struct SampleLog {
    pub(super) export: String,
    pub(super) proof: String,
    pub(super) note: String,
    records: Vec<String>,
    point: Checkpoint,
    pub(super) key: LogKey,
}

pub(super) fn sample_log() -> SampleLog {
    let (origin, key) = (OriginId::from_bytes([1; 5]), LogKey::from_seed(&[7; 32]));
    let record = |seq: u64| {
        format!(
            "{{\"v\":1,\"id\":\"{origin}-{seq}\",\"at\":\"2026-11-24T00:26:40.000000Z\",\
             \"kind\":\"heartbeat\",\"salt\":\"\"}}"
        )
    };
    let records: Vec<String> = (0..3).map(record).collect();
    let leaves: Vec<_> = records.iter().map(|record| leaf_hash(record.as_bytes())).collect();
    let mut tree = Peaks::default();
    for leaf in &leaves {
        tree.push(*leaf);
    }
    let point = Checkpoint { origin, size: 3, root: tree.root() };
    let note = point.note(&[&key]);
    let path = Window::new(Peaks::default(), leaves).inclusion(1).expect("a path");
    let body = records[1].clone().into_bytes();
    let proof = Proof { body, index: 1, path, note: note.clone() }.to_text();
    let vkey = verifier_key(origin, &key.public());
    let header = format!("{{\"cedargate_export\":1,\"origin\":\"{origin}\",\"key\":\"{vkey}\"}}");
    let vouched = format!("{{\"checkpoint\":\"{}\"}}", note.replace('\n', "\\n"));
    let export = format!("{header}\n{}\n{vouched}\n", records.join("\n"));
    SampleLog { export, proof, note, records, point, key }
}

/// Bytes that claim to be an export, a proof or a checkpoint prove nothing that was not signed.
pub(super) fn audit_verify(raw: &[u8]) {
    let sample = sample_log();
    let trust = Trust { keys: vec![sample.key.public()], checkpoints: Vec::new() };
    if let Ok(Outcome::Intact(report)) = export::check(raw, trust, |_| {}) {
        let lines = raw.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"v\":"));
        assert!(report.read() <= 3);
        assert!(lines.zip(&sample.records).all(|(line, record)| line == record.as_bytes()));
    }
    let Ok(text) = std::str::from_utf8(raw) else { return };
    if let Ok(point) = Checkpoint::open(text, &sample.key.public()) {
        assert_eq!(point, sample.point);
    }
    if let Ok(proof) = Proof::parse(text) {
        assert_eq!(Proof::parse(&proof.to_text()).as_ref(), Ok(&proof));
        if proof.check(&sample.key.public()).is_ok() {
            assert_eq!(proof.index, 1);
            assert_eq!(proof.body, sample.records[1].as_bytes());
        }
    }
}

/// A query is refused in words, or is printed so that it is read as the same.
pub(super) fn audit_query(text: &str) {
    match text.parse::<Query>() {
        Err(refused) => assert!(!refused.to_string().contains(char::is_control), "{refused}"),
        Ok(query) => {
            let printed = query.to_string();
            // Longer than what it was read from it may be, and then too long to be read.
            assert!(printed.len() > 2_048 || printed.parse().as_ref() == Ok(&query), "{printed}");
        }
    }
}
