//! The program itself, as its users start it: what it says, what it answers, and how it ends.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use cedargate::sim::people;
use tempfile::TempDir;

use crate::harness::{Browser, Request, Trust, World, exchange};

/// The command with nothing of this machine's settings, in a folder of its own.
fn cedargate(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cedargate"));
    command.args(arguments).current_dir(folder).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    cedargate(folder, arguments).output().unwrap()
}

/// What a failed command said on stderr, line by line, after exit code 2.
#[track_caller]
fn complaints(output: &Output) -> Vec<String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    said.lines().map(str::to_owned).collect()
}

/// A program that ends with its test, whatever happens.
struct Running(Child);

impl Running {
    fn terminate(mut self) -> ExitStatus {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(25) {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("still running 25 s after SIGTERM")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// An even port that is free together with the one after it. The system prefers odd ports when asked for any.
fn even_pair() -> u16 {
    even_with(&[1])
}

/// An even port that is free together with those so many ports above it.
fn even_with(above: &[u16]) -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..100 {
        let any = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let even = any & !1;
        let all = above.iter().map(|step| even.checked_add(*step));
        if free(even) && all.into_iter().all(|port| port.is_some_and(free)) {
            return even;
        }
    }
    panic!("no free ports at these distances")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_says_where_it_is_lets_uma_in_and_stops_when_told() {
    let (folder, port) = (TempDir::new().unwrap(), even_pair());
    let listen = format!("127.0.0.1:{port}");
    let started = cedargate(folder.path(), &["demo", "--listen", &listen]).spawn();
    let mut demo = Running(started.unwrap());
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut welcome = Vec::new();
    while !welcome.iter().any(|line: &String| line.trim_start().starts_with("3.")) {
        welcome.push(lines.next().expect("the welcome comes whole"));
    }
    let welcome = welcome.join("\n");
    for part in [
        format!("http://app.localhost:{port}/"),
        format!("http://localhost:{port}/console/"),
        format!("http://127.0.0.1:{}/", port + 1),
        "uma".to_owned(),
        "Finance".to_owned(),
    ] {
        assert!(welcome.contains(&part), "{part} in {welcome}");
    }

    let mut uma = Browser::new(port);
    let finance = format!("http://app.localhost:{port}/finance/summary");
    let page = uma.sign_in("uma", &finance).await;
    assert_eq!((page.status, page.url.as_str()), (200, finance.as_str()));
    assert!(page.text().contains("Uma Umarov"), "{}", page.text());

    let second = run(folder.path(), &["demo", "--listen", &listen]);
    let said = complaints(&second);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(&listen) && said[0].contains("--listen"), "{said:?}");
    assert!(second.stdout.is_empty(), "nothing is said to be running");

    assert_eq!(demo.terminate().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_alone_speaks_https_under_an_authority_that_it_names() {
    let (folder, port) = (TempDir::new().unwrap(), even_with(&[1, 363]));
    let listen = format!("127.0.0.1:{port}");
    let arguments = ["demo", "--sim-only", "--sim-tls", "--data", "kept", "--listen", &listen];
    let mut alone = Running(cedargate(folder.path(), &arguments).spawn().unwrap());
    let mut lines = BufReader::new(alone.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut named = None;
    while named.is_none() {
        let line = lines.next().expect("the authority is named");
        named = line.trim().strip_prefix("REQUESTS_CA_BUNDLE=").map(PathBuf::from);
    }
    let authority = folder.path().canonicalize().unwrap().join("kept/simulator-ca.pem");
    assert_eq!(named.as_ref(), Some(&authority));
    let issuer = format!("https://localhost:{}/{}/v2.0", port + 363, people::TENANT);
    let document = format!("{issuer}/.well-known/openid-configuration");
    let trust = Some(Trust::in_file(&authority));
    let answer = exchange(Request { trust, ..Request::new("GET", &document) }).await;
    assert_eq!(answer.json()["issuer"], issuer);
    assert_eq!(alone.terminate().code(), Some(0));
}

#[test]
fn the_demo_listens_on_this_machine_only() {
    let folder = TempDir::new().unwrap();
    let said = complaints(&run(folder.path(), &["demo", "--listen", "0.0.0.0:0"]));
    assert!(said.len() == 1 && said[0].contains("127.0.0.1"), "{said:?}");
}

#[test]
fn check_names_everything_that_is_wrong_with_the_settings() {
    let folder = TempDir::new().unwrap();
    let text =
        "public_url = \"ftp://gate\"\nlisten = \"nowhere\"\nlissten = 1\n[entra]\ntenant = \"\"\n";
    std::fs::write(folder.path().join("broken.toml"), text).unwrap();
    let said = complaints(&run(folder.path(), &["check", "--config", "broken.toml"])).join("\n");
    for key in
        ["broken.toml", "public_url", "listen: ", "lissten", "entra.tenant", "entra.client_id"]
    {
        assert!(said.contains(key), "{key} in {said}");
    }
    let missing = complaints(&run(folder.path(), &["check", "--config", "none.toml"]));
    assert!(missing.len() == 1 && missing[0].contains("none.toml"), "{missing:?}");
}

/// Where nothing listens.
const NOBODY: &str = "http://127.0.0.1:1";

/// Settings of a gate whose Entra is at `authority`.
fn settings(folder: &Path, (port, ops): (u16, u16), authority: &str) {
    let text = format!(
        "public_url = \"http://localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
         ops_listen = \"127.0.0.1:{ops}\"\n[entra]\ntenant = \"{}\"\nclient_id = \"{}\"\n\
         client_secret = \"not-a-secret\"\nauthority = \"{authority}\"\n",
        cedargate::sim::people::TENANT,
        cedargate::sim::people::CLIENT,
    );
    std::fs::write(folder.join("cedargate.toml"), text).unwrap();
}

#[test]
fn rules_that_can_not_be_read_are_named_and_change_nothing() {
    let folder = TempDir::new().unwrap();
    settings(folder.path(), (8080, 9180), NOBODY);
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("routes.toml"), "[[app]]\nid = 1\n").unwrap();
    let said = complaints(&run(folder.path(), &["rules", "import", "rules", "--publish"]));
    assert!(said.join("\n").contains("routes.toml"), "{said:?}");
    let said = complaints(&run(folder.path(), &["rules", "import", "nowhere"]));
    assert!(said.join("\n").contains("nowhere"), "{said:?}");
    let said = complaints(&run(folder.path(), &["rules", "export", "out"]));
    assert!(said[0].contains("nothing is published"), "{said:?}");
}

#[test]
fn a_gate_whose_entra_does_not_answer_does_not_start() {
    let (folder, port) = (TempDir::new().unwrap(), even_pair());
    settings(folder.path(), (port, port + 1), NOBODY);
    let said = complaints(&run(folder.path(), &["serve"]));
    assert!(said.len() == 1 && said[0].contains(NOBODY), "{said:?}");
    let check = run(folder.path(), &["check"]);
    assert_eq!(check.status.code(), Some(2));
    let lines = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(lines.lines().any(|line| line.starts_with("FAIL  entra")), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_whose_entra_goes_away_stays_ready_and_says_so_to_whoever_signs_in() {
    let (world, folder, port) = (World::start().await, TempDir::new().unwrap(), even_pair());
    settings(folder.path(), (port, port + 1), &world.places.simulator());
    let before = complaints(&run(folder.path(), &["healthcheck"]));
    assert!(before.len() == 1 && before[0].contains("ops_listen"), "{before:?}");

    let gate = Running(cedargate(folder.path(), &["serve"]).stderr(Stdio::null()).spawn().unwrap());
    let begun = Instant::now();
    while !run(folder.path(), &["healthcheck"]).status.success() {
        assert!(begun.elapsed() < Duration::from_secs(20), "ready within 20 s");
    }
    world.stop().await;
    let page = Browser::new(port).step(&format!("http://localhost:{port}/_gate/begin")).await;
    assert_eq!(page.status, 503);
    page.assert_page();
    assert!(page.text().contains("sign-in can"), "{}", page.text());
    assert!(run(folder.path(), &["healthcheck"]).status.success());
    assert_eq!(gate.terminate().code(), Some(0));
}
