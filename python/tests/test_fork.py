"""Forked children of a process that records: refused, counted, never stuck; the parent goes on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from processes import run, run_file

import accredit

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

#: In the child: every call of a recorder that the parent opened.
USE = """
def use(rec, action):
    with rec.action("a", "t") as other:
        step = other.step("s")
    try:
        rec.flush()
        flushed = "flushed"
    except accredit.UnavailableError as error:
        flushed = error.code
    say(
        step=action.step("s"), observe=action.observe("o"), other=step, by_id=rec.record_step(action.id, "s"),
        begin=rec.begin_action("a", "t"), complete=action.complete({}), cancel=rec.cancel_action(action.id),
        heartbeat=rec.heartbeat(action.id), flushed=flushed, refused=rec.stats()["recorder"]["refused"],
    )
    rec.close()
"""

#: Forks, runs a function in the child, leaves it as a program does, and answers the child's exit status.
FORK = """
def in_child(work):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    work()
    sys.exit(0)
"""


def test_a_child_is_refused_and_ends_and_the_parent_goes_on(tmp_path: Path) -> None:
    ended = run(
        USE
        + FORK
        + """
rec = accredit.open(path)
action = rec.action("parent", "work")
for n in range(100):
    action.step(f"before {n}")
status = in_child(lambda: use(rec, action))
for n in range(100):
    action.step(f"after {n}")
say(status=status, complete=action.complete({"success": True}), steps=len(rec.chain(action.id)))
rec.close()
""",
        tmp_path / "runs.db",
    )
    child, parent = ended.said
    refused = child.pop("refused")
    assert child == {
        **dict.fromkeys(["step", "observe", "other", "by_id", "complete", "cancel", "heartbeat"], False),
        "begin": "00000000-0000-0000-0000-000000000000",
        "flushed": "forked",
    }
    assert refused["forked"] >= 8
    assert parent == {"status": 0, "complete": True, "steps": 200}
    assert ended.err.count("opened before the process was forked") == 1, ended.err
    with accredit.open(tmp_path / "runs.db") as rec:
        assert rec.stats()["recorded"] == 200


def test_strict_raises_in_the_child(tmp_path: Path) -> None:
    ended = run(
        FORK
        + """
rec = accredit.open(path, strict=True)
action = rec.action("parent", "work")
def use():
    for call in (lambda: action.step("s"), lambda: rec.action("a", "t"), lambda: rec.stats() and rec.chain(action.id)):
        try:
            call()
        except accredit.UnavailableError as error:
            say(code=error.code, tells="forked" in str(error))
say(status=in_child(use))
rec.close()
""",
        tmp_path / "runs.db",
    )
    assert ended.quiet().said == [{"code": "forked", "tells": True}] * 3 + [{"status": 0}]


def test_a_child_opens_a_store_of_its_own_while_the_parent_is_at_work(tmp_path: Path) -> None:
    """SQLite's locks of the process are held nearly always in a parent that commits and reads all the time."""
    ended = run(
        FORK
        + """
rec = accredit.open(path)
action = rec.action("parent", "work")
over = threading.Event()
def busy(read):
    while not over.is_set():
        action.step("s", state={"n": list(range(50))})
        rec.flush()
        if read:
            rec.chain(action.id)
threads = [threading.Thread(target=busy, args=(n % 2 == 1,)) for n in range(4)]
for thread in threads:
    thread.start()
def work(n):
    def open_own():
        with accredit.open(f"{path}-{n}") as own, own.action("child", "work") as mine:
            say(child=n, step=mine.step("s"), complete=mine.complete({}))
    return open_own
statuses = []
for n in range(8):
    statuses.append(in_child(work(n)))
over.set()
for thread in threads:
    thread.join()
say(statuses=statuses)
rec.close()
""",
        tmp_path / "runs.db",
    )
    *children, parent = ended.said
    assert children == [{"child": n, "step": True, "complete": True} for n in range(8)]
    assert parent == {"statuses": [0] * 8}
    for n in range(8):
        with accredit.open(f"{tmp_path / 'runs.db'}-{n}") as rec:
            assert rec.stats()["completed"] == 1


