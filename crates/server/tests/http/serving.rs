//! The server behind a real socket.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use accredit::{Config, Engine};
use accredit_server::{Running, ServeError, ServerConfig, serve};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

struct Server {
    running: Running,
    stop: oneshot::Sender<()>,
    engine: Engine,
    _folder: TempDir,
}

async fn start() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(Config::at(folder.path().join("accredit.db"))).unwrap();
    let (stop, stopped) = oneshot::channel();
    let config = ServerConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)) };
    let shutdown = async { drop(stopped.await) };
    let running = serve(engine.clone(), config, shutdown).await.unwrap();
    Server { running, stop, engine, _folder: folder }
}

async fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

async fn read_all(connection: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn addresses_that_others_can_reach_are_refused() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.168.1.5:7117"] {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(Config::at(folder.path().join("accredit.db"))).unwrap();
        let config = ServerConfig { listen: listen.parse().unwrap() };
        let error = serve(engine, config, std::future::pending()).await.unwrap_err();
        assert!(matches!(error, ServeError::NotLoopback { .. }));
        let text = error.to_string();
        assert!(text.contains("no access keys") && text.contains("127.0.0.1"), "{text}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_says_so() {
    let server = start().await;
    let config = ServerConfig { listen: server.running.address() };
    let error = serve(server.engine.clone(), config, std::future::pending()).await.unwrap_err();
    assert!(matches!(error, ServeError::Listen { .. }));
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_answers_under_its_address_and_stops_when_told() {
    let server = start().await;
    let address = server.running.address();
    assert_ne!(address.port(), 0);
    let request = format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let answer = read_all(&mut send(address, &request).await).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");

    let foreign = "GET /healthz HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n";
    let answer = read_all(&mut send(address, foreign).await).await;
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");

    // A stream, a long poll and an idle connection do not hold it up.
    let events = format!("GET /v1/events HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut events = send(address, &events).await;
    let poll = format!("GET /v1/experiences?wait_seconds=30 HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut poll = send(address, &poll).await;
    let _idle = send(address, "").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    server.stop.send(()).unwrap();
    let (events, poll) = tokio::join!(read_all(&mut events), read_all(&mut poll));
    assert!(events.ends_with("0\r\n\r\n"), "the stream ends as it should: {events}");
    assert!(poll.starts_with("HTTP/1.1 200 OK") && poll.ends_with("\"next_cursor\":0}"), "{poll}");
    server.running.finished().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(TcpStream::connect(address).await.is_err());
    server.engine.stats().unwrap();
}

/// Most HTTP clients read nothing before they have sent everything; answers must not hold up the sending.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ingest_client_may_read_after_it_has_sent_everything() {
    let server = start().await;
    let address = server.running.address();
    let line = "{\"op\":\"heartbeat\",\"action_id\":\"018f0000-0000-7000-8000-0000000000ff\"}\n";
    let n_lines = 200_000;
    let head = format!(
        "POST /v1/ingest HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        line.len() * n_lines
    );
    let mut connection = send(address, &head).await;
    let sending = async {
        for _ in 0..200 {
            connection.write_all(line.repeat(n_lines / 200).as_bytes()).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), sending).await.expect("sending is not held up");
    let answer = read_all(&mut connection).await;
    assert_eq!(answer.matches("\"unknown_action\"").count(), n_lines);
}
