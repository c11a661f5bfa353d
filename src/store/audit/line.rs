//! A record as lists show it, from the columns that the file keeps of it.

use crate::model::body::{Head, Remains, asked, whole};
use crate::model::id::DecisionId;
use crate::model::principal::PrincipalHash;
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;

/// What the file keeps of a record.
#[derive(Debug)]
pub(super) struct Kept {
    /// None after an erasure.
    pub(super) body: Option<Vec<u8>>,
    /// What an erasure left.
    pub(super) remains: Option<String>,
    /// How records name who asked.
    pub(super) reference: Option<String>,
    /// The content of who asked.
    pub(super) content: Option<String>,
}

impl Kept {
    /// The record at this place. One that can't be read is shown all the same, under a kind that says so.
    pub(super) fn line(self, id: DecisionId) -> RecordLine {
        let body = match (self.body, self.reference) {
            (Some(body), Some(reference)) => whole(body, &reference),
            (body, _) => body.unwrap_or_default(),
        };
        let principal = asked(&body).and_then(|asked| of(asked, self.content?));
        let head = Head::read(&body).map(|head| (head.at(), head.kind.to_owned()));
        let remains = || serde_json::from_str(self.remains.as_deref()?).ok();
        let remains = || remains().map(|remains: Remains| (remains.at(), remains.kind));
        let (at, kind) = head.or_else(remains).unwrap_or((None, "unreadable".to_owned()));
        RecordLine {
            id,
            at: at.unwrap_or(Timestamp::from_micros(0)),
            kind,
            // What is no UTF-8 was not written by this program.
            body: String::from_utf8(body)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            principal,
        }
    }
}

/// The content of a principal, if it is what the record names: nobody else is shown in their place.
pub(super) fn of(asked: PrincipalHash, content: String) -> Option<String> {
    (PrincipalHash::of(content.as_bytes()) == asked).then_some(content)
}
