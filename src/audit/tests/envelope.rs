//! The bytes of a record.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::super::envelope::{Envelope, Seal};
use super::sample;
use crate::model::civil::Zone;
use crate::model::id::{OriginId, ReleaseNumber};
use crate::model::principal::PrincipalSnapshot;
use crate::model::record::{
    Actor, ClientAddress, ConsoleFacts, Entry, Event, Memberships, RuleId, SessionEnd, Verdict,
};
use crate::model::recorded::{Recorded, read_principal};
use crate::model::time::Timestamp;
use crate::store::audit::Row;

const HEAD: [&str; 8] = ["v", "origin", "seq", "at", "boot", "salt", "kind", "id"];

fn seal() -> Seal {
    Seal::new(OriginId::from_bytes([1, 2, 3, 4, 5]), [0xab; 8], [7; 32])
}

fn row(entry: &Entry, seq: u64) -> Row {
    let at = Timestamp::from_micros(1_795_480_000_123_456);
    seal().row(seq, at, Envelope::of(entry).unwrap()).unwrap()
}

fn object(bytes: &[u8]) -> Map<String, Value> {
    let value: Value = serde_json::from_slice(bytes).unwrap();
    value.as_object().expect("a body is an object").clone()
}

fn decision(verdict: Verdict) -> Entry {
    Entry::Decision(Box::new(sample::decision(verdict)))
}

/// One entry of each kind.
fn of_sessions() -> Vec<Event> {
    let session = || "s-1".parse().unwrap();
    let text = || "x".to_owned();
    vec![
        Event::SignedIn {
            actor: Actor::Nobody,
            session: session(),
            client: ClientAddress::Unknown,
            auth_contexts: ["c1".to_owned()].into(),
        },
        Event::SignInFailed { cause: text(), detail: text(), client: ClientAddress::Unknown },
        Event::SessionEnded {
            actor: Actor::Gate,
            session: session(),
            subject: "22222222-2222-2222-2222-222222222222.33333333-3333-3333-3333-333333333333"
                .parse()
                .unwrap(),
            why: SessionEnd::SignedOut,
            detail: text(),
            ended_at: Timestamp::from_seconds(1),
        },
        Event::PrincipalChanged {
            actor: Actor::Gate,
            session: session(),
            before: text(),
            after: text(),
            added: Memberships::default(),
            removed: Memberships::default(),
        },
        Event::SteppedUp {
            actor: Actor::Gate,
            session: session(),
            asked: text(),
            auth_contexts: ["c1".to_owned()].into(),
            client: ClientAddress::Unknown,
        },
        Event::StepUpFailed {
            actor: Actor::Gate,
            session: session(),
            asked: text(),
            cause: text(),
            detail: text(),
            client: ClientAddress::Unknown,
        },
    ]
}

fn every_kind() -> Vec<Entry> {
    let session = || "s-1".parse().unwrap();
    let text = || "x".to_owned();
    let events = vec![
        Event::Started { version: "0.1.0", release: ReleaseNumber(1), log_key: String::new() },
        Event::Stopped,
        Event::ClockStep { by_ms: -3_600_000 },
        Event::RecheckUnavailable { session: session(), detail: text() },
        Event::Change {
            outbox: 1,
            actor: text(),
            action: text(),
            object: text(),
            before: Value::Null,
            after: Value::Null,
            at: Timestamp::from_seconds(1),
        },
        Event::UpstreamFailed { decision: text(), status: 502, cause: text() },
        Event::Abandoned { entry: text() },
        Event::LogOverflowed { count: 3 },
    ];
    let mut entries = vec![
        decision(Verdict::Allow),
        decision(Verdict::Deny),
        Entry::Refusal(Box::new(sample::refusal())),
    ];
    let events = events.into_iter().chain(of_sessions());
    entries.extend(events.map(|event| Entry::Event(Box::new(event))));
    entries
}

#[test]
fn no_entry_has_a_field_of_the_envelope() {
    for entry in every_kind() {
        let kind = entry.kind();
        let content = object(&serde_json::to_vec(&entry).unwrap());
        let whole = object(&row(&entry, 5).body);
        for name in HEAD {
            assert!(!content.contains_key(name), "{kind}: {name}");
            assert!(whole.contains_key(name), "{kind}: {name}");
        }
        for (name, value) in &content {
            assert_eq!(whole.get(name), Some(value), "{kind}: {name}");
        }
        assert_eq!(whole.len(), HEAD.len() + content.len(), "{kind}");
        assert_eq!(whole["kind"], kind);
    }
}

