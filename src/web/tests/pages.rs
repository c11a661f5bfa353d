//! The pages of this module, from samples.

use crate::model::id::{DecisionId, OriginId};
use crate::model::time::Timestamp;
use crate::web::contact::Contact;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::Tone;
use crate::web::pages::{
    Action, DeniedPage, ErrorPage, NoticeFragment, OnwardPage, Reference, SignInFailedPage,
    SignOutPage, SignedOut, SignedOutPage,
};

use super::markup::{
    Text, assert_same_shape, check, check_fragment, frame, hostile, innocent, notice,
};

fn at() -> Moment {
    Moment::new(Timestamp::from_seconds(1_795_511_702))
}

fn link(text: &str) -> Link {
    Link::parse(text).unwrap()
}

fn contact(text: Text) -> Contact {
    Contact::new(&format!("it-help@contoso.example {}", text("")), &text("Access"))
}

fn denied(text: Text) -> DeniedPage {
    DeniedPage {
        frame: frame("No access", text),
        what: text("Finance reports"),
        limit: "",
        why: text("This page is open to the group Finance, and this account is not in it."),
        advice: None,
        missing: Some(text("membership of Finance")),
        tone: Tone::Careful,
        action: None,
        switch: Some(link("/_gate/login?switch=1")),
        home: Some(link("http://localhost:8080/")),
        address: text("app.localhost/finance/summary"),
        decision: DecisionId { origin: OriginId::from_bytes([7, 41, 190, 3, 88]), seq: 1842 },
        at: at(),
        contact: Some(contact(text)),
    }
}

#[test]
fn denied_page_explains_itself_a59() {
    check("denied", denied);
    check("denied_condition", |text| DeniedPage {
        what: text("Administration"),
        why: text("This page is open to the group IT-Admins, but only from the office network."),
        advice: Some(text("Connect to the office network or its VPN, then try again.")),
        action: Some(Action { link: link("/admin/users"), label: text("Try again") }),
        ..denied(text)
    });
}

#[test]
fn error_page_says_what_to_quote_a59() {
    check("error", |text| ErrorPage {
        frame: frame("The application does not answer", text),
        status: 502,
        sentence: text(
            "Your request was allowed, but the application behind the gate did not answer.",
        ),
        advice: Some(text("Try again in a minute. If it goes on, tell whoever runs it.")),
        action: Some(Action { link: link("/reports/2026"), label: text("Try again") }),
        home: Some(link("https://gate.example/")),
        reference: Reference { label: "Decision", id: text("0k3v9q2m-1842") },
        code: Some("upstream_failed"),
        at: at(),
        contact: Some(contact(text)),
    });
}

#[test]
fn sign_out_pages_a59() {
    check("sign_out", |text| SignOutPage {
        frame: frame("Sign out", text),
        action: link("/_gate/logout"),
        back: link("/"),
    });
    check("signed_out", |text| SignedOutPage {
        frame: frame("Signed out", text),
        reach: SignedOut::Ended(Some(link(
            "https://login.microsoftonline.com/common/oauth2/v2.0/logout",
        ))),
        again: link("/"),
        hint: "Stopped at Microsoft?",
    });
}

#[test]
fn onward_page_a59() {
    check("onward", |text| OnwardPage {
        frame: frame("On to sign in", text),
        link: link("https://login.microsoftonline.com/common/oauth2/v2.0/authorize?x=%22%3E"),
    });
}

#[test]
fn failed_sign_in_page_a59() {
    check("sign_in_failed", |text| SignInFailedPage {
        frame: frame("This account is not assigned to the application", text),
        eyebrow: "Sign-in did not finish",
        tone: Tone::Bad,
        mender: Some("Your help desk"),
        sentence: text(
            "Microsoft signed you in, but your organisation has not given this account access.",
        ),
        advice: Some(text(
            "Ask your help desk to assign the account, or sign in with another one.",
        )),
        again: Some(link("/_gate/login")),
        switch: Some(link("/_gate/login?switch=1")),
        reference: text("0k3v9q2m-17"),
        at: at(),
        contact: Some(contact(text)),
        code: Some(text("AADSTS50105")),
        correlation: Some(text("11111111-2222-3333-4444-555555555555")),
        hint: Some("Stopped at Microsoft?"),
    });
}

#[test]
fn notice_fragment_escapes_what_it_says_a59() {
    let fragment = |text: Text| NoticeFragment {
        notice: notice(text),
        reference: Some(Reference { label: "Request", id: text("r-1842") }),
    };
    check_fragment("notice", fragment);
}

#[test]
#[should_panic(expected = "unquoted value")]
fn markup_check_sees_a_text_that_is_not_escaped() {
    assert_same_shape("raw", &innocent("<p>x"), &hostile("<p>x"));
}
