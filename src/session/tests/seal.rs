//! Tokens at rest.

use crate::keys::{SealError, TokenKey};

#[test]
fn sealed_text_opens_under_its_key_and_place_only() {
    let key = TokenKey::new(&[1; 32]);
    let sealed = key.seal(b"refresh", b"s-1").unwrap();
    assert_eq!(key.open(&sealed, b"s-1").unwrap(), b"refresh");
    assert_eq!(key.open(&sealed, b"s-2"), Err(SealError::NotOurs));
    assert_eq!(TokenKey::new(&[2; 32]).open(&sealed, b"s-1"), Err(SealError::NotOurs));
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert_eq!(key.open(&altered, b"s-1"), Err(SealError::NotOurs), "byte {at}");
        assert_eq!(key.open(&sealed[..at], b"s-1"), Err(SealError::NotOurs), "cut to {at}");
    }
}

#[test]
fn equal_texts_are_sealed_differently() {
    let key = TokenKey::new(&[1; 32]);
    assert_ne!(key.seal(b"refresh", b"s-1").unwrap(), key.seal(b"refresh", b"s-1").unwrap());
    assert_eq!(format!("{key:?}"), "TokenKey(..)");
}
