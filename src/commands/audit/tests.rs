//! What `audit verify` prints of a log.

use super::verify::one_log;
use crate::audit::verify::OriginReport;
use crate::model::id::OriginId;

fn report(number: u64) -> OriginReport {
    OriginReport {
        origin: OriginId::from_bytes([0; 5]),
        first: 0,
        records: number,
        read: number,
        blanked: 0,
        checkpoints: number,
        crashes: number,
        from: None,
        to: None,
        restored: None,
        key: "key".to_owned(),
        root: String::new(),
    }
}

#[test]
fn one_of_something_is_not_told_as_many() {
    for (number, said) in [
        (1, ": 1 record, 1 read; 1 checkpoint holds; 1 start after a crash\n"),
        (2, ": 2 records, 2 read; 2 checkpoints hold; 2 starts after a crash\n"),
    ] {
        let told = one_log(&report(number));
        assert!(told.contains(said), "{told}");
    }
}
