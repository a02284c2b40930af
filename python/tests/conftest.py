from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from served import Server


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[Server]:
    server = Server(tmp_path).start()
    yield server
    server.stop()


@pytest.fixture
def spool(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "spool"
