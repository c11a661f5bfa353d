//! The log as auditors and operators meet it: on the command line, beside a running gate and without one.

use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use cedargate::model::id::DecisionId;
use tempfile::TempDir;

use crate::harness::tools::{client_data, installed};
use crate::harness::wire::Wire;
use crate::harness::{Request, World, command_on, exchange, navigation, program_on, unused_port};

#[track_caller]
pub(crate) fn says(output: &Output, code: i32, lines: &[&str]) -> String {
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    let err = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    for line in lines {
        assert!(out.contains(line) || err.contains(line), "no `{line}` in:\n{out}{err}");
    }
    out
}

/// The id of the newest decision.
async fn newest(world: &World) -> String {
    world.decisions().await[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn running_log_is_verified_shown_and_proved_beside_the_gate() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    assert_eq!(uma.open(&world.app("/finance/summary")).await.status, 200);
    let id = newest(&world).await;
    says(&world.command(&["audit", "verify"]), 0, &["Intact.", "signed by cedargate/audit/"]);
    let shown = says(&world.command(&["audit", "show", &id]), 0, &["/finance/summary", "Uma"]);
    assert!(shown.starts_with(&format!("decision {id} at ")), "{shown}");
    let body = says(&world.command(&["audit", "show", &id, "--json"]), 0, &[]);
    assert!(body.contains(r#""verdict":"allow""#), "{body}");
    // Who looked is on record as well.
    let looks = world.events("log_used").await;
    assert_eq!(looks.len(), 3, "{looks:?}");
    assert!(looks.iter().all(|look| look["actor"].as_str().unwrap().starts_with("operator:")));
    // Somebody else checks the proof with the public key alone.
    let proof = says(&world.command(&["audit", "prove", &id]), 0, &["c2sp.org/tlog-proof@v1"]);
    let key = world.events("started").await[0]["log_key"].as_str().unwrap().to_owned();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("p.tlog-proof");
    std::fs::write(&file, &proof).unwrap();
    let check = |key: &str| {
        let arguments = ["audit", "verify", "--proof", file.to_str().unwrap(), "--key", key];
        command_on(elsewhere.path(), "https://nowhere.example", &arguments)
    };
    says(&check(&key), 0, &[&format!("Proven: this is record {id}"), "/finance/summary"]);
    says(&check("cedargate/audit/x"), 2, &["is not a key of a log"]);
    std::fs::write(&file, proof.replace("index ", "index 1")).unwrap();
    says(&check(&key), 1, &["Not proven"]);
}

/// The list that README publishes, whole: what comes without a record.
#[tokio::test]
async fn what_is_not_recorded_decides_nothing_and_tells_nobody_anything_of_others() {
    let world = World::start().await;
    world.outbox_is_taken().await;
    let size = async || {
        let mut file = world.log_file().await;
        let query = sqlx::query_scalar("SELECT MAX(place) FROM record");
        query.fetch_one(&mut file).await.unwrap()
    };
    let before: i64 = size().await;
    for file in cedargate::web::assets::File::ALL {
        for page in [world.app(file.url()), world.gate(file.url())] {
            for method in ["GET", "HEAD"] {
                assert_eq!(exchange(Request::new(method, &page)).await.status, 200, "{page}");
            }
        }
    }
    for (status, page) in [
        (303, world.app("/_gate/login")),
        (303, world.gate("/_gate/begin")),
        (200, world.gate("/_gate/signed-out")),
        (200, world.gate("/_gate/jwks.json")),
        (200, world.app("/_gate/whoami")),
    ] {
        assert_eq!(exchange(navigation("GET", &page)).await.status, status, "{page}");
    }
    let report = Request::new("POST", &world.gate("/_gate/csp-report")).body("{}");
    assert_eq!(exchange(report).await.status, 204);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(world.ops(path).await.head.status(), 200, "{path}");
    }
    let mut wire = Wire::to(world.places.port).await;
    wire.send("no request at all\r\n\r\n").await;
    assert_eq!(wire.head().await.unwrap().status(), 400);
    assert_eq!(size().await, before);
    for (count, page) in [(1, world.app("/_gate/none")), (2, world.gate("/none"))] {
        assert_eq!(exchange(Request::new("GET", &page)).await.status, 404, "{page}");
        assert_eq!(size().await, before + count, "{page}: what stands beside them is on record");
    }
}

#[tokio::test]
async fn export_that_breaks_off_is_on_record_all_the_same() {
    use sqlx::Connection as _;
    let world = World::start().await;
    world.browser_of("uma").await;
    let gate = world.places.gate();
    let data = world.stop().await;
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut export = program_on(data.path(), &gate);
    let ended = export.args(["audit", "export"]).stdout(full).output().unwrap();
    says(&ended, 2, &["can't be read"]);
    let url = format!("sqlite://{}", data.path().join("cedargate.db").display());
    let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let sql = "SELECT after_json FROM outbox WHERE action = 'log_exported'";
    let noted: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut file).await.unwrap();
    assert!(noted.len() == 1 && noted[0].contains("broken_off"), "{noted:?}");
}

#[tokio::test]
async fn what_can_not_be_checked_is_said() {
    let world = World::start().await;
    let file = world.places.data.join("x.txt");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "nothing\n").unwrap();
    says(&world.command(&["audit", "verify", "--checkpoint", path]), 2, &["holds no checkpoint"]);
    says(&world.command(&["audit", "verify", "--export", path]), 2, &["line 1 of the export"]);
    says(&world.command(&["audit", "verify", "--proof", path]), 2, &["is not a proof"]);
    says(
        &world.command(&["audit", "verify", "--database", path]),
        2,
        &["is not a SQLite database"],
    );
    says(&world.command(&["audit", "show", "0v9k3m2q-5"]), 2, &["the log has no record"]);
    says(&world.command(&["audit", "prove", "0v9k3m2q-5"]), 2, &["the log has no record"]);
    says(&world.command(&["audit", "show", "five"]), 2, &["a decision id"]);
    says(&world.command(&["audit", "rotate-key"]), 2, &["another process writes the log"]);
    let mut uma = world.browser_of("uma").await;
    says(&world.command(&["audit", "accept", "--reason", "x"]), 2, &["another process writes"]);
    assert_eq!(uma.open(&world.app("/finance/summary")).await.status, 200, "still signed in");
}

