"""What the tests share."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

import accredit
from accredit import _decorate


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not beside the sources, which programs that a test starts would find before what is installed."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def rec() -> Iterator[accredit.Recorder]:
    with accredit.open(":memory:") as recorder:
        yield recorder


@pytest.fixture
def default(rec: accredit.Recorder) -> Iterator[accredit.Recorder]:
    """The recorder, as the decorators' default."""
    before = _decorate._default
    accredit.set_recorder(rec)
    yield rec
    _decorate._default = before
