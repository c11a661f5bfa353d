//! Where a page that says what went wrong leads on to.

use axum::body::to_bytes;
use http::StatusCode;

use super::{Ground, House};
use crate::model::id::RequestId;
use crate::model::record::Refusal;
use crate::model::time::Timestamp;
use crate::web::fault::{Fault, Quote};
use crate::web::wants::Wants;

/// The page, and the addresses that it leads to besides the embedded files.
async fn page(fault: &Fault, ground: Ground) -> (String, Vec<String>) {
    let house = House {
        public: "https://gate.example".parse().unwrap(),
        contact: Some("the help desk, help@contoso.example".to_owned()),
    };
    let request: RequestId = "r-00000000-1".parse().unwrap();
    let quote = Quote::Request(request);
    let at = Timestamp::from_seconds(1_795_511_702);
    let answer = house.answer_at(fault, (ground, Wants::Page), (&quote, at));
    let body = to_bytes(answer.into_body(), 100_000).await.unwrap();
    let html = String::from_utf8(body.to_vec()).unwrap();
    let main = html.split("<main").nth(1).unwrap().to_owned();
    let links = main.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let links = links.filter(|link| !link.starts_with("/_gate/static/")).map(str::to_owned);
    (main.clone(), links.collect())
}

#[tokio::test]
async fn a_page_leads_on_as_far_as_it_is_known_whose_host_it_is() {
    let letter = "mailto:help@contoso.example?subject=Refused%2C%20request%20r-00000000-1";
    let semicolon = Fault::of(&Refusal::AmbiguousPath { rule: "semicolon" });
    let host = Fault::of(&Refusal::UnknownHost);
    for (fault, ground, ways) in [
        (&semicolon, Ground::App, vec!["/", "https://gate.example/", letter]),
        (&semicolon, Ground::Own, vec!["/", letter]),
        (&host, Ground::Unknown, vec![letter]),
    ] {
        let (page, links) = page(fault, ground).await;
        assert_eq!(links, ways, "{ground:?}");
        assert!(page.contains("the help desk"), "whom to ask");
        assert!(page.contains("r-00000000-1"), "what to quote");
    }
}

#[tokio::test]
async fn a_letter_about_what_failed_does_not_say_that_somebody_was_refused() {
    let fault = Fault {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "not_ready",
        title: "Not now",
        sentence: "Something failed.".to_owned(),
        advice: "Try again.",
    };
    for (fault, subject) in
        [(&fault, "Not%20now"), (&Fault::no_page(), "There%20is%20no%20such%20page")]
    {
        let (page, _) = page(fault, Ground::Own).await;
        let letter = format!("mailto:help@contoso.example?subject={subject}%2C%20request%20");
        assert!(page.contains(&letter), "{letter}: {page}");
    }
}

#[tokio::test]
async fn a_page_names_what_is_wrong_with_a_request() {
    for (refusal, words) in [
        (Refusal::AmbiguousPath { rule: "semicolon" }, "the path contains a “;”"),
        (Refusal::AmbiguousHost, "no host, more than one, or one with characters"),
        (Refusal::TooLong, "longer than the 4096 bytes"),
        (Refusal::BadHeaders { problem: "there must be exactly one Host" }, "exactly one Host"),
    ] {
        let (page, _) = page(&Fault::of(&refusal), Ground::App).await;
        assert!(page.contains(words), "{words}: {page}");
    }
}
