//! A learner over HTTP, as small as can be: it keeps every request and answers what it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// What a learner answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Ok,
    ServerError,
}

/// A request as it came.
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Listens until the test ends; its thread goes with the process.
pub(crate) struct Learner {
    address: SocketAddr,
    requests: Receiver<Request>,
}

impl Learner {
    /// Answers each request by its number, from 0.
    pub(crate) fn start(answer: impl Fn(usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = read_request(&stream);
                let status = match answer(number) {
                    Reply::Ok => "200 OK",
                    Reply::ServerError => "500 Internal Server Error",
                };
                // The request is known before the answer is out, so that a test sees it once the delivery counts.
                if sender.send(request).is_err() {
                    return;
                }
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request; fails the test when none comes.
    #[track_caller]
    pub(crate) fn request(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(30)).expect("a request comes within half a minute")
    }

    /// The requests that have come so far.
    pub(crate) fn n_waiting(&self) -> usize {
        self.requests.try_iter().count()
    }
}

fn read_request(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let headers: Vec<(String, String)> = (lines.iter().skip(1))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    Request { line: lines.first().cloned().unwrap_or_default(), headers, body: serde_json::from_slice(&body).unwrap() }
}
