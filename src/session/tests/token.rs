//! One session, one spelling of its token.

use super::*;

#[test]
fn token_is_read_back_from_its_own_text() {
    let token = Token::generate().unwrap();
    let read = Token::parse(token.expose()).unwrap();
    assert_eq!(read.hash(), token.hash());
    assert_eq!(token.expose().len(), 43);
    assert_ne!(Token::generate().unwrap().hash(), token.hash());
}

#[test]
fn a44_texts_that_no_token_has_are_refused() {
    let good = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let check = |text: &str, accepted: bool| {
        assert_eq!(Token::parse(text).is_some(), accepted, "`{text}`");
    };
    check(good, true);
    check("", false);
    check(&good[..42], false);
    check(&format!("{good}A"), false);
    check(&format!("{good}="), false);
    check(&format!("{}=", &good[..42]), false);
    check(&format!(" {good}"), false);
    check(&format!("{good}\n"), false);
    check(&format!("{} ", &good[..42]), false);
    check(&format!("\"{good}\""), false);
    check(&format!("{}+", &good[..42]), false);
    check(&format!("+{}", &good[..42]), false);
    check(&format!("/{}", &good[..42]), false);
    check(&format!("-{}", &good[..42]), true);
    check(&format!("_{}", &good[..42]), true);
    // The last character carries four bits; its lowest two must be zero.
    for last in ["B", "C", "D", "F", "_"] {
        check(&format!("{}{last}", &good[..42]), false);
    }
    for last in ["E", "I", "8"] {
        check(&format!("{}{last}", &good[..42]), true);
    }
    check(&format!("{}é", &good[..41]), false);
}

#[test]
fn token_does_not_print() {
    let token = Token::generate().unwrap();
    assert_eq!(format!("{token:?}"), "Token(..)");
}
