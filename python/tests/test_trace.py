"""Parents across threads, tasks and processes."""

from __future__ import annotations

import contextvars
import os
import subprocess
import sys
import threading
import uuid
from concurrent import futures
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import accredit

ID = "018f3c5e-0000-7000-8000-000000000001"
PARENT = "00-018f3c5e000070008000000000000001-8000000000000001-01"


def parents(rec: accredit.Recorder) -> dict[str, Any]:
    return {action["action_type"]: action["parent_action_id"] for action in rec.actions()}


def test_an_action_says_what_it_is_called_elsewhere(rec: accredit.Recorder) -> None:
    action = rec.action("agent", "type", action_id=ID)
    assert action.traceparent == PARENT
    assert action.tracestate == f"accredit={ID}"
    assert action.headers() == {"traceparent": PARENT, "tracestate": f"accredit={ID}"}
    assert action.environ() == {"ACCREDIT_PARENT": ID, "TRACEPARENT": PARENT, "TRACESTATE": f"accredit={ID}"}


def test_headers_that_are_there_stay(rec: accredit.Recorder) -> None:
    foreign = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {"traceparent": foreign, "tracestate": f"vendor=a, accredit={uuid.uuid4()},other=b"}
    made = rec.action("agent", "type", action_id=ID).headers(headers)
    assert made is headers
    assert made == {"traceparent": foreign, "tracestate": f"accredit={ID},vendor=a,other=b"}
    assert accredit.parent_from(made) == ID


@pytest.mark.parametrize(
    ("carrier", "parent"),
    [
        (PARENT, ID),
        (PARENT.encode(), ID),
        (PARENT[:-2] + "00", ID),
        (f"accredit={ID}", ID),
        (f"vendor=x, accredit={ID} ,y=z", ID),
        (ID, ID),
        (ID.upper(), ID),
        ({"TraceParent": PARENT}, ID),
        (
            {"Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "TraceState": f"accredit={ID}"},
            ID,
        ),
        ([(b"host", b"x"), (b"traceparent", PARENT.encode())], ID),
        ([("tracestate", "a=b"), ("tracestate", f"accredit={ID}")], ID),
        ({"tracestate": [f"accredit={ID}"]}, ID),
        # Another tracer's header names no action: its ids have nothing to do with one another.
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
        ("00-" + "0" * 32 + "-" + "0" * 16 + "-01", None),
        ("accredit=zzzzzzzz-0000-7000-8000-000000000001", None),
        ("", None),
        ({}, None),
        ([1, 2], None),
        (3, None),
        (object(), None),
    ],
)
def test_what_names_a_parent(carrier: Any, parent: Any) -> None:
    assert accredit.parent_from(carrier) == parent


@given(st.uuids())
def test_every_id_comes_back(id: uuid.UUID) -> None:
    class Named(accredit._trace.Traced):
        def __init__(self) -> None:
            self.id = str(id)

    assert accredit.parent_from(Named().traceparent) == str(id)
    assert accredit.parent_from({"tracestate": Named().tracestate}) == str(id)


def test_the_environment_names_a_parent(rec: accredit.Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCREDIT_PARENT", "TRACEPARENT", "TRACESTATE"):
        monkeypatch.delenv(name, raising=False)
    assert accredit.parent_from() is None
    monkeypatch.setenv("TRACEPARENT", PARENT)
    assert accredit.parent_from() == ID
    other = str(uuid.uuid4())
    monkeypatch.setenv("ACCREDIT_PARENT", other)
    assert accredit.parent_from() == other
    with rec.action("agent", "child", parent=accredit.parent_from()):
        pass
    assert parents(rec) == {"child": other}


def test_a_header_names_the_parent_of_an_action(rec: accredit.Recorder) -> None:
    with rec.action("agent", "outer") as outer:
        with rec.action("agent", "remote", traceparent=PARENT):
            pass
        with rec.action("agent", "all", traceparent={"tracestate": f"accredit={ID}"}):
            pass
        with rec.action("agent", "foreign", traceparent="nonsense"):
            pass
        with rec.action("agent", "named", parent=outer, traceparent=PARENT):
            pass
    assert parents(rec) == {"outer": None, "remote": ID, "all": ID, "foreign": outer.id, "named": outer.id}


def test_another_process_finds_its_parent(rec: accredit.Recorder, tmp_path: Any) -> None:
    code = (
        "import accredit, sys\n"
        "with accredit.open(sys.argv[1]) as rec:\n"
        "    with rec.action('child', 'work', parent=accredit.parent_from()):\n"
        "        pass\n"
    )
    with rec.action("agent", "outer") as outer:
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "child.db")], check=True, env={**os.environ, **outer.environ()}
        )
    with accredit.open(tmp_path / "child.db") as child:
        assert parents(child) == {"work": outer.id}


def work(rec: accredit.Recorder, name: str) -> None:
    with rec.action("agent", name):
        pass


def test_threads(rec: accredit.Recorder) -> None:
    with rec.action("agent", "outer") as outer:
        bound = accredit.propagate(work)
        threads = [threading.Thread(target=bound, args=(rec, f"propagated {n}")) for n in range(4)]
        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(work, rec, "copied")))
        threads.append(threading.Thread(target=work, args=(rec, "bare")))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = parents(rec)
    # A free-threaded or newer interpreter may hand its context on by itself.
    inherits = getattr(sys.flags, "thread_inherit_context", 0)
    assert found.pop("bare") == (outer.id if inherits else None)
    assert found.pop("outer") is None
    assert set(found.values()) == {outer.id} and len(found) == 5


def test_executors(rec: accredit.Recorder) -> None:
    with accredit.ThreadPoolExecutor(2) as pool:
        with rec.action("agent", "outer") as outer:
            futures.wait([pool.submit(work, rec, "submitted")])
            list(pool.map(lambda name: work(rec, name), ["mapped 1", "mapped 2"]))
        pool.submit(work, rec, "outside").result()
        with pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 // 0).result()
    assert parents(rec) == {
        "outer": None,
        "submitted": outer.id,
        "mapped 1": outer.id,
        "mapped 2": outer.id,
        "outside": None,
    }


def test_a_propagated_function_keeps_its_name() -> None:
    assert accredit.propagate(work).__name__ == "work"