#[test]
fn the_envelope_says_who_wrote_it_where_and_when() {
    let row = row(&decision(Verdict::Allow), 42);
    let text = String::from_utf8(row.body.clone()).unwrap();
    let head = r#"{"v":1,"origin":"04106105","seq":42,"at":"2026-11-24T00:26:40.123456Z","boot":"abababababababab","salt":""#;
    let origin = OriginId::from_bytes([1, 2, 3, 4, 5]).to_string();
    assert!(text.starts_with(head), "{text}");
    let body = object(&row.body);
    assert_eq!(body["id"], format!("{origin}-42"));
    assert_eq!(body["salt"].as_str().unwrap().len(), 24);
    assert_eq!(body["verdict"], "allow");
    assert_eq!(
        body["principal"]["sha256"],
        PrincipalSnapshot::new(sample::principal()).hash().to_string()
    );
    assert_eq!(body["route"], "payroll/finance");
}

#[test]
fn the_leaf_hash_is_that_of_rfc_6962() {
    let row = row(&decision(Verdict::Deny), 0);
    let leaf = [&[0], row.body.as_slice()].concat();
    assert_eq!(row.leaf_hash, <[u8; 32]>::from(Sha256::digest(leaf)));
}

#[test]
fn the_same_place_gives_the_same_bytes_and_another_place_another_salt() {
    let entry = decision(Verdict::Allow);
    assert_eq!(row(&entry, 1).body, row(&entry, 1).body);
    assert_ne!(object(&row(&entry, 1).body)["salt"], object(&row(&entry, 2).body)["salt"]);
}

#[test]
fn the_copies_for_searching_equal_the_body() {
    let row = row(&decision(Verdict::Deny), 1);
    let body = object(&row.body);
    assert_eq!(row.kind, body["kind"]);
    assert_eq!(row.about.verdict, Some(Verdict::Deny));
    assert_eq!(row.about.app.unwrap().as_str(), body["app"]);
    assert_eq!(row.about.route.unwrap().as_str(), body["route"]);
    assert_eq!(row.about.subject.unwrap().to_string(), body["principal"]["id"]);
    assert_eq!(row.about.principal.unwrap().to_string(), body["principal"]["sha256"]);
}

/// Every name that a body can have: a new one must be weighed here before it reaches the log.
#[test]
fn no_field_can_hold_a_query_string_a_cookie_or_a_token() {
    for entry in every_kind() {
        for name in names(&Value::Object(object(&row(&entry, 0).body))) {
            for word in ["query", "cookie", "token", "authorization", "header", "referer", "secret"]
            {
                assert!(!name.contains(word), "{}: {name}", entry.kind());
            }
        }
    }
    let allow = object(&row(&decision(Verdict::Allow), 0).body);
    let mut expected: Vec<&str> = HEAD.to_vec();
    expected.extend("request door client method host path principal session app route".split(' '));
    expected.extend("action circumstances release verdict reason rules errors".split(' '));
    expected.push("duration_us");
    expected.sort_unstable();
    let mut found: Vec<&str> = allow.keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| std::iter::once(name.clone()).chain(names(value)))
            .collect(),
        Value::Array(values) => values.iter().flat_map(names).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn control_characters_of_a_visitor_are_escaped() {
    let mut record = sample::decision(Verdict::Deny);
    record.facts.path = "/a\r\n\u{1b}[31m\",\"verdict\":\"allow".to_owned();
    let row = row(&Entry::Decision(Box::new(record)), 0);
    assert!(row.body.iter().all(|byte| !byte.is_ascii_control()));
    assert_eq!(object(&row.body)["verdict"], "deny");
}

#[test]
fn decision_is_read_back_as_it_was_written() {
    let plain = sample::decision(Verdict::Allow);
    let mut full = sample::decision(Verdict::Deny);
    full.facts.unfolded = Some("/Finance/Report".to_owned());
    full.facts.client = ClientAddress::Unknown;
    full.console =
        Some(ConsoleFacts { roles: ["owner".to_owned()].into(), rules: "00".to_owned() });
    full.rules.push(RuleId::Console("x".to_owned()));
    full.rules.push(RuleId::Policy("p".parse().unwrap()));
    full.errors.push("policy:p: overflow".to_owned());
    let circumstances = &mut full.circumstances;
    circumstances.auth_contexts.insert("c1".to_owned());
    circumstances.signed_in_at = Some(Timestamp::from_micros(1));
    circumstances.params.insert("year".to_owned(), "2026".to_owned());
    let zone: Zone = "Europe/Prague".parse().unwrap();
    let local = zone.local(circumstances.now);
    circumstances.local.insert(zone, local);
    for record in [plain, full] {
        let row = row(&Entry::Decision(Box::new(record.clone())), 9);
        let read = Recorded::read(seal().id(9), &row.body).unwrap();
        assert_eq!(read.at, row.at);
        let principal = read_principal(read.principal, &record.principal.to_json()).unwrap();
        let read = read.with(principal).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&record).unwrap());
    }
}
