//! The server's own counters, and all counters in the Prometheus text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use accredit::Stats;

/// Upper bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Requests by method, path template and status, and their latency. Memory is bounded: labels come from the route
/// table.
#[derive(Default)]
pub(crate) struct Meter(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    requests: BTreeMap<(&'static str, &'static str, u16), u64>,
    latency: BTreeMap<(&'static str, &'static str), Histogram>,
}

#[derive(Default)]
struct Histogram {
    /// Per bound those at or under it and over the one before; those over all bounds are in `count` alone.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum_seconds: f64,
}

impl Meter {
    /// Counts one answer; `latency` is the time until its head was ready.
    pub(crate) fn count(&self, method: &'static str, path: &'static str, status: u16, latency: Duration) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.requests.entry((method, path, status)).or_default() += 1;
        let histogram = counts.latency.entry((method, path)).or_default();
        let seconds = latency.as_secs_f64();
        if let Some(idx) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            histogram.buckets[idx] += 1;
        }
        histogram.count += 1;
        histogram.sum_seconds += seconds;
    }

    /// All metrics: the engine's and the server's.
    pub(crate) fn render(&self, stats: &Stats) -> String {
        let mut page = Page::default();
        write_stats(&mut page, stats);
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        page.family("accredit_http_requests_total", "counter", "Requests answered");
        for ((method, path, status), n) in &counts.requests {
            page.sample(
                "accredit_http_requests_total",
                &[("method", method), ("path", path), ("status", &status.to_string())],
                *n,
            );
        }
        let name = "accredit_http_request_duration_seconds";
        page.family(name, "histogram", "Time until the head of the answer was ready");
        for ((method, path), histogram) in &counts.latency {
            write_histogram(&mut page, name, [("method", method), ("path", path)], histogram);
        }
        page.0
    }
}

fn write_histogram(page: &mut Page, name: &str, labels: [(&str, &str); 2], histogram: &Histogram) {
    let [method, path] = labels;
    let mut below = 0;
    for (bound, n) in BOUNDS.iter().zip(histogram.buckets) {
        below += n;
        page.sample(&format!("{name}_bucket"), &[method, path, ("le", &bound.to_string())], below);
    }
    page.sample(&format!("{name}_bucket"), &[method, path, ("le", "+Inf")], histogram.count);
    page.sample(&format!("{name}_sum"), &[method, path], histogram.sum_seconds);
    page.sample(&format!("{name}_count"), &[method, path], histogram.count);
}

fn write_stats(page: &mut Page, stats: &Stats) {
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(&[(&str, &str)], u64)]| {
        page.family(name, kind, help);
        for (labels, n) in samples {
            page.sample(name, labels, *n);
        }
    };
    family("accredit_actions_begun_total", "counter", "Actions ever begun", &[(&[], stats.begun)]);
    // A gauge: a true completion after a time-out moves an action from one status to another.
    family(
        "accredit_actions",
        "gauge",
        "Actions by the status they stand in",
        &[
            (&[("status", "open")], stats.open),
            (&[("status", "completed")], stats.completed),
            (&[("status", "timed_out")], stats.timed_out),
            (&[("status", "evicted")], stats.evicted),
            (&[("status", "cancelled")], stats.cancelled),
        ],
    );
    family("accredit_entries_received_total", "counter", "Entries that arrived", &[(&[], stats.received)]);
    family(
        "accredit_entries_recorded_total",
        "counter",
        "Entries stored",
        &[(&[("kind", "step")], stats.steps), (&[("kind", "observation")], stats.observations)],
    );
    family("accredit_entries_repeated_total", "counter", "Entries that were stored before", &[(&[], stats.repeated)]);
    family("accredit_revisions_total", "counter", "Attribution versions beyond the first", &[(&[], stats.revisions)]);
    family("accredit_deliveries_total", "counter", "Deliveries owed, made or not", &[(&[], stats.experiences)]);
    page.family("accredit_entries_refused_total", "counter", "Entries refused");
    for (reason, n) in &stats.refused {
        page.sample("accredit_entries_refused_total", &[("reason", reason)], *n);
    }
    page.family("accredit_deliveries", "gauge", "Deliveries by sink and state");
    for sink in &stats.sinks {
        for (state, n) in [("delivered", sink.delivered), ("pending", sink.pending), ("dead", sink.dead)] {
            page.sample("accredit_deliveries", &[("sink", &sink.name), ("state", state)], n);
        }
    }
}

/// Text in the Prometheus format. Writing to a `String` cannot fail.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _infallible = writeln!(self.0, "# HELP {name} {help}.\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (idx, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n");
            let open = if idx == 0 { '{' } else { ',' };
            let _infallible = write!(self.0, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _infallible = writeln!(self.0, "{close} {value}");
    }
}
