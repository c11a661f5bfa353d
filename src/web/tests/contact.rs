//! Letters to whoever can help.

use crate::web::contact::Contact;

#[test]
fn letter_goes_to_the_address_among_the_words_and_nowhere_else_a59() {
    let check = |words: &str, expected: Option<&str>| {
        let contact = Contact::new(words, "Access & <b>");
        let letter = contact.letter.map(|letter| letter.to_string());
        let whole = expected.map(|to| format!("mailto:{to}?subject=Access%20%26%20%3Cb%3E"));
        assert_eq!((contact.words.as_str(), letter), (words, whole), "{words}");
    };
    check("Service desk, help@contoso.com", Some("help@contoso.com"));
    check("Finance desk <finance@contoso.example>.", Some("finance@contoso.example"));
    check("(a.b+c_d-e@x-y.example) or b@contoso.com", Some("a.b+c_d-e@x-y.example"));
    for words in ["ext. 42", "@contoso.com", "help@", "help@localhost", "a@b@c.example", ""] {
        check(words, None);
    }
    for words in ["x\"onclick=1@c.example", "a@c.example?cc=b", "a@c.example&b", "a%0A@c.example"] {
        check(words, None);
    }
}