def test_a_child_that_lives_on_does_not_keep_the_store(tmp_path: Path) -> None:
    """The lock of the store is of its file, which a child inherits: gone with the parent, closed or killed."""
    for killed in (False, True):
        ended = run(
            """
import subprocess
rec = accredit.open(path)
rec.action("parent", "work").step("s")
rec.flush()
pid = os.fork()
if not pid:
    for file in (0, 1, 2):
        os.close(file)
    time.sleep(60)
    os._exit(0)
killed = sys.argv[2] == "True"
if not killed:
    rec.close()
    accredit.open(path).close()
say(child=pid)
if killed:
    os.kill(os.getpid(), signal.SIGKILL)
""",
            tmp_path / f"{killed}.db",
            killed,
        )
        try:
            with accredit.open(tmp_path / f"{killed}.db") as rec:
                assert rec.stats()["recorded"] == 1
        finally:
            os.kill(ended.said[0]["child"], 9)


def test_workers_of_a_server_that_forks_before_serving(tmp_path: Path) -> None:
    """Like gunicorn with preloading: the parent opens, four children record what they were given, the parent as well."""
    ended = run(
        """
import logging
logging.getLogger("accredit").disabled = True
rec = accredit.open(path)
workers = []
for n in range(4):
    pid = os.fork()
    if not pid:
        try:
            answered = 0
            for n in range(1_000):
                with rec.action(f"worker {n}", "request") as action:
                    answered += action.step("s")
            say(answered=answered, refused=rec.stats()["recorder"]["refused"])
        finally:
            os._exit(0)
    workers.append(pid)
for n in range(100):
    with rec.action("parent", "request") as action:
        action.step("s")
say(statuses=[os.waitpid(pid, 0)[1] for pid in workers])
""",
        tmp_path / "runs.db",
    )
    *workers, parent = ended.quiet().said
    assert workers == [{"answered": 0, "refused": {"forked": 2_000}}] * 4
    assert parent == {"statuses": [0] * 4}
    with accredit.open(tmp_path / "runs.db") as rec:
        stats = rec.stats()
        assert (stats["begun"], stats["completed"], stats["recorded"]) == (100, 100, 100)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    ended = run_file(
        tmp_path,
        """
import json, logging, multiprocessing, sys
import accredit
logging.getLogger("accredit").disabled = True
rec = None

def work(n):
    with accredit.open(f"{sys.argv[1]}-{n}") as own, own.action("child", "work") as mine:
        recorded = mine.step("s")
    inherited = rec is not None and rec.action("a", "t").step("s")
    try:
        accredit.open(sys.argv[1]).close()
        code = "opened"
    except accredit.UnavailableError as error:
        code = error.code
    return recorded, inherited, code

if __name__ == "__main__":
    rec = accredit.open(sys.argv[1])
    action = rec.action("parent", "work")
    with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
        answers = pool.map(work, range(6))
        pool.close()
        pool.join()
    print(json.dumps({"answers": answers, "step": action.step("s"), "complete": action.complete({})}))
""",
        tmp_path / "runs.db",
        method,
    )
    said = ended.quiet().said[0]
    assert said == {"answers": [[True, False, "store_unavailable"]] * 6, "step": True, "complete": True}


def test_a_child_of_a_thread_that_waits(tmp_path: Path) -> None:
    """The thread that forks may itself be one that had been waiting, and the child's threads may record again."""
    ended = run(
        FORK
        + """
rec = accredit.open(path)
statuses = []
def forks():
    for _ in range(5):
        rec.action("a", "t").step("s")
        rec.flush()
        statuses.append(in_child(lambda: os._exit(int(rec.action("a", "t").step("s")))))
threads = [threading.Thread(target=forks) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
say(statuses=statuses)
rec.close()
""",
        tmp_path / "runs.db",
    )
    assert ended.said[-1] == {"statuses": [0] * 15}


@pytest.mark.skipif(sys.platform != "linux", reason="subinterpreters and forks are looked at on Linux")
def test_a_subprocess_is_no_child_in_this_sense(tmp_path: Path) -> None:
    ended = run(
        """
import subprocess
with accredit.open(path) as rec:
    with rec.action("a", "t") as action:
        subprocess.run([sys.executable, "-c", "pass"], preexec_fn=lambda: None, check=True)
        say(step=action.step("s"), stats=rec.stats()["recorder"]["refused"])
""",
        tmp_path / "runs.db",
    )
    assert ended.quiet().said == [{"step": True, "stats": {}}]
