//! `accredit serve`, and the other commands beside it and through it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::harness::{Program, runs};

/// A server that ends with its test.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(program: &Program) -> Self {
        let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output is a pipe")).read_line(&mut line).expect("it speaks");
        let url = line.trim().strip_prefix("listening on ").expect("it says where it listens").to_owned();
        Self { child, url }
    }

    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        self.child.wait().expect("the server ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended where the test came to its end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_server_answers_like_its_store() {
    let program = Program::new();
    let server = Server::start(&program);
    let remote = |args: &[&str]| {
        let mut args = args.to_vec();
        args.extend(["--store", &server.url]);
        program.run(&args)
    };
    let file = runs().to_string_lossy().into_owned();
    let said = remote(&["import", "--json", &file]).expect_code(0).json();
    assert_eq!((said["actions"].as_u64(), said["steps"].as_u64()), (Some(3), Some(25)));
    let said = remote(&["import", "--json", &file]).expect_code(0).json();
    assert_eq!((said["actions"].as_u64(), said["actions_repeated"].as_u64()), (Some(0), Some(3)));
    let id = program.id("task-15");
    let asked: [&[&str]; 6] = [
        &["list", "--json"],
        &["list", "--json", "--verdict", "failure", "--limit", "1"],
        &["why", &id, "--json"],
        &["show", &id],
        &["dead-letters", "--json"],
        &["list", "--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z"],
    ];
    for args in asked {
        let local = program.run(args).expect_code(0);
        assert_eq!(remote(args).expect_code(0).stdout, local.stdout, "{args:?}");
    }
    assert_eq!(remote(&["export", "--json"]).json().as_array().map(Vec::len), Some(3));
    assert_eq!(remote(&["top", "--json"]).json()["stats"]["begun"], 3);
    remote(&["show", "00000000-0000-4000-8000-000000000000"]).expect_code(3);
    remote(&["dead-letters", "replay", "--json"]).expect_code(0);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(program.json(&["list", "--json"]).as_array().map(Vec::len), Some(3));
}

#[test]
fn the_store_of_a_server_is_read_beside_it_and_written_by_it_alone() {
    let program = Program::with_runs();
    let server = Server::start(&program);
    program.run(&["list"]).expect_code(0);
    program.run(&["why", "last"]).expect_code(0);
    program.run(&["verify"]).expect_code(0);
    let file = runs().to_string_lossy().into_owned();
    for args in [&["import", &file][..], &["dead-letters", "replay"], &["serve", "--listen", "127.0.0.1:0"]] {
        let said = program.run(args).expect_code(5);
        assert!(said.stderr.starts_with("error: "), "{args:?}: {}", said.stderr);
    }
    let taken = server.url.trim_start_matches("http://").to_owned();
    let other = Program::new();
    other.run(&["serve", "--listen", &taken]).expect_code(5);
    other.run(&["serve", "--listen", "0.0.0.0:0"]).expect_code(2);
    assert_eq!(server.stop(), Some(0));
}