#[tokio::test]
async fn what_was_filtered_is_exported_with_a_manifest_and_checked_elsewhere() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    assert_eq!(uma.open(&world.app("/finance/summary")).await.status, 200);
    assert_eq!(uma.open(&world.app("/admin/users")).await.status, 403);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("finance.jsonl");
    let path = file.to_str().unwrap();
    let query = "route:intranet/finance group:Finance effect:allow";
    says(&world.command(&["audit", "export", query, "--output", path]), 0, &[]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("/finance/summary") && !text.contains("/admin/users"), "{text}");
    let manifest = std::fs::read(elsewhere.path().join("finance.jsonl.manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!((&manifest["query"], &manifest["records"]), (&query.into(), &1.into()));
    let taken = world.events("log_used").await;
    assert_eq!(taken[0]["detail"]["sha256"], manifest["sha256"]);
    let key = world.events("started").await[0]["log_key"].as_str().unwrap().to_owned();
    let check = |file: &str| {
        let arguments = ["audit", "verify", "--export", file, "--key", &key];
        command_on(elsewhere.path(), "https://nowhere.example", &arguments)
    };
    says(&check(path), 0, &["1 read", "Intact."]);
    std::fs::write(elsewhere.path().join("forged"), text.replace("summary", "payroll")).unwrap();
    says(&check("forged"), 1, &["Tampered with"]);
    // Nothing is written over.
    says(&world.command(&["audit", "export", "--output", path]), 2, &["can't make the new file"]);
    let csv = says(
        &world.command(&["audit", "export", query, "--format", "csv"]),
        0,
        &["\"records\": 1"],
    );
    assert_eq!(csv.lines().count(), 2, "{csv}");
    says(&world.command(&["audit", "export", "usr:uma"]), 2, &["Did you mean `user:`?"]);
}

// Of several threads: the gate works while the command waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn person_is_forgotten_beside_the_running_gate_and_without_one() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let mut max = world.browser_of("max").await;
    assert_eq!(uma.open(&world.app("/finance/summary")).await.status, 200);
    let decided = world.decisions().await;
    let id_of = |path: &str| {
        let found = decided.iter().find(|record| record["path"] == path).unwrap();
        found["principal"]["id"].as_str().unwrap().to_owned()
    };
    let id = id_of("/finance/summary");
    let order = ["audit", "erase", "--user", &id, "--reason", "Request 17"];
    says(&world.command(&order), 0, &["is gone"]);
    says(&world.command(&["audit", "verify"]), 0, &["erased", "Intact."]);
    let found = says(&world.command(&["audit", "export", &format!("user:{id}")]), 0, &[]);
    assert!(!found.contains("/finance/summary"), "{found}");
    let erased = world.events("erased").await;
    assert_eq!(erased[0]["reason"], "Request 17");
    says(&world.command(&["audit", "erase", "--user", "uma", "--reason", "x"]), 2, &["a subject"]);
    // The other one, once the gate has stopped.
    assert_eq!(max.open(&world.app("/me")).await.status, 200);
    let id = world.decisions().await[0]["principal"]["id"].as_str().unwrap().to_owned();
    let gate = world.places.gate();
    let data = world.stop().await;
    let run = |arguments: &[&str]| command_on(data.path(), &gate, arguments);
    let order = ["audit", "erase", "--user", &id, "--reason", "Request 18"];
    // Nobody asks for it who has another key.
    let (keys, kept) = (data.path().join("keys"), data.path().join("kept"));
    std::fs::rename(&keys, &kept).unwrap();
    says(&run(&order), 2, &["is not the one that signs the audit log"]);
    std::fs::remove_dir_all(&keys).unwrap();
    std::fs::rename(&kept, &keys).unwrap();
    says(&run(&order), 0, &["is gone"]);
    says(&run(&["audit", "verify"]), 0, &["Intact."]);
}

