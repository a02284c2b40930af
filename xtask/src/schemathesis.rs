//! Requests made from the server's own OpenAPI description, good and bad ones, against a server on an empty store.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{run, run_within, wait_within};
use crate::tools::python_tools;
use crate::{Error, Result, Workspace};

/// What the server says on its standard output once it listens; the address follows.
const LISTENING: &str = "listening on http://";
/// How long the server may take to listen, to be ready, and to stop.
const SERVER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long all requests together may take.
const RUN_TIMEOUT: Duration = Duration::from_secs(300);
/// Requests for each operation and phase.
const MAX_EXAMPLES: &str = "40";
/// An endless answer by design: no check of a finished answer can be made of it.
const STREAMS: &str = "/v1/events";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// Starts the server, sends the requests, stops the server, and fails when an answer was wrong or the stop unclean.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let python = python_tools(workspace)?;
    let folder = workspace.target().join("schemathesis");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    // A long poll would outlast the request's time-out.
    std::fs::write(folder.join("schemathesis.toml"), "[parameters]\nwait_seconds = 0\n")?;
    let server = Server::start(&workspace.debug_binary("accredit"), &folder)?;
    let location = format!("http://{}/openapi.json", server.address);
    let mut command = Command::new(python.join("schemathesis"));
    // In its own folder, for what it writes beside itself.
    command.current_dir(&folder).args(["run", &location, "--checks", CHECKS, "--exclude-path", STREAMS]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", MAX_EXAMPLES]);
    command.args(["--generation-deterministic"]);
    command.args(["--request-timeout", "10", "--suppress-health-check", "all"]);
    run_within(&mut command, RUN_TIMEOUT)?;
    server.stop()
}

/// A running server; killed when it is dropped before it was stopped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let store = folder.join("st.db");
        let mut command = Command::new(binary);
        command.current_dir(folder).args(["serve", "--listen", "127.0.0.1:0", "--store"]).arg(store);
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let child = spawned.map_err(|error| Error::from(format!("{} did not start: {error}", binary.display())))?;
        let mut server = Self { child, address: String::new() };
        server.address = server.listening_address()?;
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Reads the server's output until it tells its address, and goes on reading so that it never blocks.
    fn listening_address(&mut self) -> Result<String> {
        let stdout = self.child.stdout.take().ok_or("the server has no standard output")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
                if let Some((_, address)) = line.split_once(LISTENING) {
                    let address = address.split(['/', ' ']).next().unwrap_or_default().to_owned();
                    // The receiver takes the first address and leaves.
                    sender.send(address).unwrap_or_default();
                }
            }
        });
        let missing = || Error::from(format!("the server did not print `{LISTENING}ADDRESS` on its standard output"));
        receiver.recv_timeout(SERVER_TIMEOUT).map_err(|_| missing())
    }

    fn wait_until_ready(&self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < SERVER_TIMEOUT {
            if status_of(&self.address, "/readyz").is_ok_and(|status| status == 200) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Err(format!("the server at {} did not become ready", self.address).into())
    }

    /// Asks the server to stop and expects it to do so by itself, without an error.
    fn stop(mut self) -> Result<()> {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        match wait_within(&mut self.child, SERVER_TIMEOUT)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("the server stopped with {status}").into()),
            None => Err("the server did not stop when asked to".into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails when the server has ended already, which is what is wanted.
        self.child.kill().and_then(|()| self.child.wait().map(|_| ())).unwrap_or_default();
    }
}

/// The status of one GET request.
fn status_of(address: &str, path: &str) -> Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    let status = answer.split_whitespace().nth(1).ok_or("no status line")?;
    Ok(status.parse()?)
}
