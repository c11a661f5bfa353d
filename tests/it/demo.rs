//! The program itself, as its users start it: what it says, what it answers, and how it ends.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use cedargate::sim::people;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
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

/// A secret that nobody gave out.
const NO_SECRET: &str = "client_secret = \"not-a-secret\"";

/// Settings of a gate whose Entra is at `authority`.
fn settings(folder: &Path, ports: (u16, u16), authority: &str) {
    settings_with(folder, ports, authority, NO_SECRET);
}

/// The same with this credential.
fn settings_with(folder: &Path, (port, ops): (u16, u16), authority: &str, credential: &str) {
    let text = format!(
        "public_url = \"http://localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
         ops_listen = \"127.0.0.1:{ops}\"\n[entra]\ntenant = \"{}\"\nclient_id = \"{}\"\n\
         {credential}\nauthority = \"{authority}\"\n",
        cedargate::sim::people::TENANT,
        cedargate::sim::people::CLIENT,
    );
    std::fs::write(folder.join("cedargate.toml"), text).unwrap();
}

#[test]
fn the_demo_and_its_simulator_listen_on_this_machine_only() {
    let folder = TempDir::new().unwrap();
    for more in [&[][..], &["--sim-only"]] {
        let arguments = [&["demo", "--listen", "0.0.0.0:0"], more].concat();
        let said = complaints(&run(folder.path(), &arguments)).join("\n");
        assert!(said.contains("127.0.0.1 only"), "{more:?}: {said}");
    }
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

/// Waits until the gate in `folder` is ready.
fn wait_until_ready(folder: &Path) {
    let begun = Instant::now();
    while !run(folder, &["healthcheck"]).status.success() {
        assert!(begun.elapsed() < Duration::from_secs(20), "ready within 20 s");
    }
}

fn serve(folder: &Path) -> Running {
    Running(cedargate(folder, &["serve"]).stderr(Stdio::null()).spawn().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_whose_entra_can_not_be_reached_starts_and_says_so_to_whoever_signs_in() {
    let (folder, port) = (TempDir::new().unwrap(), even_pair());
    settings(folder.path(), (port, port + 1), NOBODY);
    let check = run(folder.path(), &["check"]);
    assert_eq!(check.status.code(), Some(2));
    let lines = String::from_utf8_lossy(&check.stdout).into_owned();
    let told = lines.lines().find(|line| line.starts_with("FAIL  entra"));
    assert!(told.is_some_and(|line| line.contains(NOBODY)), "{lines}");
    assert!(lines.contains("not shown to Entra"), "{lines}");
    assert!(!folder.path().join("data").exists(), "check makes nothing");
    let before = complaints(&run(folder.path(), &["healthcheck"]));
    assert!(before.len() == 1 && before[0].contains("ops_listen"), "{before:?}");
    let gate = serve(folder.path());
    wait_until_ready(folder.path());
    let page = Browser::new(port).step(&format!("http://localhost:{port}/_gate/begin")).await;
    assert_eq!(page.status, 503);
    page.assert_page();
    assert!(page.text().contains("sign-in can"), "{}", page.text());
    assert_eq!(gate.terminate().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_whose_entra_goes_away_stays_ready() {
    let (world, folder, port) = (World::start().await, TempDir::new().unwrap(), even_pair());
    let secret = format!("client_secret = \"{}\"", world.sim.secrets()[0]);
    settings_with(folder.path(), (port, port + 1), &world.places.simulator(), &secret);
    let gate = serve(folder.path());
    wait_until_ready(folder.path());
    world.stop().await;
    assert!(run(folder.path(), &["healthcheck"]).status.success());
    assert_eq!(gate.terminate().code(), Some(0));
}

/// A certificate that does not belong to its key, as settings.
fn strangers(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["gate".to_owned()]).unwrap();
    let key = RsaPrivateKey::new(&mut rand_core::OsRng, 2048).unwrap();
    let key = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    std::fs::write(folder.join("entra.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("entra.key"), key.as_bytes()).unwrap();
    "certificate_file = \"entra.pem\"\nkey_file = \"entra.key\"".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_entra_would_not_take_does_not_start() {
    let (world, folder, port) = (World::start().await, TempDir::new().unwrap(), even_pair());
    std::fs::write(folder.path().join("empty"), "").unwrap();
    let second = "client_secret = \"not-a-secret\"\nsecond.federated_token_file = \"empty\"";
    for (credential, said_to_serve) in [
        (NO_SECRET.to_owned(), "AADSTS7000215"),
        (NO_SECRET.to_owned(), "not the value of a secret of this app"),
        (second.to_owned(), "`empty` is empty"),
        ("federated_token_file = \"nowhere\"".to_owned(), "can't read `nowhere`"),
        ("federated_token_file = \"empty\"".to_owned(), "`empty` is empty"),
        (strangers(folder.path()), "`entra.pem` does not match the key in `entra.key`"),
    ] {
        settings_with(folder.path(), (port, port + 1), &world.places.simulator(), &credential);
        refuses_to_start(folder.path(), said_to_serve);
    }
    settings(folder.path(), (port, port + 1), &world.places.simulator());
    let file = folder.path().join("cedargate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let other = "11111111-7e4a-4000-8000-00000000c0de";
    std::fs::write(&file, text.replace(cedargate::sim::people::TENANT, other)).unwrap();
    refuses_to_start(folder.path(), "AADSTS90002");
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

/// `serve` says it in one line and ends with 2, and so does a line of `check`.
#[track_caller]
fn refuses_to_start(folder: &Path, why: &str) {
    let serve = run(folder, &["serve"]);
    assert_eq!(serve.status.code(), Some(2));
    let said = String::from_utf8_lossy(&serve.stderr).into_owned();
    let said: Vec<_> = said.lines().filter(|line| line.starts_with("cedargate:")).collect();
    assert!(said.len() == 1 && said[0].contains(why), "{why}: {said:?}");
    let check = run(folder, &["check"]);
    assert_eq!(check.status.code(), Some(2));
    let lines = String::from_utf8_lossy(&check.stdout).into_owned();
    let told = |line: &str| line.starts_with("FAIL") && line.contains(why);
    assert!(lines.lines().any(told), "{why}: {lines}");
}
