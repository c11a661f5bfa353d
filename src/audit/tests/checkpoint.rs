//! Notes: what other programs of the C2SP family read, and what vouches for nothing.

use super::super::checkpoint::{Checkpoint, NoteError, parse_verifier_key, verifier_key};
use crate::keys::LogKey;
use crate::model::id::OriginId;

fn key(seed: u8) -> LogKey {
    LogKey::from_seed(&[seed; 32])
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: OriginId::from_bytes([1, 2, 3, 4, 5]), size: 1_182, root: [9; 32] }
}

#[test]
fn note_and_key_look_as_other_programs_expect() {
    let origin = checkpoint().origin;
    insta::assert_snapshot!(
        format!("{}\n{}", verifier_key(origin, &key(7).public()), checkpoint().note(&[&key(7)])),
        @"
    cedargate/audit/04106105+357c5d28+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs
    cedargate/audit/04106105
    1182
    CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=

    — cedargate/audit/04106105 NXxdKEby+hD0Lnq3GsP/Nym+7cTZNnRG3IqpRikcpWGk2z36sYJzK0cdMa+HKHfm3zhsJ8POjbuqIqKOr5HWoqh89w8=
    "
    );
}

#[test]
fn note_opens_with_its_key_and_with_no_other() {
    let note = checkpoint().note(&[&key(1), &key(2)]);
    for seed in [1, 2] {
        assert_eq!(Checkpoint::open(&note, &key(seed).public()), Ok(checkpoint()));
    }
    assert!(matches!(Checkpoint::open(&note, &key(3).public()), Err(NoteError::Unsigned(_))));
    assert_eq!(Checkpoint::unverified(&note), Ok(checkpoint()));
}

#[test]
fn every_changed_byte_of_a_note_is_noticed() {
    let note = checkpoint().note(&[&key(1)]).into_bytes();
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut changed = note.clone();
            changed[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            let opened = Checkpoint::open(&changed, &key(1).public());
            // A line end after the signature says nothing and is not signed.
            assert!(opened.is_err() || at == note.len() - 1, "byte {at} bit {bit}: {opened:?}");
        }
    }
}

#[test]
fn what_is_no_checkpoint_is_refused_by_name() {
    let root = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    let table = [
        ("", "no empty line"),
        ("sum.golang.org\n5\n\n", "names no log"),
        ("cedargate/audit/0410c205\n05\nx\n\n", "size"),
        ("cedargate/audit/0410c205\n+5\nx\n\n", "size"),
        ("cedargate/audit/0410c205\n5\nx\n\n", "root"),
        ("cedargate/audit/0410c205\n5\n\n", "no root"),
    ];
    for (note, why) in table {
        let error = Checkpoint::unverified(note).unwrap_err().to_string();
        assert!(error.contains(why), "{note:?}: {error}");
    }
    let more = format!("cedargate/audit/0410c205\n5\n{root}\nextra\n\n");
    assert!(Checkpoint::unverified(&more).unwrap_err().to_string().contains("never writes"));
}

#[test]
fn verifier_key_comes_back_and_no_changed_one_does() {
    let origin = checkpoint().origin;
    let text = verifier_key(origin, &key(1).public());
    assert_eq!(parse_verifier_key(&text), Some((origin, key(1).public())));
    for (from, to) in [("cedargate", "cedargame"), ("+", "-"), ("audit/0", "audit/1")] {
        assert_eq!(parse_verifier_key(&text.replacen(from, to, 1)), None, "{from}");
    }
    let mut cut = text;
    cut.pop();
    assert_eq!(parse_verifier_key(&cut), None);
}
