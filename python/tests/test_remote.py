"""Recording to a real server: the same calls, and everything arrives once whatever happens to the server."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time
import uuid

import accredit
import pytest

from served import Server, free_port, wait_sent, wait_until


def own(rec: accredit.Recorder) -> dict[str, object]:
    return dict(json.loads(rec._native.own_stats()))


def descriptions(rec: accredit.Recorder, action_id: str) -> list[str]:
    return [entry["description"] for entry in rec.chain(action_id) if entry["kind"] == "step"]


def test_the_same_calls_as_over_a_store(server: Server, spool: pathlib.Path) -> None:
    with accredit.connect(server.url, spool=spool) as rec:
        with rec.action("planner", "book_flight", goal="g1", expect={"booked": True}, criteria=["price < 100"]) as a:
            assert a.step("chose the cheapest", {"fares": [90, 80]}, "search", 0.8, key="cheapest")
            assert a.observe("tool_result", {"booked": True}, "airline")
            with rec.action("buyer", "pay") as b:
                b.step("paid")
                assert b.complete({}, reward=0.5)
            assert a.complete({"booked": True, "price": 80})
            assert a.closed and not a.step("too late")
            assert not rec.record_step(a.id, "too late by its id")
        assert rec.attribution(a.id)["verdict"] == "success"
        assert not a.complete({"booked": True, "price": 80}), "nothing new was completed"
        assert a.revise({"booked": False}, reason="cancelled by the airline")
        assert [found["version"] for found in rec.attributions(a.id)] == [1, 2]
        assert rec.get_action(a.id)["goal_id"] == "g1"
        assert rec.get_action(b.id)["parent_action_id"] == a.id
        assert descriptions(rec, a.id) == ["chose the cheapest"]
        assert rec.tree(a.id)["root"] == a.id
        assert {found["action_id"] for found in rec.actions(limit=5)} == {a.id, b.id}
        assert [found["action_id"] for found in rec.actions(agent_id="buyer")] == [b.id]
        assert len(rec.experiences()) == 3
        assert rec.insights("book_flight")["action_type"] == "book_flight"
        assert rec.models("book_flight") == []
        assert (rec.agent("planner") or {})["actions"] == 1
        assert rec.agent("nobody at all/?") is None
        by_id = rec.begin_action("x", "y")
        assert rec.heartbeat(by_id) and rec.cancel_action(by_id, "why not")
        stats = rec.stats()
        assert (stats["begun"], stats["completed"], stats["cancelled"]) == (3, 2, 1)
        mine = stats["recorder"]
        assert mine["spooled"] == 0 and not mine["server_away"] and mine["refused"] == {"closed_action": 2}


def test_what_only_the_server_does_is_refused_clearly(server: Server, spool: pathlib.Path) -> None:
    with accredit.connect(server.url, spool=spool) as rec:
        for call in (rec.learn, rec.cleanup_expired):
            with pytest.raises(accredit.RefusedError, match="server's own work"):
                call()
        with pytest.raises(accredit.NotFoundError):
            rec.get_action(str(uuid.uuid4()))
        with pytest.raises(accredit.RefusedError):
            rec.actions(status="no such status")


def test_unknown_actions_are_counted_when_the_server_says_so(server: Server, spool: pathlib.Path) -> None:
    with accredit.connect(server.url, spool=spool) as rec:
        unknown = str(uuid.uuid4())
        rec.record_step(unknown, "to nobody")
        rec.flush()
        assert own(rec)["refused"] == {"unknown_action": 1}
        assert not rec.record_step(unknown, "and again"), "now it is known"
        assert not rec.record_step("no uuid", "s")
    with accredit.connect(server.url, spool=spool, strict=True) as rec:
        with pytest.raises(accredit.NotFoundError):
            rec.record_step(str(uuid.uuid4()), "to nobody")
        a = rec.action("a", "t")
        a.step("s")
        with pytest.raises(accredit.RefusedError):
            a.step("s", confidence=float("nan"))
        a.complete({"success": True})
        with pytest.raises(accredit.ConflictError):
            a.complete({"success": False})


@pytest.mark.parametrize(
    "arguments",
    [
        ("ftp://x", {}),
        ("http://", {}),
        ("http://user:secret@127.0.0.1", {}),
        ("http://127.0.0.1:1", {"key": "two words"}),
        ("http://127.0.0.1:1", {"timeout": 0}),
        ("http://127.0.0.1:1", {"timeout": float("nan")}),
    ],
)
def test_arguments_that_cannot_be_used(arguments: tuple[str, dict[str, object]], spool: pathlib.Path) -> None:
    url, others = arguments
    with pytest.raises(accredit.RefusedError) as raised:
        accredit.connect(url, spool=spool, **others)  # type: ignore[arg-type]
    assert "secret" not in str(raised.value) and "two words" not in str(raised.value)


def test_a_spool_that_cannot_be_used(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(accredit.UnavailableError):
        accredit.connect("http://127.0.0.1:1", spool=tmp_path / "file")


def test_a_server_that_is_killed_and_comes_back(
    server: Server, spool: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    rec = accredit.connect(server.url, spool=spool, timeout=5)
    done = rec.action("a", "t")
    half = rec.action("a", "t")
    for n in range(50):
        done.step(f"step {n}")
        half.step(f"step {n}")
    assert done.complete({"success": True})
    rec.flush()
    server.kill()
    for n in range(50, 100):
        assert half.step(f"step {n}")
    away = rec.action("a", "t")
    away.step("alone")
    with caplog.at_level(logging.WARNING, "accredit"):
        assert half.complete({"success": True}), "it is durable here"
        assert away.complete({"success": False})
    assert len([said for said in caplog.records if said.name == "accredit"]) == 1, "it is said once"
    assert rec._native.live and own(rec)["spooled"] == 54 and own(rec)["server_away"]
    with pytest.raises(accredit.UnavailableError):
        rec.attribution(half.id)
    with pytest.raises(accredit.UnavailableError):
        rec.stats()
    rec.flush()
    server.start()
    wait_sent(rec)
    assert descriptions(rec, done.id) == [f"step {n}" for n in range(50)]
    assert descriptions(rec, half.id) == [f"step {n}" for n in range(100)]
    assert (rec.attribution(half.id)["verdict"], rec.attribution(away.id)["verdict"]) == ("success", "failure")
    assert rec.revise_outcome(half.id, {"success": False})
    stats = rec.stats()
    assert (stats["begun"], stats["completed"], stats["open"], stats["steps"]) == (3, 3, 0, 151)
    assert stats["refused_total"] == 0 and stats["recorder"]["refused"] == {}
    rec.close()


def test_a_server_that_is_killed_again_and_again_under_load(server: Server, spool: pathlib.Path) -> None:
    """Cut connections in the middle of batches: what may have arrived is sent again, and stored once."""
    rec = accredit.connect(server.url, spool=spool, timeout=5)
    ids: list[str] = []
    for round_ in range(4):
        for _ in range(5):
            a = rec.action("a", "t")
            ids.append(a.id)
            for n in range(400):
                a.step(f"step {n}", {"n": n, "text": "x" * 200})
            a.complete({}, reward=1.0)
            if round_ < 3 and len(ids) % 5 == 3:
                # While requests are at work.
                rec.action("a", "other").step("in flight")
                server.kill()
                server.start()
    rec.flush()
    wait_sent(rec, 120)
    expected = [f"step {n}" for n in range(400)]
    for action_id in ids:
        assert descriptions(rec, action_id) == expected
        assert rec.attribution(action_id)["version"] == 1
    assert rec.stats()["completed"] == 20
    rec.close()


def test_what_one_process_leaves_the_next_one_sends(tmp_path: pathlib.Path, spool: pathlib.Path) -> None:
    server = Server(tmp_path)
    code = f"""
        import accredit, os
        rec = accredit.connect({server.url!r}, spool={str(spool)!r})
        a = rec.action("a", "t")
        for n in range(1000):
            a.step(f"step {{n}}")
        assert a.complete({{"success": True}})
        b = rec.action("a", "t")
        b.step("open")
        rec.flush()
        print(a.id, b.id, flush=True)
        os._exit(7)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert ended.returncode == 7, ended.stderr
    closed, open_ = ended.stdout.split()
    server.start()
    with accredit.connect(server.url, spool=spool) as rec:
        wait_sent(rec)
        assert descriptions(rec, closed) == [f"step {n}" for n in range(1000)]
        assert rec.attribution(closed)["verdict"] == "success"
        assert rec.record_step(open_, "goes on") and rec.complete_action(open_, {})
        assert descriptions(rec, open_) == ["open", "goes on"]
    server.stop()


