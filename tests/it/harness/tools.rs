//! Programs of the machine that some tests need: what is missing skips them by name, or fails them where all must run.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

/// Says that a test is skipped and why. With `CEDARGATE_TEST_STRICT=1` the test fails instead.
#[expect(clippy::disallowed_methods, reason = "how strict the tests are is no setting of the gate")]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn missing(test: &str, problem: &str) {
    let strict = std::env::var("CEDARGATE_TEST_STRICT").is_ok_and(|set| set == "1");
    assert!(!strict, "{problem}");
    eprintln!("SKIPPED {test}: {problem}");
}

/// A file below the folder that `.ci/clients` installs into, or nothing (said on standard error) where it did not.
#[expect(
    clippy::disallowed_methods,
    reason = "where the tests' programs are is no setting of the gate"
)]
pub(crate) fn installed(test: &str, file: &str) -> Option<PathBuf> {
    let beside_target = || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    let folder = std::env::var_os("CEDARGATE_TEST_CLIENTS").map_or_else(beside_target, Into::into);
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    missing(test, &format!("{} is not there; .ci/clients installs it", path.display()));
    None
}

/// A folder of `tests/data/clients`.
pub(crate) fn client_data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clients").join(folder)
}

/// A program that says nothing for so long has nothing to say.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that talks in lines. Ends with its test, whatever happens.
pub(crate) struct Program {
    process: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    /// Holds what it said on standard error, which is shown when its test fails.
    folder: TempDir,
}

impl Program {
    /// Starts `program` with nothing in its environment but these variables.
    pub(crate) fn start(program: &Path, arguments: &[&OsStr], variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let errors = File::create(folder.path().join("stderr")).unwrap();
        let mut process = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            said.take_while(|line| sender.send(line.clone()).is_ok()).count()
        });
        Self { process, input, lines, folder }
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("the program says more")
    }

    /// Sends it a line.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }
}

impl Drop for Program {
    #[expect(
        clippy::print_stderr,
        reason = "what a program complained of explains why its test failed"
    )]
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        if std::thread::panicking() {
            let said = std::fs::read_to_string(self.folder.path().join("stderr"));
            eprintln!("{}", said.unwrap_or_default());
        }
    }
}
