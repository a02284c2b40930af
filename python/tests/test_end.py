"""Ends of a process: what was acknowledged is there afterwards, nothing hangs, nothing complains."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from processes import HERE, HOLD, PRELUDE, arguments, line_of, run, start

import accredit


def chain(path: Path, action_id: str) -> list[dict[str, Any]]:
    with accredit.open(path, read_only=True) as rec:
        return rec.chain(action_id)


#: Records, and does not flush: that is left to the end.
RECORDS = """
rec = accredit.open(path)
action = rec.action("agent", "work", action_id="01890000-0000-7000-8000-000000000001")
for n in range(500):
    action.step(f"step {n}")
"""

ID = "01890000-0000-7000-8000-000000000001"

ENDS = {
    "falls off the end": ("", 0, ""),
    "sys.exit": ("sys.exit(0)", 0, ""),
    "sys.exit with a code": ("sys.exit(3)", 3, ""),
    "an exception": ("raise ValueError('mine')", 1, "ValueError: mine"),
    "closed": ("rec.close()", 0, ""),
    "forgotten": ("del rec, action", 0, ""),
    "a cycle": ("class C: pass\nc = C(); c.c = c; c.rec = rec; c.action = action; del rec, action, c", 0, ""),
    "terminated by handler": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(4)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)",
        4,
        "",
    ),
    "in an action": ("with rec.action('a', 't') as other:\n    other.step('s')\n    sys.exit(0)", 0, ""),
    "in a thread": ("threading.Thread(target=lambda: (time.sleep(0.2), action.step('step 500'))).start()", 0, ""),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_was_recorded_is_durable(tmp_path: Path, end: str) -> None:
    code, status, complaint = ENDS[end]
    ended = run(RECORDS + code, tmp_path / "runs.db")
    assert ended.code == status
    assert ended.err.strip().endswith(complaint) if complaint else ended.err == ""
    found = chain(tmp_path / "runs.db", ID)
    assert [entry["description"] for entry in found] == [f"step {n}" for n in range(len(found))]
    assert len(found) == (501 if end == "in a thread" else 500)


def test_recording_after_the_last_handler(tmp_path: Path) -> None:
    """In handlers that run before and after ours, and when modules are taken apart."""
    program = f"""
import atexit, sys
atexit.register(lambda: action.step("a handler that was there before accredit"))
{PRELUDE}
{RECORDS}
atexit.register(lambda: action.step("a handler"))
class Last:
    def __del__(self, action=action, rec=rec):
        action.step("__del__")
        rec.record_observation(action.id, "by id")
sys.last = Last()
kept = Last()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "runs.db")], cwd=HERE, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = chain(tmp_path / "runs.db", ID)[500:]
    said = [entry.get("description", entry.get("observation_type")) for entry in found]
    assert said[:2] == ["a handler", "a handler that was there before accredit"]
    assert said[2:] == ["__del__", "by id"] * 2


@pytest.mark.parametrize("what", ["step", "flush", "complete", "read"])
def test_daemon_threads_at_work_to_the_last(tmp_path: Path, what: str) -> None:
    ended = run(
        RECORDS
        + """
def work():
    while True:
        if sys.argv[2] == "step":
            action.step("more")
        elif sys.argv[2] == "flush":
            action.step("more"); rec.flush()
        elif sys.argv[2] == "complete":
            with rec.action("a", "t") as other:
                other.step("s")
        else:
            rec.chain(action.id)
rec.flush()
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
""",
        tmp_path / "runs.db",
        what,
    )
    ended.quiet()
    assert len(chain(tmp_path / "runs.db", ID)) >= 500


def test_memory_leaves_nothing_behind(tmp_path: Path) -> None:
    ended = run(
        """
import tempfile
tempfile.tempdir = path
rec = accredit.open(":memory:")
rec.action("a", "t").step("s")
say(files=len(os.listdir(path)))
""",
        tmp_path,
    )
    assert ended.quiet().said == [{"files": 1}]
    assert list(tmp_path.iterdir()) == []


#: Says what it has been promised: of two threads, one flushes and one completes.
PROMISES = """
rec = accredit.open(path)
lock = threading.Lock()
def tell(**what):
    with lock:
        say(**what)
def flushes():
    action = rec.action("agent", "flushed")
    n = 0
    while True:
        for _ in range(7):
            action.step(f"step {n}")
            n += 1
        rec.flush()
        tell(flushed=action.id, n=n)
def completes():
    while True:
        with rec.action("agent", "completed") as action:
            action.step("only")
            if action.complete({"success": True}):
                tell(completed=action.id)
for work in (flushes, completes):
    threading.Thread(target=work, daemon=True).start()
"""

