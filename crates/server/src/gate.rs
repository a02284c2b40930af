//! What every request passes: who asks, how much is at work, which parameters there are; and what it leaves behind, a
//! counter and a span. No body and no query is logged.

use std::net::IpAddr;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use tracing::field::Empty;

use crate::app::App;
use crate::param::Query;
use crate::problem::Problem;
use crate::routes;

/// The label of requests that no route takes.
const OTHER: &str = "other";

pub(crate) async fn gate(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_label(request.method());
    let path = request.extensions().get::<MatchedPath>().and_then(|path| template(path.as_str()));
    let span =
        tracing::debug_span!("request", method, path = path.unwrap_or(OTHER), status = Empty, latency_us = Empty);
    let mut response = pass(&app, path, request, next).instrument(span.clone()).await;
    // What is recorded is anybody's text: no browser may take it for a page, or keep it.
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let (status, latency) = (response.status().as_u16(), started.elapsed());
    app.meter().count(method, path.unwrap_or(OTHER), status, latency);
    span.record("status", status).record("latency_us", u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    span.in_scope(|| tracing::debug!("answered"));
    response
}

async fn pass(app: &App, path: Option<&'static str>, request: Request, next: Next) -> Response {
    let allowed = from_this_machine(request.uri(), request.headers())
        .and_then(|()| check_query(path, request.method(), request.uri()))
        .and_then(|()| app.admit());
    match allowed {
        Ok(_place) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check_query(path: Option<&'static str>, method: &Method, uri: &Uri) -> Result<(), Problem> {
    let route = routes::ROUTES.iter().find(|route| Some(route.path) == path && route.verb.takes(method));
    route.map_or(Ok(()), |route| Query::parse(uri.query()).check(route.query))
}

/// A web page of anywhere can make a browser on this machine send requests to a loopback address. Its own name resolved
/// to 127.0.0.1 shows in `Host`, and its origin in `Origin`.
fn from_this_machine(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let hosts = host.into_iter().chain(uri.authority().map(axum::http::uri::Authority::as_str));
    if !hosts.into_iter().all(is_loopback) {
        let detail = "this server answers to localhost, 127.0.0.1 and [::1] only; a proxy in front must set `Host`";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", detail));
    }
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| is_loopback(host));
    if !origin.is_none_or(is_own) {
        let detail = "web pages from other origins may not use this server";
        return Err(Problem::new(StatusCode::FORBIDDEN, "foreign_origin", detail));
    }
    Ok(())
}

/// Whether `host`, `host:port`, `[v6]` or `[v6]:port` is this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn template(path: &str) -> Option<&'static str> {
    routes::ROUTES.iter().map(|route| route.path).find(|own| *own == path)
}

/// Methods are the client's words: those without a meaning here share one label, so that counters stay few.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "LocalHost:7117", "127.0.0.1", "127.0.0.1:80", "127.8.8.8", "[::1]", "[::1]:7117"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com", "127.0.0.1.nip.io", "10.0.0.1:7117", "[::2]:1", "[", "0.0.0.0"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
