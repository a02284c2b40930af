//! A server that answers as it is told, and keeps what it was sent as a real one would.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Without storing anything.
    Status(u16, &'static str),
    /// Reads, stores nothing, hangs up.
    HangUp,
    /// Stores everything, and hangs up after so many answers.
    CutAfter(usize),
    /// Stores everything, and answers after this time.
    Slow(Duration),
    /// Says of the line at this place that it could not be done now, and stores the others.
    Trouble(usize),
}

#[derive(Default)]
pub(crate) struct Kept {
    /// Commands that were stored, in order.
    pub(crate) stored: Vec<Value>,
    /// Lines of each request.
    pub(crate) requests: Vec<usize>,
    /// Headers of the last request.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) script: VecDeque<Reply>,
    /// Requests of more bytes are too large.
    pub(crate) body_bytes_max: Option<usize>,
    keys: HashSet<String>,
    n_repeats: usize,
}

pub(crate) struct FakeServer {
    pub(crate) address: SocketAddr,
    pub(crate) kept: Arc<Mutex<Kept>>,
    is_stopped: Arc<Mutex<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeServer {
    pub(crate) fn start(script: &[Reply]) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), Arc::default(), script)
    }

    /// The same server after a restart.
    pub(crate) fn start_at(address: SocketAddr, kept: Arc<Mutex<Kept>>, script: &[Reply]) -> Self {
        kept.lock().unwrap().script = script.iter().cloned().collect();
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let is_stopped = Arc::new(Mutex::new(false));
        let (keep, stopped) = (Arc::clone(&kept), Arc::clone(&is_stopped));
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if *stopped.lock().unwrap() {
                    return;
                }
                let keep = Arc::clone(&keep);
                std::thread::spawn(move || answer(connection.unwrap(), &keep));
            }
        });
        Self { address, kept, is_stopped, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn stop(mut self) -> Arc<Mutex<Kept>> {
        self.end();
        Arc::clone(&self.kept)
    }

    fn end(&mut self) {
        *self.is_stopped.lock().unwrap() = true;
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// A field of each stored command of this kind.
    pub(crate) fn stored(&self, op: &str, field: &str) -> Vec<String> {
        let kept = self.kept.lock().unwrap();
        let of = kept.stored.iter().filter(|command| command["op"] == op);
        of.map(|command| command[field].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn n_repeats(&self) -> usize {
        self.kept.lock().unwrap().n_repeats
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn answer(mut connection: TcpStream, kept: &Mutex<Kept>) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let n_bytes: usize = headers.get("content-length").and_then(|value| value.parse().ok()).unwrap_or_default();
    let mut body = vec![0; n_bytes];
    reader.read_exact(&mut body).unwrap();
    let lines: Vec<Value> =
        String::from_utf8(body).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut keep = kept.lock().unwrap();
    keep.requests.push(lines.len());
    keep.headers = headers;
    let reply = match keep.body_bytes_max {
        Some(max) if n_bytes > max => Some(Reply::Status(413, "")),
        _ => keep.script.pop_front(),
    };
    match &reply {
        Some(Reply::Status(status, headers)) => {
            let body = r#"{"code":"some_code","detail":"some sentence"}"#;
            let head =
                format!("HTTP/1.1 {status} x\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            drop(connection.write_all((head + body).as_bytes()));
            return;
        }
        Some(Reply::HangUp) => return,
        _ => {}
    }
    let trouble = if let Some(Reply::Trouble(at)) = reply { Some(at) } else { None };
    let answers: Vec<String> = lines.into_iter().enumerate().map(|(at, line)| keep.store(at, line, trouble)).collect();
    drop(keep);
    if let Some(Reply::Slow(time)) = reply {
        std::thread::sleep(time);
    }
    let cut = if let Some(Reply::CutAfter(n)) = reply { n } else { usize::MAX };
    let mut text = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for answer in answers.iter().take(cut) {
        text += &format!("{:x}\r\n{answer}\n\r\n", answer.len() + 1);
    }
    if cut == usize::MAX {
        text += "0\r\n\r\n";
    }
    drop(connection.write_all(text.as_bytes()));
}

impl Kept {
    fn store(&mut self, at: usize, command: Value, trouble: Option<usize>) -> String {
        if trouble == Some(at) {
            return json!({"line": at + 1, "ok": false, "reason": "store_unavailable", "detail": "x"}).to_string();
        }
        if command["description"] == "refuse me" {
            return json!({"line": at + 1, "ok": false, "reason": "closed_action", "detail": "x"}).to_string();
        }
        let key = match command["op"].as_str() {
            Some("step" | "observe") => format!("{} {}", command["action_id"], command["idempotency_key"]),
            op => format!("{} {op:?}", command["action_id"]),
        };
        let repeat = !self.keys.insert(key);
        self.n_repeats += usize::from(repeat);
        if !repeat {
            self.stored.push(command);
        }
        json!({"line": at + 1, "ok": true, "repeat": repeat}).to_string()
    }
}
