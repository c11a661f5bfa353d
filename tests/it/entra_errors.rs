//! Every error of Entra that a sign-in can meet, produced by the simulator: each comes to a page that says who can mend it.

use std::collections::BTreeSet;
use std::time::Duration;

use cedargate::model::time::Clock;
use cedargate::sim::aadsts::{Aadsts, TABLE};
use cedargate::sim::{AuthorizeFault, TokenFault};

use crate::harness::{Answer, World, navigation};

/// The person declined: no failure.
const DECLINED: u32 = 65_004;

/// What no sign-in of ours can bring about: device flows, apps that ask for themselves, instances, and signing out at
/// Entra.
const NEVER_ASKED_FOR: [u32; 11] =
    [50_049, 50_068, 50_070, 50_071, 70_016, 70_018, 70_019, 90_119, 90_120, 501_051, 1_002_012];

const OTHERS: &str = "Microsoft refused this sign-in";

fn rows() -> impl Iterator<Item = &'static Aadsts> {
    TABLE.iter().filter(|row| !NEVER_ASKED_FOR.contains(&row.number))
}

/// Floods are none of this test's business.
async fn still() -> World {
    World::start_at(Clock::fixed(Clock::System.now()), |_| {}).await
}

/// Signs in with a new browser at an authorize endpoint that refuses whatever it is asked, and gives the page where that
/// ends. It is asked twice at most.
async fn refused_at_authorize(world: &World, number: u32) -> Answer {
    world.clock.advance(Duration::from_secs(20));
    let mut browser = world.browser();
    let mut answer = browser.step(&world.app("/me")).await;
    let mut asked = 0;
    while (300..400).contains(&answer.status) {
        let next = answer.location();
        if next.path().ends_with("/authorize") {
            asked += 1;
            assert!(asked <= 2, "AADSTS{number}: Entra was asked a third time");
            world.sim.fail_next_authorize(AuthorizeFault::SentBack(number));
        }
        answer = browser.step(next.as_str()).await;
    }
    answer
}

/// The same with a token endpoint that refuses the code. The fault is ordered just before the code is redeemed, since the
/// gate asks that endpoint for itself as well.
async fn refused_at_token(world: &World, number: u32) -> Answer {
    world.clock.advance(Duration::from_secs(20));
    let mut browser = world.browser();
    let mut answer = browser.step(&world.app("/me")).await;
    for _ in 0..20 {
        if (300..400).contains(&answer.status) {
            let next = answer.location();
            if next.path() == "/_gate/callback" {
                world.sim.fail_next_token(TokenFault::Aadsts(number));
            }
            answer = browser.step(next.as_str()).await;
        } else if answer.url.path().ends_with("/authorize") {
            let given: &[_] = if answer.text().contains("name=\"factor\"") {
                &[("person", "uma"), ("factor", "given")]
            } else {
                &[("person", "uma")]
            };
            answer = browser.send(navigation("POST", answer.url.as_str()).form(given)).await;
        } else {
            return answer;
        }
    }
    panic!("AADSTS{number}: still under way at {}", answer.url)
}

/// Entra mostly answers 429 or 5xx then, and whatever else such an answer says is not believed.
fn is_in_trouble(row: &Aadsts) -> bool {
    matches!(row.at_token, "temporarily_unavailable" | "server_error")
}

/// The page says what it should and nothing that Entra said.
fn assert_says(row: &Aadsts, page: &Answer) {
    let (text, number) = (page.text(), row.number);
    assert_eq!(page.url.path(), "/_gate/callback", "AADSTS{number}: {text}");
    page.assert_page();
    let code = format!("<code class=\"copy\">AADSTS{number}</code>");
    assert!(text.contains(&code), "{code} in {text}");
    let declined = number == DECLINED;
    assert_eq!(text.contains("Who can mend it"), !declined, "AADSTS{number}: {text}");
    assert_eq!(page.status == 200, declined, "AADSTS{number}: {}", page.status);
    assert!(!text.contains(OTHERS), "AADSTS{number} has a row");
    let foreign: String = row.text.chars().take(40).collect();
    assert!(!text.contains(&foreign), "Entra's own words for AADSTS{number} in {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_at_the_redirect_has_its_page() {
    let world = still().await;
    for row in rows() {
        assert_says(row, &refused_at_authorize(&world, row.number).await);
    }
    let numbers: BTreeSet<_> = rows().map(|row| format!("AADSTS{}", row.number)).collect();
    let events = world.events("sign_in_failed").await;
    let details = events.iter().map(|event| event["detail"].as_str().unwrap());
    let recorded: BTreeSet<String> = details
        .filter_map(|detail| detail.split('`').find(|part| part.starts_with("AADSTS")))
        .map(str::to_owned)
        .collect();
    assert_eq!(recorded, numbers, "each is on record by its code");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_of_the_token_endpoint_has_its_page() {
    let world = still().await;
    for row in rows() {
        let page = refused_at_token(&world, row.number).await;
        if is_in_trouble(row) && !page.text().contains("AADSTS") {
            assert_eq!(page.status, 503, "AADSTS{}: {}", row.number, page.text());
            assert!(page.text().contains("passes by itself"), "{}", page.text());
        } else {
            assert_says(row, &page);
            assert!(page.text().contains("Correlation id"), "{}", page.text());
        }
    }
}
