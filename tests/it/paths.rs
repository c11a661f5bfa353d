//! One target, one reading: every spelling of a path is refused, or decided, recorded and forwarded as the same text.

use serde_json::Value;

use crate::harness::World;
use crate::harness::recorder::{HOST, Recorder};
use crate::harness::wire::Message;

const TABLE: &str = include_str!("../data/path_confusion.txt");

/// Rows that hyper's parser answers itself, with a bare 400 and no record: NUL, space, nothing, and no slash.
const REFUSED_BY_PARSER: &[&str] = &["A04f6", "A04f7", "A04m3", "A04m4"];
/// A target without a slash is an authority to the parser, and not the one that `Host` names.
const READ_AS_AUTHORITY: &str = "A04m";
/// `#` and what follows never reaches our code: the parser drops it (`http::Uri`, like every reader of URLs). What
/// remains is all that anybody sees, so it is decided, recorded and forwarded alike.
const CUT_AT_FRAGMENT: &[(&str, &str)] = &[("A04j2", "/public"), ("A04j3", "/public?q")];

fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    bytes
}

async fn get(world: &World, target: &[u8]) -> Message {
    let mut wire = world.wire().await;
    let rest = format!(" HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    wire.send([b"GET ", target, rest.as_bytes()].concat()).await;
    wire.message().await.expect("an answer")
}

/// The newest decision or refusal about the raw app, and nothing but it.
async fn newest(world: &World, known: &mut usize) -> Option<Value> {
    let records = world.decisions().await;
    let new = records.len() - *known;
    *known = records.len();
    assert!(new <= 1, "one record for one request: {records:?}");
    (new == 1).then(|| records[0].clone())
}

fn forwarded(upstream: &Recorder) -> Vec<String> {
    upstream.take().iter().map(|request| request.head.line().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_table_is_refused_or_means_one_thing() {
    let (world, upstream) = World::with_recorder().await;
    let mut known = 0;
    for row in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = row.splitn(4, " | ");
        let mut column = || columns.next().unwrap();
        let (id, target, expected) = (column(), bytes(column()), column());
        let answer = get(&world, &target).await;
        let record = newest(&world, &mut known).await;
        let requests = forwarded(&upstream);
        let cut = CUT_AT_FRAGMENT.iter().find(|(row, _)| *row == id);
        match (cut, expected.strip_prefix('!')) {
            (Some((_, kept)), _) => passed(id, kept, (&answer, &record, &requests)),
            (None, Some(rule)) => refused(id, rule, (&answer, &record, &requests)),
            (None, None) => {
                let query = target.iter().position(|byte| *byte == b'?');
                let query = query.map_or("", |at| std::str::from_utf8(&target[at..]).unwrap());
                passed(id, &format!("{expected}{query}"), (&answer, &record, &requests));
            }
        }
    }
    world.stop().await;
}

type Outcome<'a> = (&'a Message, &'a Option<Value>, &'a [String]);

fn refused(id: &str, rule: &str, (answer, record, requests): Outcome<'_>) {
    assert_eq!((answer.head.status(), requests), (400, &[][..]), "{id}");
    if REFUSED_BY_PARSER.contains(&id) {
        assert_eq!((answer.text(), record), (String::new(), &None), "{id}");
        return;
    }
    let record = record.as_ref().unwrap_or_else(|| panic!("{id}: no record"));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&record["kind"], &record["id"]), (&"refusal".into(), &body["decision_id"]), "{id}");
    assert_eq!(body["error"], record["refusal"], "{id}");
    if id == READ_AS_AUTHORITY {
        assert_eq!(record["refusal"], "ambiguous_host", "{id}");
    } else {
        assert_eq!(
            (&record["refusal"], &record["rule"]),
            (&"ambiguous_path".into(), &rule.into()),
            "{id}"
        );
    }
}

fn passed(id: &str, meant: &str, (answer, record, requests): Outcome<'_>) {
    let record = record.as_ref().unwrap_or_else(|| panic!("{id}: no record"));
    let path = meant.split('?').next().unwrap();
    assert_eq!((answer.head.status(), answer.text().as_str()), (200, "seen"), "{id}");
    assert_eq!((&record["verdict"], &record["path"]), (&"allow".into(), &path.into()), "{id}");
    assert_eq!(requests, [format!("GET {meant} HTTP/1.1")], "{id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_target_is_on_record_without_its_query() {
    let (world, upstream) = World::with_recorder().await;
    let page = get(&world, b"/a/../b?token=hush").await;
    assert_eq!(page.head.status(), 400);
    let long = format!("/{}?token=hush", "a".repeat(4096));
    assert_eq!(get(&world, long.as_bytes()).await.head.status(), 414);
    let records = world.decisions().await;
    let shown: Vec<&str> = records.iter().map(|record| record["path"].as_str().unwrap()).collect();
    let cut = format!("/{}", "a".repeat(199));
    assert_eq!(shown, [cut.as_str(), "/a/../b"]);
    assert!(upstream.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_path_is_never_opened_by_its_spelling() {
    let (world, upstream) = World::with_recorder().await;
    let mut known = 0;
    for spelling in
        ["/protected/x", "/%70rotected/x", "/protecte%64/%78?public", "/protected/x#/public"]
    {
        let answer = get(&world, spelling.as_bytes()).await;
        let record = newest(&world, &mut known).await.unwrap();
        assert_eq!(answer.head.status(), 401, "{spelling}");
        assert_eq!(
            (&record["path"], &record["route"]),
            (&"/protected/x".into(), &"raw/protected".into())
        );
    }
    assert!(upstream.take().is_empty());
}
