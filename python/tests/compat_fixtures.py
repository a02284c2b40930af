"""Fixtures of the tests of accredit.compat; a plugin, so that they are found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from compat_support import Bridge, Clock, Events

from accredit import compat


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(compat, "time", clock)
    return clock


@pytest.fixture
def orchestrator() -> Iterator[compat.AgentAttributionOrchestrator]:
    orchestrator = compat.AgentAttributionOrchestrator()
    yield orchestrator
    compat.set_bridge(None)
    compat.set_event_sink(None)
    orchestrator.close()


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    compat.set_bridge(bridge)
    yield bridge
    compat.set_bridge(None)


@pytest.fixture
def events() -> Iterator[Events]:
    events = Events()
    compat.set_event_sink(events)
    yield events
    compat.set_event_sink(None)


@pytest.fixture
def singleton() -> Iterator[None]:
    """The singleton, new and in memory, and gone afterwards."""
    compat.configure()
    yield
    compat.configure()
