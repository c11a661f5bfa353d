//! Each byte of a record counts.

use super::super::envelope::{Envelope, Seal};
use super::super::merkle::Peaks;
use super::super::verify::{Check, Extent, Item, Stored, Trust};
use super::{event, sample};
use crate::keys::LogKey;
use crate::model::body::whole;
use crate::model::id::OriginId;
use crate::model::principal::PrincipalSnapshot;
use crate::model::record::{Entry, Verdict};
use crate::model::time::Timestamp;
use crate::store::audit::Asked;

const RECORDS: u64 = 1_000;

/// The record that goes to this place, as it was hashed, and what the file keeps beside it.
fn record(seal: &Seal, seq: u64) -> (Vec<u8>, Stored) {
    let entry = match seq % 4 {
        0 => Entry::Decision(Box::new(sample::decision(Verdict::Allow))),
        1 => Entry::Decision(Box::new(sample::decision(Verdict::Deny))),
        2 => Entry::Refusal(Box::new(sample::refusal())),
        _ => event("x"),
    };
    let at = Timestamp::from_seconds(1_795_480_000 + i64::try_from(seq).unwrap());
    let row = seal.row(seq, at, Envelope::of(&entry).unwrap());
    let principal = row.principal.as_deref();
    let asked = principal.map_or(Asked::Nobody, |who| Asked::Principal(who.hash()));
    let body = match principal.map(PrincipalSnapshot::reference) {
        Some(reference) => whole(row.body, reference),
        None => row.body,
    };
    (body, Stored { leaf_hash: row.leaf_hash, asked })
}

#[test]
fn every_changed_byte_of_every_record_is_found() {
    let origin = OriginId::from_bytes([3; 5]);
    let seal = Seal::new(origin, [5; 32]);
    let key = LogKey::from_seed(&[7; 32]).public();
    let (mut before, mut changes) = (Peaks::default(), 0_u64);
    for seq in 0..RECORDS {
        let (mut body, stored) = record(&seal, seq);
        let check = |body: &[u8]| {
            let mut check = Check::new(Extent::Whole, Trust::default()).unwrap();
            check.begin(origin, before.clone(), Some(key)).unwrap();
            check.take(Item::Record { seq: Some(seq), body, stored: Some(stored) })
        };
        check(&body).unwrap();
        for at in 0..body.len() {
            let bit = 1 << ((at as u64 + seq) % 8);
            body[at] ^= bit;
            let found = check(&body).expect_err("a change that is found");
            assert_eq!((found.first, found.last), (seq, seq), "byte {at}: {found}");
            body[at] ^= bit;
            changes += 1;
        }
        before.push(stored.leaf_hash);
    }
    assert!(changes > 300_000, "{changes}");
}
