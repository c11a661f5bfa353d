//! The bytes of a record.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::super::envelope::{Envelope, Seal};
use super::sample;
use crate::model::body::{Head, kept, release, subject_of_event, whole};
use crate::model::civil::Zone;
use crate::model::id::{OriginId, ReleaseNumber};
use crate::model::principal::PrincipalSnapshot;
use crate::model::record::{
    Actor, ClientAddress, ConsoleFacts, Entry, Event, Memberships, RuleId, SessionEnd, Verdict,
};
use crate::model::recorded::{Recorded, read_principal};
use crate::model::time::Timestamp;
use crate::store::audit::Row;

const HEAD: [&str; 5] = ["v", "id", "at", "kind", "salt"];

fn seal() -> Seal {
    Seal::new(OriginId::from_bytes([1, 2, 3, 4, 5]), [7; 32])
}

fn row(entry: &Entry, seq: u64) -> Row {
    let at = Timestamp::from_micros(1_795_480_000_123_456);
    seal().row(seq, at, Envelope::of(entry).unwrap())
}

/// The bytes that were hashed.
fn hashed(row: &Row) -> Vec<u8> {
    let reference = row.principal.as_deref().map(PrincipalSnapshot::reference);
    reference.map_or_else(|| row.body.clone(), |reference| whole(row.body.clone(), reference))
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
        Event::Started {
            version: "0.1.0",
            release: ReleaseNumber(1),
            release_sha256: Some("0".repeat(64)),
            log_key: String::new(),
        },
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
        Event::ErasureRefused { asked_by: text(), reason: text() },
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
        let whole = object(&hashed(&row(&entry, 5)));
        for name in HEAD {
            assert!(!content.contains_key(name), "{kind}: {name}");
            assert!(whole.contains_key(name), "{kind}: {name}");
        }
        for (name, value) in &content {
            assert_eq!(whole.get(name), Some(value), "{kind}: {name}");
        }
        let asked = usize::from(kind == "decision");
        assert_eq!(whole.len(), HEAD.len() + content.len() + asked, "{kind}");
        assert_eq!(whole["kind"], kind);
    }
}

#[test]
fn the_envelope_says_who_wrote_it_where_and_when() {
    let row = row(&decision(Verdict::Allow), 42);
    let text = String::from_utf8(hashed(&row)).unwrap();
    let head = r#"{"v":1,"id":"04106105-42","at":"2026-11-24T00:26:40.123456Z","kind":"decision","salt":""#;
    assert!(text.starts_with(head), "{text}");
    let head = Head::read(text.as_bytes()).unwrap();
    assert_eq!((head.id, head.at(), head.kind), (seal().id(42), Some(row.at), "decision"));
    let body = object(text.as_bytes());
    assert_eq!(body["salt"].as_str().unwrap().len(), 22);
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
    let leaf = [&[0], hashed(&row).as_slice()].concat();
    assert_eq!(row.leaf_hash, <[u8; 32]>::from(Sha256::digest(leaf)));
}

#[test]
fn the_same_place_gives_the_same_bytes_and_another_place_another_salt() {
    let entry = decision(Verdict::Allow);
    assert_eq!(row(&entry, 1).body, row(&entry, 1).body);
    assert_ne!(object(&row(&entry, 1).body)["salt"], object(&row(&entry, 2).body)["salt"]);
}

#[test]
fn what_is_kept_and_who_asked_give_the_bytes_that_were_hashed_and_no_others() {
    let row = row(&decision(Verdict::Deny), 1);
    let reference = row.principal.as_deref().unwrap().reference();
    assert!(!String::from_utf8(row.body.clone()).unwrap().contains("principal"));
    let body = object(&hashed(&row));
    assert_eq!(body["principal"], serde_json::from_str::<Value>(reference).unwrap());
    assert_eq!(kept(hashed(&row), reference), row.body);
    for at in 0..row.body.len() {
        let mut changed = row.body.clone();
        changed[at] ^= 1;
        assert_ne!(whole(changed, reference), hashed(&row), "byte {at}");
    }
    let cut_off = row.body[..row.body.len() - 1].to_vec();
    assert_ne!(whole(cut_off, reference), hashed(&row));
}

#[test]
fn body_says_whom_an_event_is_about_as_the_event_does() {
    for entry in every_kind() {
        let body = row(&entry, 0).body;
        match entry {
            Entry::Event(event) => {
                assert_eq!(subject_of_event(&body).as_ref(), event.subject(), "{event:?}");
            }
            Entry::Decision(_) | Entry::Refusal(_) => assert_eq!(subject_of_event(&body), None),
        }
    }
}

/// Whatever visitors and policies call things: the release is the number that decided.
#[test]
fn body_says_which_release_decided_and_takes_no_name_for_it() {
    let Entry::Decision(mut record) = decision(Verdict::Deny) else { unreachable!() };
    let trap = "\",\"release\":7,\"".to_owned();
    record.release = ReleaseNumber(31);
    record.facts.path = format!("/a,{trap}");
    record.circumstances.params.insert("a".to_owned(), trap.clone());
    record.circumstances.params.insert("release".to_owned(), "8".to_owned());
    record.errors = vec![trap];
    let body = hashed(&row(&Entry::Decision(record), 3));
    assert_eq!(object(&body)["release"], 31);
    assert_eq!(release(&body), Some(ReleaseNumber(31)));
    for entry in every_kind() {
        let body = hashed(&row(&entry, 0));
        let said = object(&body).get("release").and_then(Value::as_i64).map(ReleaseNumber);
        assert_eq!(release(&body), said, "{}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn what_begins_otherwise_has_no_head() {
    let text = String::from_utf8(row(&decision(Verdict::Deny), 1).body).unwrap();
    assert!(Head::read(text.as_bytes()).is_some());
    for (from, to) in [
        ("{\"v\":1,", "{\"v\":2,"),
        ("{\"v\":1,", "{ \"v\":1,"),
        ("04106105-1", "04106105-01"),
        ("\"kind\"", "\"kinds\""),
        (",\"salt\"", ", \"salt\""),
    ] {
        assert_eq!(Head::read(text.replacen(from, to, 1).as_bytes()), None, "{from}");
    }
    assert_eq!(Head::read(&text.as_bytes()[..60]), None);
}

/// Every name that a body can have: a new one must be weighed here before it reaches the log.
#[test]
fn no_field_can_hold_a_query_string_a_cookie_or_a_token() {
    for entry in every_kind() {
        for name in names(&Value::Object(object(&hashed(&row(&entry, 0))))) {
            for word in ["query", "cookie", "token", "authorization", "header", "referer", "secret"]
            {
                assert!(!name.contains(word), "{}: {name}", entry.kind());
            }
        }
    }
    let allow = object(&hashed(&row(&decision(Verdict::Allow), 0)));
    let mut expected: Vec<&str> = HEAD.to_vec();
    expected.extend("request door client method host path principal session route".split(' '));
    expected.extend("circumstances release verdict reason rules".split(' '));
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
    full.app = Some("wiki".parse().unwrap());
    full.action = "edit_draft".to_owned();
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
        let read = Recorded::read(seal().id(9), &hashed(&row)).unwrap();
        assert_eq!(read.at, row.at);
        let principal = read_principal(read.principal, &record.principal.to_json()).unwrap();
        let read = read.with(principal).unwrap();
        assert_eq!(read.principal, record.principal);
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&record).unwrap());
    }
}
