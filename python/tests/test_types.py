"""Types, and the Python that is the oldest one supported."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
SOURCES = sorted((PACKAGE / "accredit").glob("*.py"))


@pytest.mark.parametrize(
    "command",
    [
        ["mypy", "--strict"],
        ["mypy", "--strict", "--python-version", "3.10"],  # the oldest one that mypy knows
        ["mypy.stubtest", "accredit", "--mypy-config-file", str(PACKAGE / "pyproject.toml")],
    ],
    ids=["mypy", "mypy-3.10", "stubtest"],
)
def test_checkers_have_nothing_to_say(command: list[str], tmp_path: Path) -> None:
    # Stubs are compared with what is installed, sources are checked where they are.
    folder = tmp_path if command[0] == "mypy.stubtest" else PACKAGE
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Success" in done.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_syntax_is_that_of_3_9(source: Path) -> None:
    tree = ast.parse(source.read_text(), feature_version=(3, 9))
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert [name.name for node in future for name in node.names] == ["annotations"]


USE = """
from __future__ import annotations
import asyncio
from collections.abc import AsyncIterator, Iterator
import accredit

@accredit.action
def bare(a: int) -> str: return str(a)

@accredit.step("said", capture=True)
async def said(a: int) -> str: return str(a)

@accredit.action(agent="x")
def lazy() -> Iterator[int]: yield 1

class Agent:
    @accredit.step
    def method(self, a: int) -> bytes: return b""

reveal_type(bare(1))
reveal_type(asyncio.run(said(1)))
reveal_type(list(lazy()))
reveal_type(Agent().method(1))
with accredit.open(":memory:") as rec:
    reveal_type(rec.action("a", "b").step("c"))
    reveal_type(rec.steps_frame().to_polars())
reveal_type(accredit.propagate(bare)(1))
bare("wrong")
"""


def test_what_users_are_told(tmp_path: Path) -> None:
    source = tmp_path / "use.py"
    source.write_text(USE)
    command = [sys.executable, "-m", "mypy", "--strict", str(source)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    told = [line.partition(": note: ")[2] for line in done.stdout.splitlines() if "Revealed" in line]
    assert [line.partition('is "')[2].rstrip('"') for line in told] == [
        "str",
        "str",
        "list[int]",
        "bytes",
        "bool",
        "polars.dataframe.frame.DataFrame",
        "str",
    ], done.stdout
    assert 'Argument 1 to "bare" has incompatible type "str"' in done.stdout
    assert done.stdout.count("error:") == 1, done.stdout