def test_an_interpreter_that_ends_leaves_nothing_behind(server: Server, spool: pathlib.Path) -> None:
    code = f"""
        import accredit
        rec = accredit.connect({server.url!r}, spool={str(spool)!r})
        a = rec.action("a", "t")
        a.step("never flushed")
        print(a.id)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    with accredit.connect(server.url, spool=spool) as rec:
        assert descriptions(rec, ended.stdout.strip()) == ["never flushed"]


def test_batches_of_any_size(server: Server, spool: pathlib.Path) -> None:
    with accredit.connect(server.url, spool=spool, timeout=60) as rec:
        ids = []
        for n_steps, n_bytes in [(1, 10), (3_000, 10), (40, 60_000), (2, 3_000_000)]:
            a = rec.action("a", "t")
            for _ in range(n_steps):
                assert a.step("s", {"text": "x" * n_bytes})
            assert a.complete({})
            ids.append((a.id, n_steps))
        for action_id, n_steps in ids:
            assert rec.get_action(action_id)["step_count"] == n_steps
        assert own(rec)["refused"] == {}


def test_a_full_spool_refuses_and_counts(spool: pathlib.Path) -> None:
    rec = accredit.connect(f"http://127.0.0.1:{free_port()}", spool=spool, spool_bytes_max=20_000)
    a = rec.action("a", "t")
    for _ in range(1_000):
        a.step("s", {"text": "x" * 100})
        rec.flush() if a.step_count % 100 == 0 else None
    rec.flush()
    stats = own(rec)
    assert stats["spool_bytes"] <= 20_000  # type: ignore[operator]
    refused = stats["refused"]["overloaded"]  # type: ignore[index]
    assert refused + stats["spooled"] == 1_001, "nothing is lost in silence"
    assert not a.complete({}), "what is not durable is not said to be"
    rec.close()


def test_back_pressure_bounds_memory_and_time(tmp_path: pathlib.Path, spool: pathlib.Path) -> None:
    """A server that accepts and never answers: calls do not wait for it, and the agent goes on."""
    import socket

    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(64)
        rec = accredit.connect(f"http://127.0.0.1:{mute.getsockname()[1]}", spool=spool, timeout=1)
        started = time.monotonic()
        a = rec.action("a", "t")
        for _ in range(10_000):
            a.step("s")
        assert time.monotonic() - started < 5
        assert a.complete({})
        assert own(rec)["spooled"] == 10_002
        started = time.monotonic()
        rec.close()
        assert time.monotonic() - started < 8, "closing does not wait for who does not answer"


def _child(rec: accredit.Recorder, a: accredit.Action, queue: "multiprocessing.Queue[str]") -> None:
    for n in range(100):
        a.step(f"child {n}")
    mine = rec.action("child", "t", parent=a)
    mine.step("mine")
    mine.complete({"success": True})
    queue.put(mine.id)
    assert rec.record_observation(a.id, "note", {"said": "by its id"})
    # Not flushed: it is closed at the child's end.
    a.observe("note", {"said": "last words"})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_goes_on_by_itself(server: Server, spool: pathlib.Path) -> None:
    context = multiprocessing.get_context("fork")
    rec = accredit.connect(server.url, spool=spool)
    a = rec.action("parent", "t")
    a.step("before, not sent yet")
    queue: "multiprocessing.Queue[str]" = context.Queue()
    children = [context.Process(target=_child, args=(rec, a, queue)) for _ in range(3)]
    for child in children:
        child.start()
    a.step("beside")
    of_children = [queue.get(timeout=60) for _ in children]
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    assert a.complete({"success": True})
    wait_sent(rec)
    steps = descriptions(rec, a.id)
    assert len(steps) == 302, "nothing is sent twice, nothing is missing"
    assert steps.count("before, not sent yet") == 1 and steps.count("child 99") == 3
    notes = [entry for entry in rec.chain(a.id) if entry["kind"] == "observation"]
    assert len(notes) == 6
    for child_id in of_children:
        assert rec.get_action(child_id)["parent_action_id"] == a.id
        assert rec.attribution(child_id)["verdict"] == "success"
    assert own(rec)["refused"] == {}
    rec.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_while_the_server_is_away(tmp_path: pathlib.Path, spool: pathlib.Path) -> None:
    server = Server(tmp_path)
    rec = accredit.connect(server.url, spool=spool)
    a = rec.action("parent", "t")
    a.step("parent's")
    rec.flush()
    pid = os.fork()
    if pid == 0:
        # The parent's lock is not held by a child that lives on.
        a.step("child's")
        rec.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert {path.name for path in spool.iterdir()} == {"0", "1"}, "each has its own folder"
    server.start()
    wait_sent(rec)
    # The parent takes over what its dead child has left.
    wait_until(lambda: not list(spool.glob("*/*.ndjson")), 60)
    wait_sent(rec)
    assert sorted(descriptions(rec, a.id)) == ["child's", "parent's"]
    rec.close()
    server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_faster_than_its_parent(tmp_path: pathlib.Path, spool: pathlib.Path) -> None:
    """What the parent has begun did not reach the server: the child says it again, and it is stored once."""
    server = Server(tmp_path)
    code = f"""
        import accredit, os, sys
        rec = accredit.connect({server.url!r}, spool={str(spool)!r})
        a, by_id = rec.action("parent", "t", goal="g"), rec.begin_action("parent", "t")
        a.step("parent's")
        rec.flush()
        print(a.id, by_id, flush=True)
        if os.fork() == 0:
            sys.stdin.readline()
            a.step("child's")
            rec.record_step(by_id, "child's")
            assert rec.complete_action(by_id, {{"success": True}})
            rec.flush()
            print("done", flush=True)
            sys.stdin.readline()
            os._exit(0)
        # The parent stands still, with all of it on its own disk.
        os.wait()
        os._exit(0)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None and program.stdout is not None
        a, by_id = program.stdout.readline().split()
        program.stdin.write("go\n")
        program.stdin.flush()
        assert program.stdout.readline() == "done\n"
        server.start()
        with accredit.connect(server.url, spool=spool) as rec:
            wait_until(lambda: not list(spool.glob("*/*.ndjson")))
            assert sorted(descriptions(rec, a)) == ["child's", "parent's"]
            assert rec.get_action(a)["goal_id"] == "g"
            assert descriptions(rec, by_id) == ["child's"] and rec.attribution(by_id)["verdict"] == "success"
            assert rec.stats()["begun"] == 2
        program.stdin.write("end\n")
        program.stdin.flush()
        program.wait(60)
    server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_does_not_hold_its_parents_spool(tmp_path: pathlib.Path, spool: pathlib.Path) -> None:
    code = f"""
        import accredit, os, time
        rec = accredit.connect("http://127.0.0.1:{free_port()}", spool={str(spool)!r})
        rec.action("a", "t").step("s")
        rec.flush()
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        print("ready", flush=True)
        time.sleep(0.2)
        os._exit(0)
    """
    ended = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
    assert ended.stdout is not None and ended.stdout.readline() == b"ready\n"
    ended.stdout.close()
    ended.wait(60)
    rec = accredit.connect(f"http://127.0.0.1:{free_port()}", spool=spool)
    assert own(rec)["spooled"] == 2, "the parent is dead, its child asleep"
    rec.close()


def test_a_revision_that_waited_is_made_once(server: Server, spool: pathlib.Path) -> None:
    rec = accredit.connect(server.url, spool=spool)
    a = rec.action("a", "t")
    a.complete({"success": False})
    server.kill()
    assert a.revise({"success": True}, reason="seen again")
    server.start()
    wait_sent(rec)
    assert [found["version"] for found in rec.attributions(a.id)] == [1, 2]
    rec.close()
