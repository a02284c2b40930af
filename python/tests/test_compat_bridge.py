"""accredit.compat: who hears of a closing."""

from __future__ import annotations

import functools
import json
import logging
import threading
from typing import Any
from unittest import mock

import pytest
from compat_support import Bridge, Clock, Events

from accredit import compat

pytest_plugins = ["compat_fixtures"]

Orchestrator = compat.AgentAttributionOrchestrator

OLD = {"user_id", "prompt_id", "prompt", "response", "model_id", "latency_ms", "goal_id"}


class OldBridge:
    """Knows nothing of chains."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def record_interaction(
        self,
        user_id: str,
        prompt_id: str,
        prompt: str,
        response: str,
        model_id: Any = None,
        latency_ms: Any = None,
        goal_id: Any = None,
    ) -> None:
        self.calls.append({key: value for key, value in locals().items() if key != "self"})


class AnyBridge:
    """Takes whatever comes."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def record_interaction(self, **interaction: Any) -> None:
        self.calls.append(interaction)


class RaisingBridge:
    """Fails as a bridge would that does not take the chain, though it does."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.n_calls = 0

    def record_interaction(self, attribution_chain: Any, **interaction: Any) -> None:
        self.n_calls += 1
        raise self.error


def run(orchestrator: Orchestrator) -> str:
    action_id = orchestrator.begin_action("planner", "work", "g1")
    orchestrator.record_step(action_id, "said", confidence=1.0)
    assert orchestrator.complete_action(action_id, {"success": True}) is True
    return action_id


def test_what_a_bridge_hears(orchestrator: Orchestrator, clock: Clock, bridge: Bridge) -> None:
    action_id = orchestrator.begin_action("planner", "work", "g1")
    orchestrator.record_step(action_id, "said", confidence=1.0)
    clock.now += 2.5
    orchestrator.complete_action(action_id, {"success": True, "note": "é"})
    [call] = bridge.calls
    chain = call.pop("attribution_chain")
    assert json.loads(call.pop("response")) == {"success": True, "note": "é"}
    assert call == {
        "user_id": "planner",
        "prompt_id": action_id,
        "prompt": "planner ran work (goal=g1, parent=None, steps=1, observations=0, success=1.0)",
        "model_id": "planner:work",
        "latency_ms": 2500.0,
        "goal_id": "g1",
    }
    assert chain["step_credits"] == [1.0] and chain["verdict"] == "success" and chain["method"] == "decay"


@pytest.mark.parametrize("wrap", ["plain", "partial", "mock"])
def test_the_chain_goes_to_those_who_take_it(orchestrator: Orchestrator, wrap: str) -> None:
    for made, takes_chain in ((OldBridge(), False), (AnyBridge(), True), (Bridge(), True)):
        given: Any = made
        if wrap != "plain":
            given = mock.Mock()
            record = made.record_interaction
            wrapped = functools.partial(record) if wrap == "partial" else mock.create_autospec(record, side_effect=record)
            given.record_interaction = wrapped
        compat.set_bridge(given)
        run(orchestrator)
        assert set(made.calls[0]) == (OLD | {"attribution_chain"} if takes_chain else OLD)
    assert orchestrator.diagnostics()["failed"]["bridge"] == 0


@pytest.mark.parametrize("error", [TypeError("unexpected keyword argument 'attribution_chain'"), ValueError("no")])
def test_a_bridge_that_raises_hurts_nobody(
    orchestrator: Orchestrator,
    events: Events,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    monkeypatch.setattr("accredit._compat_delivery._failures", {"bridge": 0, "event_sink": 0})
    bridge = RaisingBridge(error)
    compat.set_bridge(bridge)
    with caplog.at_level(logging.ERROR):
        first, second = run(orchestrator), run(orchestrator)
    # Once each: what raised is not asked again in another way.
    assert bridge.n_calls == 2
    assert orchestrator.diagnostics()["failed"] == {"bridge": 2, "event_sink": 0}
    assert [record.name for record in caplog.records] == ["accredit.compat"]
    assert [data["action_id"] for _, data in events] == [first, second]


def test_a_sink_that_raises_hurts_nobody(
    orchestrator: Orchestrator, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accredit._compat_delivery._failures", {"bridge": 0, "event_sink": 0})
    compat.set_event_sink(mock.Mock(side_effect=RuntimeError))
    run(orchestrator)
    assert len(bridge.calls) == 1 and orchestrator.diagnostics()["failed"] == {"bridge": 0, "event_sink": 1}


def test_both_are_called_in_the_thread_of_the_completion(orchestrator: Orchestrator) -> None:
    threads: list[threading.Thread] = []
    bridge = mock.Mock()
    bridge.record_interaction = mock.Mock(side_effect=lambda **_: threads.append(threading.current_thread()))
    compat.set_bridge(bridge)
    compat.set_event_sink(lambda topic, data: threads.append(threading.current_thread()))
    run(orchestrator)
    assert threads == [threading.current_thread()] * 2


def test_what_a_sink_hears(orchestrator: Orchestrator, events: Events, clock: Clock) -> None:
    action_id = orchestrator.begin_action("planner", "work", "g1")
    clock.now += 1.234
    orchestrator.complete_action(action_id, {"status": "error"})
    [(topic, data)] = events
    assert topic == "agent.action.completed"
    assert data == {
        "action_id": action_id,
        "agent_id": "planner",
        "action_type": "work",
        "goal_id": "g1",
        "duration_seconds": 1.23,
        "step_count": 0,
        "success_score": 0.0,
        "verdict": "failure",
        "version": 1,
        "closing": "completed",
    }


def test_a_bridge_may_record_itself(orchestrator: Orchestrator, events: Events) -> None:
    class Reflecting:
        def record_interaction(self, prompt_id: str, model_id: str, **_: Any) -> None:
            if model_id == "planner:work":
                action_id = orchestrator.begin_action("learner", "reflect", parent_action_id=prompt_id)
                orchestrator.complete_action(action_id, {})

    compat.set_bridge(Reflecting())
    run(orchestrator)
    assert [data["action_type"] for _, data in events] == ["reflect", "work"]


def test_what_is_no_bridge_is_told_at_once() -> None:
    with pytest.raises(TypeError):
        compat.set_bridge(object())
    with pytest.raises(TypeError):
        compat.set_event_sink("no")  # type: ignore[arg-type]
