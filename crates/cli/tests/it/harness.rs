//! Running the program.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Three runs of tau-bench: 25 steps, 31 observations.
pub(crate) fn runs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tau_bench/gpt-4o-airline.json")
}

/// The program on one store.
pub(crate) struct Program {
    pub(crate) store: String,
    folder: tempfile::TempDir,
}

/// What it said and how it ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// On a store that is not there yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let store = folder.path().join("test.db").to_string_lossy().into_owned();
        Self { store, folder }
    }

    /// On a store with the three runs.
    pub(crate) fn with_runs() -> Self {
        let program = Self::new();
        program.run(&["import", &runs().to_string_lossy()]).expect_code(0);
        program
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in the store's folder.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file can be written");
        path.to_string_lossy().into_owned()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accredit"));
        command.args(args).env("ACCREDIT_STORE", &self.store).env("COLUMNS", "100").current_dir(self.folder.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::of(args, &self.command(args).stdin(Stdio::null()).output().expect("the program can be run"))
    }

    pub(crate) fn run_with(&self, args: &[&str], stdin: &str) -> Said {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be run");
        let mut input = child.stdin.take().expect("its input is a pipe");
        input.write_all(stdin.as_bytes()).expect("it reads");
        drop(input);
        Said::of(args, &child.wait_with_output().expect("it ends"))
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        self.run(args).expect_code(0).json()
    }

    /// The id of the action with this goal.
    pub(crate) fn id(&self, goal: &str) -> String {
        let actions = self.json(&["list", "--json", "--goal", goal]);
        actions[0]["action_id"].as_str().expect("there is an action with this goal").to_owned()
    }
}

impl Said {
    fn of(args: &[&str], output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8");
        let code = output.status.code().unwrap_or_else(|| panic!("{args:?} was killed: {output:?}"));
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}
