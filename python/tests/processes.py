"""Programs that tests start, with a time limit: what hangs fails."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Optional

#: Where they run: not beside the package's sources, which would be imported in place of what is installed.
HERE = Path(__file__).parent

#: Far more than any of the programs needs, also on a busy machine.
TIMEOUT_SECS = 120

PRELUDE = """
import json, os, signal, sys, threading, time
import accredit
path = sys.argv[1] if len(sys.argv) > 1 else None
def say(**what):
    sys.stdout.write(json.dumps(what) + "\\n"); sys.stdout.flush()
"""

#: A program that writes to the store at a path, for so long as its standard input is open: others that write wait.
HOLD = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], isolation_level=None) as holder:
    holder.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.read()
    holder.execute("COMMIT")
"""


class Ended:
    """A program that has ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.said: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        self.err = err

    def quiet(self) -> "Ended":
        """Expect a normal end without a word of complaint."""
        assert (self.code, self.err) == (0, ""), (self.code, self.err)
        return self


def arguments(code: str, *args: Any) -> list[str]:
    return [sys.executable, "-c", PRELUDE + textwrap.dedent(code), *map(str, args)]


def run(code: str, *args: Any, timeout: Optional[float] = None) -> Ended:
    """Run a program to its end."""
    done = subprocess.run(
        arguments(code, *args),
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=timeout or TIMEOUT_SECS,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run_file(folder: Path, code: str, *args: Any) -> Ended:
    """The same from a file, for programs that are imported again by their children."""
    file = folder / "program.py"
    file.write_text(textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, str(file), *map(str, args)],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECS,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def start(code: str, *args: Any) -> "subprocess.Popen[str]":
    """Start a program whose output is read while it runs."""
    pipe = subprocess.PIPE
    return subprocess.Popen(arguments(code, *args), cwd=HERE, stdout=pipe, stderr=pipe, text=True)


def hold(path: Path) -> "subprocess.Popen[str]":
    """Keep writers waiting until the program's standard input is closed."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    return holder


def line_of(program: "subprocess.Popen[str]") -> dict[str, Any]:
    """The next thing that a program says."""
    assert program.stdout is not None
    said: dict[str, Any] = json.loads(program.stdout.readline())
    return said
