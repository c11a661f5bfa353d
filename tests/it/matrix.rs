//! Everybody of the demo on every route with every method, as one table, and exactly one record for each request.

use std::fmt::Write as _;

use cedargate::store::audit::AuditReader;

use crate::harness::look::{is_request, newest};
use crate::harness::{Browser, World, head, script};

const PEOPLE: [&str; 9] = ["olive", "eddie", "pat", "aude", "uma", "rob", "max", "gia", "nora"];
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
const PATHS: [&str; 13] = [
    "/",
    "/me",
    "/finance",
    "/finance/summary",
    "/reports/2026",
    "/admin/",
    "/api/hello",
    "/ws",
    "/events",
    "/download/16",
    "/upload",
    "/assets/app.css",
    "/nowhere",
];

#[tokio::test(flavor = "multi_thread")]
async fn everyone_gets_what_the_rules_say_and_one_record_for_each_request() {
    let world = World::start().await;
    let mut everyone = vec![("anonymous", world.browser())];
    for person in PEOPLE {
        everyone.push((person, world.browser_of(person).await));
    }
    everyone.push(("nightly-job", world.nightly_job().await));
    let log = world.log().await;
    let before = total(&log).await;
    let mut table = String::new();
    for path in PATHS {
        let heads = METHODS.map(|method| format!("{method:<19}")).concat();
        writeln!(table, "{path:<18}{}", heads.trim_end()).unwrap();
        for (person, browser) in &everyone {
            let row = row(&world, &log, (browser, path)).await;
            writeln!(table, "  {person:<16}{}", row.trim_end()).unwrap();
        }
    }
    let asked = PATHS.len() * everyone.len() * METHODS.len();
    assert_eq!(total(&log).await - before, asked, "one record for each request");
    insta::assert_snapshot!("people_by_routes", table);
}

/// One person on one path: for each method the status, and the reason on record by the time the answer's head is there.
async fn row(world: &World, log: &AuditReader, (browser, path): (&Browser, &str)) -> String {
    let mut row = String::new();
    for method in METHODS {
        let request = browser.dressed(script(method, &world.app(path)));
        let status = head(request).await.status().as_u16();
        let record = newest(log).await;
        assert_eq!((&record["method"], &record["path"]), (&method.into(), &path.into()));
        let reason = record["reason"].as_str().unwrap();
        let cell = format!("{status} {reason}");
        write!(row, "{cell:<19}").unwrap();
    }
    row
}

async fn total(log: &AuditReader) -> usize {
    let lines = log.recent(10_000, None).await.unwrap();
    lines.iter().filter(|line| is_request(line)).count()
}
