//! Bytes from strangers where a token should be: whatever is done to one, it is refused in good order, and nothing of it
//! is taken for true.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::op::{Op, header, sign};
use crate::idp::{Idp, access_token, id_token};

/// What a stranger can do to a token.
#[derive(Debug, Clone)]
enum Change {
    /// One byte becomes another.
    Byte(usize, u8),
    /// It ends early.
    Cut(usize),
    /// Something is put in.
    Insert(usize, String),
    /// A decoded part is changed, then encoded again.
    Inside(usize, usize, u8),
    /// It is something else altogether.
    Other(String),
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), r#"[.=A-Za-z0-9_\-{}":, ]{1,12}"#)
            .prop_map(|(at, t)| Change::Insert(at, t)),
        (0..3_usize, any::<usize>(), any::<u8>()).prop_map(|(p, at, b)| Change::Inside(p, at, b)),
        r"(\PC|[.]){0,200}".prop_map(Change::Other),
    ]
}

/// The changed token; none when nothing of its meaning changed.
fn apply(good: &str, change: &Change) -> Option<String> {
    let mut bytes = good.as_bytes().to_vec();
    let place = |at: &usize| at % good.len();
    match change {
        Change::Byte(at, byte) => bytes[place(at)] = *byte,
        Change::Cut(at) => bytes.truncate(place(at)),
        Change::Insert(at, text) => {
            let at = place(at);
            drop(bytes.splice(at..at, text.bytes()));
        }
        Change::Inside(part, at, byte) => {
            let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
            let mut inner = URL_SAFE_NO_PAD.decode(&parts[*part]).unwrap();
            let at = at % inner.len();
            inner[at] = *byte;
            parts[*part] = URL_SAFE_NO_PAD.encode(inner);
            bytes = parts.join(".").into_bytes();
        }
        Change::Other(text) => bytes = text.clone().into_bytes(),
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text != good).then_some(text)
}

#[test]
fn a_changed_token_is_never_accepted_and_never_ends_the_process() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (good, idp): (String, Idp) = runtime.block_on(async {
        let op = Op::start().await;
        let idp = op.idp();
        let good = sign(&header(), &op.service_claims().to_string(), 0);
        idp.bearer(&good.clone().into()).await.unwrap();
        (good, idp)
    });
    // Keys are at hand and none is fetched for made-up names, for the provider runs on the same thread.
    let cases = Config { cases: 2048, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        cases,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let outcome = runner.run(&changes(), |change| {
        let Some(raw) = apply(&good, &change) else { return Ok(()) };
        let raw = raw.into();
        let _read = (id_token::read(&raw).is_ok(), access_token::read(&raw).is_ok());
        let accepted = runtime.block_on(idp.bearer(&raw)).is_ok();
        prop_assert!(!accepted, "{change:?}");
        Ok(())
    });
    outcome.unwrap();
}