SEED = random.SystemRandom().randrange(1 << 32)


@pytest.mark.parametrize("how", ["kill -9", "os._exit", "SIGTERM"])
def test_nothing_that_was_promised_is_lost(tmp_path: Path, how: str) -> None:
    print(f"seed {SEED}")  # pytest shows it when the test fails
    delays = random.Random(f"{SEED} {how}")
    flushed: dict[str, int] = {}
    completed: set[str] = set()
    path = tmp_path / "runs.db"
    for _ in range(6):
        delay = delays.uniform(0.02, 0.4)
        if how == "os._exit":
            code = PROMISES + f"time.sleep({delay})\nos._exit(0)"
        else:
            code = PROMISES + "time.sleep(60)"
        program = start(code, path)
        first = line_of(program)
        if how != "os._exit":
            time.sleep(delay)
            program.send_signal(signal.SIGKILL if how == "kill -9" else signal.SIGTERM)
        out, err = program.communicate(timeout=120)
        assert err == ""
        lines = [accredit._plain.loads(line) for line in out.splitlines(keepends=True) if line.endswith("\n")]
        for said in [first, *lines]:
            if "flushed" in said:
                flushed[said["flushed"]] = said["n"]
            else:
                completed.add(said["completed"])
    assert flushed and completed
    with accredit.open(path) as rec:
        for action_id, n in flushed.items():
            steps = [entry["description"] for entry in rec.chain(action_id)]
            assert steps == [f"step {at}" for at in range(len(steps))]
            assert len(steps) >= n, (action_id, len(steps), n)
            assert rec.get_action(action_id)["status"] == "open"
        for action_id in completed:
            assert rec.attribution(action_id)["verdict"] == "success"


#: A second process holds the store, so that a commit takes as long as one likes.
SLOW = """
import subprocess
rec = accredit.open(path)
action = rec.action("a", "t")
action.step("s")
rec.flush()
holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
holder.stdout.readline()
action.step("slow")
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
started = time.monotonic()
"""


@pytest.mark.parametrize(
    "call", ["rec.flush()", "action.complete({})", "rec.complete_action(action.id, {})", "action.cancel('why')"]
)
def test_an_interrupt_is_heard_on_a_slow_disk(tmp_path: Path, call: str) -> None:
    ended = run(
        f"HOLD = {HOLD!r}\n"
        + SLOW
        + f"""
try:
    {call}
    say(interrupted=False)
except KeyboardInterrupt:
    say(interrupted=True, in_time=time.monotonic() - started < 3, live=rec._native.live)
holder.communicate()
rec.flush()
say(steps=len(rec.chain(action.id)))
""",
        tmp_path / "runs.db",
    )
    assert ended.quiet().said == [{"interrupted": True, "in_time": True, "live": True}, {"steps": 2}]


def test_an_interrupted_action_is_cancelled(tmp_path: Path) -> None:
    ended = run(
        """
rec = accredit.open(path)
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    with rec.action("a", "t") as action:
        action.step("s")
        time.sleep(60)
except KeyboardInterrupt:
    say(closing=rec.attribution(action.id)["closing"])
""",
        tmp_path / "runs.db",
    )
    assert ended.quiet().said == [{"closing": "cancelled"}]


def test_termination_is_what_it_always_is(tmp_path: Path) -> None:
    program = subprocess.Popen(
        arguments(RECORDS + "rec.flush(); say(ready=1); time.sleep(60)", tmp_path / "runs.db"),
        cwd=HERE,
        stdout=subprocess.PIPE,
    )
    assert program.stdout is not None
    program.stdout.readline()
    program.terminate()
    assert program.wait(60) == -signal.SIGTERM
    program.stdout.close()
    assert len(chain(tmp_path / "runs.db", ID)) == 500


def test_a_subinterpreter_is_refused(tmp_path: Path) -> None:
    ended = run(
        """
import accredit
with accredit.open(path) as rec:
    try:
        import _interpreters as subs
    except ImportError:
        import _xxsubinterpreters as subs
    out, into = os.pipe()
    code = f'''
import os
try:
    import accredit
    said = "imported"
except ImportError as error:
    said = str(error)
os.write({into}, said.encode())
'''
    subs.run_string(subs.create(), code)
    say(said=os.read(out, 1000).decode())
    with rec.action("a", "t") as action:
        say(step=action.step("s"))
""",
        tmp_path / "runs.db",
    )
    said, step = ended.quiet().said
    assert "subinterpreter" in said["said"], said
    assert step == {"step": True}
