"""The documentation's examples run, and print what they say they print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from served import Server, server  # noqa: F401

PACKAGE = Path(__file__).parents[1]
DOCUMENTS = [PACKAGE / "README.md", PACKAGE.parent / "docs" / "python.md"]
EXAMPLES = sorted((PACKAGE / "examples").glob("*.py"))
SAID = re.compile(r"print\(.*\)  # → (.*)$", re.MULTILINE)


def script(document: Path) -> str:
    """Its Python blocks, each on the lines on which it stands."""
    lines, kept, inside = document.read_text().splitlines(), [], False
    for line in lines:
        if line.startswith("```"):
            inside = line == "```python"
            line = ""
        kept.append(line if inside else "")
    assert not inside
    return "\n".join(kept)


def run(source: Path, folder: Path) -> list[str]:
    command = [sys.executable, "-X", "dev", str(source)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "ResourceWarning: unclosed" not in done.stderr, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_examples_of_a_document(
    document: Path, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / f"{document.stem}.py"
    source.write_text(script(document).replace("http://127.0.0.1:7117", server.url))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    printed = run(source, tmp_path)
    expected = SAID.findall(source.read_text())
    assert expected
    assert printed[: len(expected)] == expected


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example(example: Path, tmp_path: Path) -> None:
    assert len(example.read_text().splitlines()) < 60
    printed = run(example, tmp_path)
    expected = {
        "asyncio_agent": r"broad -0\.\d\d\nnarrow \+0\.\d\d\n4 actions in the tree",
        "langgraph_agent": r"success \['plan', 'reproduce', 'check', 'plan', 'patch', 'check'\]",
        "pydantic_ai_agent": r"success \['book', 'price', 'search'\] \d+ tokens",
    }
    assert re.fullmatch(expected[example.stem], "\n".join(printed)), printed


def test_every_function_of_the_package_is_documented() -> None:
    import accredit

    text = (PACKAGE.parent / "docs" / "python.md").read_text()
    hidden = {"__version__", "Action", "Attribution", "get_recorder"}
    for name in set(accredit.__all__) - hidden:
        assert name in text, f"docs/python.md does not name {name}"
