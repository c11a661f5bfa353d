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
    let (good, short) = ("A".repeat(43), "A".repeat(42));
    let check = |text: &str, accepted: bool| {
        assert_eq!(Token::parse(text).is_some(), accepted, "`{text}`");
    };
    check(&good, true);
    check("", false);
    check(&short, false);
    check(&format!("{good}A"), false);
    check(&format!("{good}="), false);
    check(&format!("{short}="), false);
    check(&format!(" {good}"), false);
    check(&format!("{good}\n"), false);
    check(&format!("{short} "), false);
    check(&format!("\"{good}\""), false);
    check(&format!("{short}+"), false);
    check(&format!("+{short}"), false);
    check(&format!("/{short}"), false);
    check(&format!("-{short}"), true);
    check(&format!("_{short}"), true);
    // The last character carries four bits; its lowest two must be zero.
    for last in ["B", "C", "D", "F", "_"] {
        check(&format!("{short}{last}"), false);
    }
    for last in ["E", "I", "8"] {
        check(&format!("{short}{last}"), true);
    }
    check(&format!("{}é", "A".repeat(41)), false);
}

#[test]
fn token_does_not_print() {
    let token = Token::generate().unwrap();
    assert_eq!(format!("{token:?}"), "Token(..)");
}
