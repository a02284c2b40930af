"""``python -m accredit.bench``: what recording costs the agent, against a plain recorder in memory, in one process.

What is measured is time in the agent's own thread: the least of several rounds in a tight loop, so that what else runs on
the machine disturbs it least. accredit writes all of it to a file meanwhile, and its completion returns when that is
durable; the reference (:mod:`accredit._reference`) keeps it in memory. Where OpenTelemetry's SDK is installed, one span for
each step is measured as well.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from typing import Any, Callable, Optional

import accredit
from accredit import _reference

#: About 200 bytes of JSON.
STATE: dict[str, Any] = {
    "query": "flights from Berlin to Lisbon on 3 May, one way, hand luggage only",
    "results": 42,
    "cheapest": 89.5,
    "currency": "EUR",
    "filters": ["nonstop", "morning"],
    "cached": False,
    "page": 1,
    "session": "b7c9a1e04d52",
}

#: Of one action: the reference takes no more.
STEPS = 1_000

#: Seconds between the last step of an action and its completion.
QUIET = 0.05

#: Measured calls of recording: name, and the measure of each recorder.
ROWS = [
    "step",
    "step with a state of 200 bytes",
    "step by id",
    "step by id, with state",
]


def _loop(begin: Callable[[], Any], step: Callable[[Any], Any], end: Callable[[Any], Any], rounds: int) -> float:
    """Seconds of one call, the least of all rounds."""
    best = float("inf")
    for _ in range(rounds):
        of = begin()
        calls = range(STEPS)
        started = time.perf_counter()
        for _ in calls:
            step(of)
        best = min(best, (time.perf_counter() - started) / STEPS)
        end(of)
    return best


def _accredit(rec: accredit.Recorder, rounds: int) -> dict[str, float]:
    def begin() -> accredit.Action:
        return rec.action("planner", "book_flight")

    def begin_by_id() -> str:
        return rec.begin_action("planner", "book_flight")

    def end(action: Any) -> None:
        rec.cancel_action(action)

    by_id = rec.record_step
    return {
        ROWS[0]: _loop(begin, lambda a: a.step("chose the cheapest", decision="search", confidence=0.8), end, rounds),
        ROWS[1]: _loop(
            begin, lambda a: a.step("chose the cheapest", decision="search", confidence=0.8, state=STATE), end, rounds
        ),
        ROWS[2]: _loop(
            begin_by_id, lambda i: by_id(i, "chose the cheapest", decision="search", confidence=0.8), end, rounds
        ),
        ROWS[3]: _loop(begin_by_id, lambda i: by_id(i, "chose the cheapest", STATE, "search", 0.8), end, rounds),
    }


def _plain(rounds: int) -> dict[str, float]:
    rec = _reference.Recorder()

    def begin() -> str:
        return rec.begin_action("planner", "book_flight")

    record = rec.record_step
    without = _loop(
        begin, lambda i: record(i, "chose the cheapest", decision="search", confidence=0.8), rec.complete_action, rounds
    )
    with_state = _loop(begin, lambda i: record(i, "chose the cheapest", STATE, "search", 0.8), rec.complete_action, rounds)
    return {ROWS[0]: without, ROWS[1]: with_state, ROWS[2]: without, ROWS[3]: with_state}


def _opentelemetry(rounds: int) -> Optional[dict[str, float]]:
    """One span a step, batched to an exporter that drops it; ``None`` where the SDK is not installed."""
    try:
        trace = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
    except ImportError:
        return None

    nowhere = type("Nowhere", (export.SpanExporter,), {"export": lambda _, spans: export.SpanExportResult.SUCCESS})
    provider = trace.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(nowhere()))
    tracer = provider.get_tracer("bench")
    flat = {key: value for key, value in STATE.items()}

    def span(tracer: Any) -> None:
        with tracer.start_as_current_span("chose the cheapest") as made:
            made.set_attribute("decision", "search")
            made.set_attribute("confidence", 0.8)

    def span_with_state(tracer: Any) -> None:
        with tracer.start_as_current_span("chose the cheapest", attributes=flat) as made:
            made.set_attribute("decision", "search")
            made.set_attribute("confidence", 0.8)

    def end(_: Any) -> None:
        provider.force_flush()

    without = _loop(lambda: tracer, span, end, rounds)
    with_state = _loop(lambda: tracer, span_with_state, end, rounds)
    provider.shutdown()
    return {ROWS[0]: without, ROWS[1]: with_state}


def _completion(rec: accredit.Recorder, folder: str, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of completing an action of 1,000 steps: accredit's, durable; the reference's, in memory; and of making 4 KB
    durable in the same folder at the same place of every other round, which no durable completion goes below."""
    ours, theirs, fsync = [], [], []
    plain = _reference.Recorder()
    with open(os.path.join(folder, "fsync"), "wb", buffering=0) as file:
        for at_round in range(2 * rounds):
            action = rec.action("planner", "book_flight")
            action_id = plain.begin_action("planner", "book_flight", None, {"booked": True})
            for at in range(STEPS):
                action.step(f"step {at}", decision="search", confidence=0.8, state=STATE)
                plain.record_step(action_id, f"step {at}", STATE, "search", 0.8)
            rec.flush()
            # An agent that completes has not completed another one just before: by now that is attributed.
            time.sleep(QUIET)
            if at_round % 2:
                file.write(bytes(4_096))
                fsync.append(_seconds(lambda: os.fsync(file.fileno())))
                action.complete({"booked": True})
            else:
                ours.append(_seconds(lambda: action.complete({"booked": True})))
            theirs.append(_seconds(lambda: plain.complete_action(action_id, {"booked": True})))
    return ours, theirs, fsync


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def machine() -> str:
    """The machine and the interpreter in one line."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{name}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, {python}"


def measure(folder: Optional[str] = None, rounds: int = 30) -> dict[str, Any]:
    """Everything that is shown, in microseconds."""
    with tempfile.TemporaryDirectory(prefix="accredit-bench-", dir=folder) as place:
        with accredit.open(os.path.join(place, "bench.db")) as rec:
            ours = _accredit(rec, rounds)
            ours_complete, plain_complete, fsync = _completion(rec, place, max(rounds, 3))
            refused = rec.stats()["recorder"]["refused"]
    plain, spans = _plain(rounds), _opentelemetry(rounds)

    def micros(seconds: float) -> float:
        return round(seconds * 1e6, 3)

    return {
        "version": accredit.__version__,
        "machine": machine(),
        "recording_us": {
            row: {
                "accredit": micros(ours[row]),
                "reference": micros(plain[row]),
                "opentelemetry": micros(spans[row]) if spans and row in spans else None,
            }
            for row in ROWS
        },
        "completing_1000_steps_us": {
            "accredit_median": micros(statistics.median(ours_complete)),
            "accredit_least": micros(min(ours_complete)),
            "reference_median": micros(statistics.median(plain_complete)),
            "reference_least": micros(min(plain_complete)),
            "fsync_median": micros(statistics.median(fsync)),
            "fsync_least": micros(min(fsync)),
            "accredit_beyond_fsync_median": micros(statistics.median(ours_complete) - statistics.median(fsync)),
            "accredit_beyond_fsync_least": micros(min(ours_complete) - min(fsync)),
        },
        "refused": refused,
    }


def _shown(measured: dict[str, Any]) -> str:
    rows = measured["recording_us"]
    has_spans = any(row["opentelemetry"] is not None for row in rows.values())
    head = ["µs in the agent's thread", "accredit", "reference", "ratio"]
    table = [head + (["OpenTelemetry", "ratio"] if has_spans else [])]
    for name, row in rows.items():
        line = [name, f"{row['accredit']:.2f}", f"{row['reference']:.2f}", f"{row['reference'] / row['accredit']:.1f}x"]
        if has_spans:
            spans = row["opentelemetry"]
            line += ["", ""] if spans is None else [f"{spans:.2f}", f"{spans / row['accredit']:.1f}x"]
        table.append(line)
    widths = [max(len(line[at]) for line in table) for at in range(len(table[0]))]
    lines = [f"accredit {measured['version']} on {measured['machine']}", ""]
    for line in table:
        cells = [cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(line, widths))]
        lines.append("   ".join(cells).rstrip())
    done = measured["completing_1000_steps_us"]
    lines += [
        "",
        "completing an action of 1,000 steps          median     least",
        f"  reference, in memory                     {done['reference_median']:8.0f}  {done['reference_least']:8.0f} µs",
        f"  accredit, durable in a file              {done['accredit_median']:8.0f}  {done['accredit_least']:8.0f} µs",
        f"    of that one fsync of this disk         {done['fsync_median']:8.0f}  {done['fsync_least']:8.0f} µs",
        "    and beyond it                          "
        f"{done['accredit_beyond_fsync_median']:8.0f}  {done['accredit_beyond_fsync_least']:8.0f} µs",
        "",
        "ratio: how many times longer the other takes. accredit's steps are on disk 10 ms later; the others keep them in memory.",
    ]
    if measured["refused"]:
        lines.append(f"refused while measuring: {measured['refused']}")
    return "\n".join(lines)


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m accredit.bench", description="What recording costs the agent.")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--folder", help="where the store lies while it is measured; the system's temporary folder")
    parser.add_argument("--rounds", type=int, default=30, help="rounds of 1,000 steps each (default 30)")
    options = parser.parse_args(arguments)
    measured = measure(options.folder, max(options.rounds, 1))
    print(json.dumps(measured, indent=2) if options.json else _shown(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
