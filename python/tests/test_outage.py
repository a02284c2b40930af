"""Recording to a real server: everything arrives once, whatever happens to the server or to the recording process."""

from __future__ import annotations

import logging
import pathlib
import socket
import subprocess
import sys
import textwrap
import time

import accredit
import pytest

from served import Server, descriptions, free_port, own, server, spool, wait_sent  # noqa: F401


def test_the_default_spool_is_in_the_users_state_folder(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    url = f"http://127.0.0.1:{free_port()}"
    with accredit.connect(url, key="a-key") as rec:
        rec.action("a", "t")
        rec.flush()
    with accredit.connect(f"{url}/") as rec:
        assert own(rec)["spooled"] == 1, "the same server"
    (folder,) = (tmp_path / "accredit" / "spool").iterdir()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files and not any("a-key" in path.read_text() for path in files)


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


def test_a_full_spool_refuses_and_counts(spool: pathlib.Path) -> None:
    rec = accredit.connect(f"http://127.0.0.1:{free_port()}", spool=spool, spool_bytes_max=20_000)
    a = rec.action("a", "t")
    for _ in range(1_000):
        a.step("s", {"text": "x" * 100})
        rec.flush() if a.step_count % 100 == 0 else None
    rec.flush()
    stats = own(rec)
    assert stats["spool_bytes"] <= 20_000
    refused = stats["refused"]["overloaded"]
    assert refused + stats["spooled"] == 1_001, "nothing is lost in silence"
    assert not a.complete({}), "what is not durable is not said to be"
    rec.close()


def test_back_pressure_bounds_memory_and_time(tmp_path: pathlib.Path, spool: pathlib.Path) -> None:
    """A server that accepts and never answers: calls do not wait for it, and the agent goes on."""
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


def test_a_killed_process_has_lost_nothing_that_was_flushed(tmp_path: pathlib.Path, spool: pathlib.Path) -> None:
    """kill -9 in the middle of appending: what `flush` had returned for is there, and in order without holes."""
    server = Server(tmp_path)
    code = f"""
        import accredit
        rec = accredit.connect({server.url!r}, spool={str(spool)!r})
        a = rec.action("a", "t")
        print(a.id, flush=True)
        n = 0
        while True:
            for _ in range(50):
                a.step(f"step {{n}}", {{"text": "x" * 300}})
                n += 1
            rec.flush()
            print(n, flush=True)
    """
    flushed: dict[str, int] = {}
    for round_ in range(3):
        with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            action_id = program.stdout.readline().strip()
            for _ in range(20 + 7 * round_):
                flushed[action_id] = int(program.stdout.readline())
            program.kill()
            flushed[action_id] = max([flushed[action_id], *map(int, program.stdout.read().split("\n")[:-1])])
    server.start()
    with accredit.connect(server.url, spool=spool) as rec:
        wait_sent(rec)
        for action_id, n in flushed.items():
            steps = descriptions(rec, action_id)
            assert len(steps) >= n and steps == [f"step {at}" for at in range(len(steps))]
    server.stop()
