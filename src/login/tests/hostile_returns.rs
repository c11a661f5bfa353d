//! A01: whatever is asked for, nobody is sent to another origin.

use super::super::return_path::ReturnPath;
use super::*;

/// Spellings that some reader takes for another host, or that our own parser would mistake.
const HOSTILE: [&str; 52] = [
    "//evil.com",
    "///evil.com",
    "////evil.com",
    "/\\evil.com",
    "\\\\evil.com",
    "\\/evil.com",
    "/\\/evil.com",
    "/\t/evil.com",
    "/\n/evil.com",
    "/\r\n/evil.com",
    " //evil.com",
    "\u{1}//evil.com",
    "/\0/evil.com",
    "https:///evil.com",
    "http:evil.com",
    "https:evil.com",
    "https:/evil.com",
    "https://evil.com",
    "HTTPS://evil.com/",
    "evil.com",
    "//google\u{3002}com",
    "/..//evil.com",
    "/./\\evil.com",
    "/a/..//evil.com",
    "/./evil",
    "/a/../b",
    "http://app.localhost:8080@evil.com",
    "//evil.com@app.localhost:8080",
    "http://app.localhost:8080\\@evil.com",
    "http://app.localhost:8080.evil.com/",
    "http://app.localhost:8081/",
    "https://app.localhost:8080/x",
    "http://\u{ff41}pp.localhost:8080/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%09/evil.com",
    "/%2f/evil.com",
    "/%2fevil.com",
    "/%5cevil.com",
    "/\u{3031}evil.com",
    "//;@evil",
    "/;//evil",
    "http://3627734734",
    "http://[::ffff:1.2.3.4]/",
    "http://a.com#@evil",
    "/#@evil.com",
    "/%0d%0aLocation:https://evil.com",
    "/x?a=\\evil",
    "/x?a=b c",
    "/_gate/logout",
    "/%5Fgate/logout",
    "",
];

#[test]
fn hostile_returns_are_no_return_paths() {
    for text in HOSTILE {
        assert_eq!(ReturnPath::read(text), None, "{text:?}");
    }
    let long = format!("/{}", "a".repeat(2048));
    assert_eq!(ReturnPath::read(&long), None);
}

#[test]
fn ordinary_returns_are_kept() {
    let check = |text: &str, expected: &str| {
        assert_eq!(ReturnPath::read(text).unwrap().as_str(), expected);
    };
    check("/", "/");
    check("/finance/report?year=2026&x=%2F", "/finance/report?year=2026&x=%2F");
    check("/search?q=https://example.com/", "/search?q=https://example.com/");
    check("/a%41?", "/aA?");
    check("/_gateway", "/_gateway");
    check(&format!("/{}", "a".repeat(2047)), &format!("/{}", "a".repeat(2047)));
}

#[tokio::test]
async fn a01_no_spelling_leads_to_another_origin() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    scene.clock.advance(Duration::from_mins(2));
    for text in HOSTILE {
        let once = encoded(text);
        for spelling in [
            text.replace([' ', '\t', '\n', '\r', '\0', '\u{1}'], "%20"),
            once.clone(),
            encoded(&once),
        ] {
            let start = format!("{APP}/_gate/login?return={spelling}");
            if start.parse::<http::Uri>().is_err() {
                continue;
            }
            ends_on_the_app(&scene, &mut browser, &start).await;
            stays_at_the_gate(&scene, &mut browser, &spelling).await;
        }
        scene.clock.advance(Duration::from_mins(2));
    }
}

async fn ends_on_the_app(scene: &Scene, browser: &mut Browser, start: &str) {
    let began = browser.go(scene, start).await;
    if began.status == StatusCode::BAD_REQUEST {
        // The front page was reached often enough; without a redirect nothing can be open.
        scene.clock.advance(Duration::from_mins(2));
        return;
    }
    let handoff = browser.go(scene, began.location()).await;
    let end = browser.go(scene, handoff.location()).await;
    for location in [began.location(), handoff.location(), end.location()] {
        let origin = Url::parse(location).unwrap().origin().ascii_serialization();
        assert!([APP, GATE].contains(&origin.as_str()), "{start}: {location}");
        assert!(!Url::parse(location).unwrap().path().starts_with("//"), "{location}");
    }
    assert!(!began.location().contains("evil"), "the target must not travel");
}

async fn stays_at_the_gate(scene: &Scene, browser: &mut Browser, spelling: &str) {
    let reply = browser.go(scene, &format!("{GATE}/_gate/begin?return={spelling}")).await;
    let origin = Url::parse(reply.location()).unwrap().origin().ascii_serialization();
    assert_eq!(origin, GATE);
}