#[tokio::test]
async fn backup_is_made_beside_the_gate_and_restored_by_name() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("monday");
    let into = copy.to_str().unwrap();
    says(&world.command(&["backup", into]), 0, &["audit.db", "cedargate.db"]);
    says(&world.command(&["backup", into]), 2, &["can't make the new folder"]);
    let log = copy.join("audit.db");
    let verified = world.command(&["audit", "verify", "--database", log.to_str().unwrap()]);
    says(&verified, 0, &["Intact."]);
    assert_eq!(uma.open(&world.app("/finance/summary")).await.status, 200);
    let gate = world.places.gate();
    let data = world.stop().await;
    let run = |arguments: &[&str]| command_on(data.path(), &gate, arguments);
    for name in ["audit.db", "cedargate.db"] {
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(data.path().join(format!("{name}{suffix}")));
        }
        std::fs::copy(copy.join(name), data.path().join(name)).unwrap();
    }
    says(&run(&["serve"]), 2, &["an older copy took its place"]);
    says(&run(&["audit", "accept", "--reason", "Restored Monday"]), 0, &["sessions have ended"]);
    says(
        &run(&["audit", "verify"]),
        0,
        &[
            "begun behind another log: Restored Monday",
            "Known loss: records",
            "Intact, but for what was accepted as lost.",
        ],
    );
}

/// `cedargate serve` as a process of its own, with its records on standard output. Ends with the test.
struct Serving {
    process: Child,
    data: TempDir,
    gate: String,
    port: u16,
    said: Receiver<String>,
}

