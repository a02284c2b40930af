//! `accredit serve`

use accredit::Engine;
use accredit_server::ServerConfig;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Global, ServeArgs};
use crate::out::{self, Out};
use crate::source::{self, Use};
use crate::{Error, Exit};

/// Environment variable that says what is logged: `info`, `warn,accredit_server=debug`…
const LOG: &str = "ACCREDIT_LOG";

pub(super) fn run(global: &Global, args: &ServeArgs, out: &mut Out) -> Result<Exit, Error> {
    log();
    let config = source::config(global, Use::Create)?;
    let store = config.store.clone();
    let engine = Engine::open(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let server = ServerConfig { listen: args.listen };
    let serving = engine.clone();
    runtime.block_on(async {
        let stop = asked_to_stop().map_err(Error::Runtime)?;
        let running = accredit_server::serve(serving, server, stop).await?;
        let address = running.address();
        out::note(&format!("store {}", store.display()));
        if global.json {
            out.json(&json!({ "listening": format!("http://{address}"), "store": store }))?;
        } else {
            out.text(&format!("listening on http://{address}\n"))?;
        }
        out.flush()?;
        running.finished().await.map_err(Error::from)
    })?;
    // Everything that was acknowledged is on disk already; this ends the threads and hands on what is owed to sinks.
    engine.close()?;
    out::note("stopped");
    Ok(Exit::Ok)
}

/// Resolves at Ctrl-C or SIGTERM. Listens from the moment it is made, so no signal falls in between.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        out::note("stopping");
    })
}

/// Logs go to standard error; standard output belongs to the command.
fn log() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::WARN.into())
        .with_env_var(LOG)
        .from_env_lossy();
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // An error here means that a subscriber is set already, which then serves as well.
    drop(tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi).try_init());
}
