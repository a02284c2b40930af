//! Listening, serving, stopping.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use accredit::Engine;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::problem::Problem;
use crate::{gate, routes};

/// How long requests at work may take once the server was told to stop.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// What the server needs to know.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen: a loopback address; port 0 takes any free port. Everybody who runs a second server sets it.
    pub listen: SocketAddr,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7117)) }
    }
}

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address can be reached from other machines.
    #[error(
        "listen on {listen}: there are no access keys yet, so anyone who reaches that address could read and write \
         everything; listen on 127.0.0.1:{} or [::1]:{} and put a proxy that authenticates, or an SSH tunnel, in front",
        listen.port(), listen.port()
    )]
    NotLoopback {
        /// The address that was asked for.
        listen: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("listen on {listen}; is another server running there? `--listen 127.0.0.1:0` takes any free port")]
    Listen {
        /// The address that was asked for.
        listen: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The serving task ended by itself: a bug.
    #[error("keep serving: the task that accepts connections ended")]
    Ended,
}

/// A server that listens.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    /// The address it listens on, with the port that was taken where 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server was told to stop and has finished its requests. Dropping a `Running` leaves it running.
    ///
    /// # Errors
    /// When the server ended without having been told to.
    pub async fn finished(self) -> Result<(), ServeError> {
        self.task.await.unwrap_or(Err(ServeError::Ended))
    }
}

/// Listens, and serves until `shutdown` resolves: then it accepts nothing more, ends its streams, and finishes the
/// requests at work within ten seconds. The engine stays open; it is the caller's.
///
/// # Errors
/// When the address is not a loopback address or cannot be listened on.
pub async fn serve(
    engine: Engine,
    config: ServerConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, ServeError> {
    let ServerConfig { listen } = config;
    if !listen.ip().is_loopback() {
        return Err(ServeError::NotLoopback { listen });
    }
    let failed = |source| ServeError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let task = tokio::spawn(run(App::new(engine), listener, shutdown));
    Ok(Running { address, task })
}

async fn run(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    // Answers are small and wait for nobody: without this a stream's event may wait for the last one's acknowledgement.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off delayed sending");
        }
    });
    let stopping = app.stopping();
    let serving = axum::serve(listener, router_of(app.clone())).with_graceful_shutdown(stopping);
    let mut serving = tokio::spawn(serving.into_future());
    tokio::select! {
        _ = &mut serving => return Err(ServeError::Ended),
        () = shutdown => app.stop(),
    }
    if tokio::time::timeout(DRAIN_MAX, &mut serving).await.is_err() {
        tracing::warn!("some requests were still at work {} s after the order to stop", DRAIN_MAX.as_secs());
        serving.abort();
    }
    Ok(())
}

/// The routes over an engine, to mount in another server or to call without a socket. Its streams end when the engine
/// closes.
pub fn router(engine: Engine) -> Router {
    router_of(App::new(engine))
}

fn router_of(app: App) -> Router {
    let mut router = Router::new();
    for route in routes::ROUTES {
        router = router.route(route.path, (route.handler)());
    }
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(from_fn_with_state(app.clone(), gate::gate))
        .with_state(app)
}