impl Serving {
    /// On the data of a world that has stopped. Entra is out of reach, which keeps nobody out who needs no sign-in.
    async fn start() -> Self {
        let world = World::start().await;
        let gate = world.places.gate();
        let (data, port) = (world.stop().await, unused_port().await);
        let mut program = program_on(data.path(), &gate);
        program
            .arg("serve")
            .env("CEDARGATE_LISTEN", format!("127.0.0.1:{port}"))
            .env("CEDARGATE_OPS_LISTEN", "127.0.0.1:0")
            .env("CEDARGATE_ENTRA__AUTHORITY", "http://127.0.0.1:1")
            .env("CEDARGATE_AUDIT__OUTLET", "stdout")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = program.spawn().unwrap();
        let said = lines(process.stderr.take().unwrap());
        let serving = Self { process, data, gate, port, said };
        serving.says("The gate is open.");
        serving
    }

    /// Reads what it says until these words come.
    fn says(&self, words: &str) {
        let mut lines = std::iter::from_fn(|| self.said.recv_timeout(PATIENCE).ok());
        assert!(lines.any(|line| line.contains(words)), "it says `{words}`");
    }

    /// Asks for a page, and gives the decision's id.
    async fn asks(&self, path: &str) -> String {
        let url = format!("http://app.localhost:{}{path}", self.port);
        let answer = exchange(Request::new("GET", &url)).await;
        answer.json()["decision_id"].as_str().unwrap().to_owned()
    }

    fn terminate(&self) {
        let id = self.process.id().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-TERM", &id]).status().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A program that says nothing for so long has nothing to say.
const PATIENCE: Duration = Duration::from_mins(1);

/// Lines as they come.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let all = BufReader::new(from).lines().map_while(Result::ok);
        all.take_while(|line| sender.send(line.clone()).is_ok()).count()
    });
    lines
}

#[tokio::test]
async fn records_leave_through_standard_output_as_an_export_has_them() {
    let mut serving = Serving::start().await;
    let left = lines(serving.process.stdout.take().unwrap());
    let next = || left.recv_timeout(PATIENCE).unwrap();
    // What the world before it left behind comes first.
    let mut all = vec![next()];
    let id = serving.asks("/finance/summary").await;
    while !all.iter().any(|line| line.contains(&id)) {
        all.push(next());
    }
    serving.terminate();
    assert!(serving.process.wait().unwrap().success());
    all.extend(left.iter());
    let seqs: Vec<_> = all.iter().map(|line| seq(line)).collect();
    assert_eq!(seqs, (0..all.len() as u64).collect::<Vec<_>>());
    assert!(all.last().unwrap().contains("\"kind\":\"stopped\""), "{all:?}");
    let export = command_on(serving.data.path(), &serving.gate, &["audit", "export"]);
    let export = says(&export, 0, &[]);
    let records: Vec<_> = export.lines().filter(|line| line.starts_with("{\"v\":")).collect();
    assert_eq!(records, all);
}

/// The number of the record in a line; of a log line there is none.
fn seq(line: &str) -> u64 {
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    record["id"].as_str().unwrap().parse::<DecisionId>().unwrap().seq
}

/// Nobody reads what leaves: the pipe fills, and the gate answers and stops all the same.
#[tokio::test]
async fn an_outlet_that_hangs_holds_up_no_answer_and_no_stop() {
    let mut serving = Serving::start().await;
    let long = "x".repeat(1_500);
    let mut last = String::new();
    for number in 0..100 {
        last = serving.asks(&format!("/finance/{number}{long}")).await;
    }
    let shown = command_on(serving.data.path(), &serving.gate, &["audit", "show", &last]);
    says(&shown, 0, &["/finance/99"]);
    serving.terminate();
    serving.says("Records have not left");
    assert!(serving.process.wait().unwrap().success());
    // The next start goes on.
    let position = std::fs::read_to_string(serving.data.path().join("audit.db.outlet"));
    assert!(position.is_err() || !position.unwrap().contains(&last));
}

