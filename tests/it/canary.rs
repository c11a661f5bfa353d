//! Secrets stay where they belong: no database file, no page and no log line holds one.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cedargate::model::time::Clock;
use cedargate::sim::TokenFault;
use tracing_subscriber::filter::LevelFilter;

use crate::harness::World;

/// Everything that is logged in this process, at every level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.keep(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn keep(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }

    fn listen() -> Self {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(move || writer.clone());
        subscriber.try_init().expect("this is the only test that listens to the log");
        lines
    }
}

/// Values of the query parameters with these names, in all addresses that answers led to.
fn carried<'a>(addresses: impl Iterator<Item = &'a url::Url>, names: &[&str]) -> Vec<String> {
    let pairs = addresses.flat_map(|url| url.query_pairs());
    let wanted = pairs.filter(|(name, _)| names.contains(&name.as_ref()));
    wanted.map(|(_, value)| value.into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a41_no_secret_is_kept_shown_or_logged() {
    let lines = Lines::listen();
    let clock = Clock::fixed(Clock::System.now());
    let world = World::start_at(clock.clone(), |_| {}).await;
    let mut secrets = vec!["eyJhbGciOi".to_owned(), "eyJ0eXAiOi".to_owned()];
    let mut answers = Vec::new();
    for person in ["uma", "max", "nora"] {
        let mut browser = world.browser();
        let place = world.app("/finance/summary?token=QUERY-canary-7e4a");
        drop(browser.sign_in(person, &place).await);
        drop(browser.open(&world.gate("/")).await);
        // A refresh, a refusal of Entra, and a page that says that something failed.
        clock.advance(Duration::from_mins(16));
        drop(browser.open(&world.app("/me")).await);
        drop(
            browser
                .step(&world.gate("/_gate/callback?code=CODE-canary-1c3&state=STATE-canary-1c3"))
                .await,
        );
        drop(browser.step(&world.app("/_gate/handoff?code=CODE-canary-1c3")).await);
        secrets.extend(browser.cookie_values().cloned());
        answers.append(&mut browser.answers);
    }
    world.sim.fail_next_token(TokenFault::InvalidGrant(70_000));
    let mut failing = world.browser();
    drop(failing.sign_in("uma", &world.app("/me")).await);
    secrets.extend(failing.cookie_values().cloned());
    answers.append(&mut failing.answers);

    secrets.extend(["CODE-canary-1c3".to_owned(), "STATE-canary-1c3".to_owned()]);
    secrets.extend(world.sim.secrets());
    let addresses: Vec<_> = answers.iter().map(|answer| answer.url.clone()).collect();
    secrets.extend(carried(addresses.iter(), &["code", "state", "handover"]));
    assert!(secrets.len() > 30, "{} secrets were seen", secrets.len());
    assert!(secrets.iter().all(|secret| secret.len() >= 10), "{secrets:?}");

    let held: Vec<_> = world.database_files().into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert!(String::from_utf8_lossy(&held).contains("Uma Umarov"), "the files are what is kept");
    let query = ["QUERY-canary-7e4a".to_owned()];
    for (file, bytes) in world.database_files() {
        let name = file.display().to_string();
        none_of(&secrets, &bytes, &name);
        if name.contains("audit.db") {
            none_of(&query, &bytes, &name);
        }
    }
    let gate = |host: Option<&str>| host.is_some_and(|host| host.ends_with("localhost"));
    for answer in answers.iter().filter(|answer| gate(answer.url.host_str())) {
        none_of(&secrets, &answer.body, answer.url.path());
    }
    let lines = lines.0.lock().unwrap();
    assert!(!lines.is_empty(), "the log was listened to");
    none_of(&secrets, &lines, "the log of the process");
    none_of(&query, &lines, "the log of the process");
}

#[track_caller]
fn none_of(secrets: &[String], bytes: &[u8], place: &str) {
    let text = String::from_utf8_lossy(bytes);
    for secret in secrets {
        if let Some(at) = text.find(secret.as_str()) {
            panic!("`{secret}` stands in {place} at byte {at}");
        }
    }
}
