"""Recording to a real server from forked processes: each goes on by itself."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import accredit
import pytest

from served import Server, descriptions, free_port, own, server, spool, wait_sent, wait_until  # noqa: F401


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