#[tokio::test]
async fn an_outlet_that_can_not_be_is_one_clear_line() {
    let world = World::start().await;
    let gate = world.places.gate();
    let data = world.stop().await;
    for command in ["check", "serve"] {
        let mut program = program_on(data.path(), &gate);
        program.env("CEDARGATE_AUDIT__OUTLET", "file:/nowhere/records.jsonl");
        program.env("CEDARGATE_ENTRA__AUTHORITY", "http://127.0.0.1:1");
        let listen = format!("127.0.0.1:{}", unused_port().await);
        program.env("CEDARGATE_LISTEN", listen).env("CEDARGATE_OPS_LISTEN", "127.0.0.1:0");
        let said = program.arg(command).output().unwrap();
        let line = "records can't leave for `/nowhere/records.jsonl`: No such file";
        says(&said, 2, &[line]);
    }
}

/// What somebody else's code says of these bytes and of some that differ in one of them: written from the specifications,
/// with another library for the signatures, and given the public key alone.
struct Stranger {
    python: PathBuf,
    key: String,
    folder: TempDir,
}

impl Stranger {
    fn says(&self, kind: &str, files: &[Vec<u8>]) -> Vec<String> {
        let path = |number: usize| self.folder.path().join(number.to_string());
        for (number, bytes) in files.iter().enumerate() {
            std::fs::write(path(number), bytes).unwrap();
        }
        let mut check = std::process::Command::new(&self.python);
        check.env_clear().arg(client_data("python/log.py")).args([&self.key, kind]);
        let said = check.args((0..files.len()).map(path)).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let said = String::from_utf8(said.stdout).unwrap();
        said.lines().map(str::to_owned).collect()
    }

    /// The bytes hold, and with any of a few hundred of them changed they don't.
    fn vouches(&self, kind: &str, bytes: &[u8], records: usize) {
        let mut files = vec![bytes.to_vec()];
        for at in (0..bytes.len()).step_by(bytes.len() / 400 + 1).chain([bytes.len() - 1]) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << (at % 7);
            files.push(changed);
        }
        let said = self.says(kind, &files);
        assert_eq!(said.len(), files.len());
        assert!(
            said[0].starts_with("ok ") && said[0].ends_with(&format!(" {records}")),
            "{said:?}"
        );
        let missed = said.iter().skip(1).find(|line| line.starts_with("ok "));
        assert_eq!(missed, None);
    }
}

#[tokio::test]
async fn strangers_check_a_proof_and_exports_with_the_public_key_alone() {
    let Some(python) = installed("audit::strangers", "python/bin/python") else { return };
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    for _ in 0..3 {
        assert_eq!(uma.open(&world.app("/finance/summary")).await.status, 200);
        assert_eq!(uma.open(&world.app("/admin/users")).await.status, 403);
    }
    let key = world.events("started").await[0]["log_key"].as_str().unwrap().to_owned();
    let id = newest(&world).await;
    let stranger = Stranger { python, key, folder: tempfile::tempdir().unwrap() };
    let proof = says(&world.command(&["audit", "prove", &id]), 0, &[]);
    stranger.vouches("proof", proof.as_bytes(), 1);
    for query in ["", "effect:deny"] {
        let export = says(&world.command(&["audit", "export", query]), 0, &[]);
        let records = export.lines().filter(|line| line.starts_with("{\"v\":")).count();
        assert!(records >= 3, "{export}");
        stranger.vouches("export", export.as_bytes(), records);
    }
    // A record that is left out is missed, as is the end.
    let whole = says(&world.command(&["audit", "export"]), 0, &[]);
    let mut lines: Vec<&str> = whole.split_inclusive('\n').collect();
    lines.remove(2);
    let said = stranger.says("export", &[lines.concat().into(), lines[..3].concat().into()]);
    assert!(said.iter().all(|line| line.starts_with("bad ")), "{said:?}");
}
