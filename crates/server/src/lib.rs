//! The HTTP door of accredit: REST, NDJSON ingest, server-sent events, health, metrics and OpenAPI 3.1 over one
//! [`Engine`](accredit::Engine).
//!
//! What this crate is not: it adds transport only, no meaning. It keeps no records, decides no refusal about content
//! and computes no number except those about itself; whatever an answer says about an action, the engine said. It has
//! no keys yet, and therefore listens on loopback addresses alone and refuses requests that a web page could forge
//! (a `Host` or an `Origin` that is not this machine).
//!
//! Limits: a JSON body has at most 8 MiB and 65,536 entries; a line of `POST /v1/ingest` at most 1 MiB (the stream has
//! no limit; at most 64 MiB of its answers wait for a client that does not read); a page at most 1,000 items and, for
//! experiences, about 16 MiB. A long poll waits at most 30 s, and a request body may pause as long. At most 1,024
//! requests are at work at once and 256 streams (events, experiences, ingest) open. Stopping takes at most 10 s.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let engine = accredit::Engine::open(accredit::Config::at(folder.path().join("accredit.db")))?;
//! let config = accredit_server::ServerConfig { listen: "127.0.0.1:0".parse()? };
//! let running = accredit_server::serve(engine, config, async { /* resolves when it is time to stop */ }).await?;
//! println!("listening on http://{}", running.address());
//! running.finished().await?;
//! # Ok(())
//! # }
//! ```

mod actions;
mod app;
mod body;
mod entries;
mod events;
mod feed;
mod gate;
mod health;
mod ingest;
mod lines;
mod meter;
mod openapi;
mod param;
mod problem;
mod reads;
mod route;
mod routes;
mod serve;

pub use openapi::openapi;
pub use serve::{Running, ServeError, ServerConfig, router, serve};
