"""A real server for tests: the program `accredit`, over a store of its own, that can be killed and started again."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from typing import Any, Callable, Optional

import accredit
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def binary() -> str:
    """The program: the environment variable ACCREDIT_BIN, else the one that cargo builds."""
    path = os.environ.get("ACCREDIT_BIN") or str(REPOSITORY / "target" / "debug" / "accredit")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"there is no program {path}: build it with `cargo build -p accredit-cli`, or set ACCREDIT_BIN")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server at one address; `start`, `kill`, `start` again."""

    def __init__(self, folder: pathlib.Path, port: Optional[int] = None) -> None:
        self.store = folder / "served.db"
        self.log = folder / "server.log"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: Optional[subprocess.Popen[bytes]] = None

    def start(self) -> "Server":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [binary(), "--store", str(self.store), "serve", "--listen", f"127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._is_ready, 60, lambda: self.log.read_text())
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended: {self.log.read_text()}")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """As a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[Server]:
    """A server that runs."""
    server = Server(tmp_path).start()
    yield server
    server.stop()


@pytest.fixture
def spool(tmp_path: pathlib.Path) -> pathlib.Path:
    """Where commands wait."""
    return tmp_path / "spool"


def wait_until(holds: Callable[[], bool], seconds: float = 60, said: Callable[[], Any] = lambda: "") -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {said()}")
        time.sleep(0.02)


def wait_sent(rec: accredit.Recorder, seconds: float = 60) -> None:
    """Until nothing waits here."""
    wait_until(lambda: own(rec)["spooled"] == own(rec)["pending"] == 0, seconds, lambda: own(rec))


def own(rec: accredit.Recorder) -> dict[str, Any]:
    """What the recorder itself has counted; it asks no server."""
    return dict(json.loads(rec._native.own_stats()))


def descriptions(rec: accredit.Recorder, action_id: str) -> list[str]:
    """The steps of an action."""
    return [entry["description"] for entry in rec.chain(action_id) if entry["kind"] == "step"]
