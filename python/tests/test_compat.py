"""accredit.compat: what callers of the older module rely on."""

from __future__ import annotations

import dataclasses
import doctest
import inspect
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from compat_support import Bridge, Clock

import accredit
from accredit import compat

pytest_plugins = ["compat_fixtures"]

Orchestrator = compat.AgentAttributionOrchestrator


def test_ids_have_36_characters_and_are_uuids(orchestrator: Orchestrator) -> None:
    action_id = orchestrator.begin_action("planner", "book_flight")
    assert len(action_id) == 36 and str(uuid.UUID(action_id)) == action_id


def test_the_1001st_step_is_refused(orchestrator: Orchestrator) -> None:
    action_id = orchestrator.begin_action("planner", "book_flight")
    assert all(orchestrator.record_step(action_id, f"step {n}") for n in range(1_000))
    assert orchestrator.record_step(action_id, "one too many") is False
    assert orchestrator.record_observation(action_id, "sensor", {"v": 1}) is False
    assert orchestrator.get_stats()["total_steps_recorded"] == 1_000
    assert orchestrator.diagnostics()["refused"] == {"action_full": 2}
    assert orchestrator.complete_action(action_id, {"success": True}) is True


def test_what_is_unknown_or_closed_is_answered_false(orchestrator: Orchestrator) -> None:
    action_id = orchestrator.begin_action("planner", "book_flight")
    assert orchestrator.complete_action(action_id) is True
    for unknown in (action_id, "no-such-action", str(uuid.uuid4()), "", None, 7):
        assert orchestrator.record_step(unknown, "s") is False  # type: ignore[arg-type]
        assert orchestrator.record_observation(unknown, "sensor", {}) is False  # type: ignore[arg-type]
        assert orchestrator.complete_action(unknown, {}) is False  # type: ignore[arg-type]
        assert orchestrator.get_action(unknown) is None  # type: ignore[arg-type]


def test_threads_lose_nothing(orchestrator: Orchestrator) -> None:
    answers: list[bool] = []

    def work(n: int) -> None:
        for at in range(20):
            action_id = orchestrator.begin_action(f"agent-{n}", "work")
            answers.extend(orchestrator.record_step(action_id, f"step {step} of {at}") for step in range(5))
            answers.append(orchestrator.complete_action(action_id, {"success": True}))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 * 20 * 6 and all(answers)
    assert orchestrator.get_stats() == {
        "total_begun": 160,
        "total_completed": 160,
        "total_timed_out": 0,
        "total_steps_recorded": 800,
        "open_count": 0,
    }


@pytest.mark.usefixtures("singleton")
def test_the_singleton_is_one_for_all_threads_and_behind_the_functions() -> None:
    found: list[Orchestrator] = []
    barrier = threading.Barrier(8)

    def get() -> None:
        barrier.wait()
        found.append(compat.get_attribution())

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 1 and len(found) == 8
    action_id = compat.begin_action("planner", "book_flight", "g1", {"booked": True}, ["booked"], None)
    assert compat.record_step(action_id, "said", {"a": 1}, "search", 0.5)
    assert compat.record_observation(action_id, "sensor", {"booked": True}, "airline", 0.9)
    assert compat.complete_action(action_id, {"booked": True})
    assert compat.get_attribution().get_stats()["total_completed"] == 1


@pytest.mark.usefixtures("singleton")
def test_the_example_runs() -> None:
    assert doctest.testmod(compat).failed == 0


def test_a_process_ends_with_open_actions() -> None:
    script = """if True:
        from accredit import compat
        compat._SWEEP_SECONDS = 0.001
        for n in range(100):
            compat.record_step(compat.begin_action("planner", "work"), "said")
    """
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_signatures() -> None:
    names = {
        "begin_action": "agent_id action_type goal_id expected_outcome acceptance_criteria parent_action_id",
        "record_step": "action_id description state decision confidence",
        "record_observation": "action_id observation_type data source confidence",
        "complete_action": "action_id outcome",
    }
    for name, parameters in names.items():
        assert list(inspect.signature(getattr(compat, name)).parameters) == parameters.split()
        own = inspect.signature(getattr(Orchestrator, name))
        assert list(own.parameters) == ["self", *parameters.split()]
    assert inspect.signature(compat.record_observation).parameters["confidence"].default == 1.0
    assert inspect.signature(compat.record_observation).parameters["source"].default == ""
    assert (compat.ACTION_TTL_SECONDS, compat.MAX_OPEN_ACTIONS, compat.MAX_STEPS_PER_ACTION) == (21_600, 500, 1_000)


def test_limits_are_those_of_the_moment(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch, clock: Clock, bridge: Bridge
) -> None:
    first = orchestrator.begin_action("planner", "work")
    assert orchestrator.record_step(first, "one")
    monkeypatch.setattr(compat, "MAX_STEPS_PER_ACTION", 1)
    assert not orchestrator.record_step(first, "two")
    monkeypatch.setattr(compat, "MAX_STEPS_PER_ACTION", float("inf"))
    assert orchestrator.record_step(first, "two")
    second = orchestrator.begin_action("planner", "work")
    monkeypatch.setattr(compat, "MAX_OPEN_ACTIONS", 1)
    third = orchestrator.begin_action("planner", "work")
    assert [call["prompt_id"] for call in bridge.calls] == [first, second]
    assert bridge.calls[0]["attribution_chain"]["closing"] == "evicted"
    assert orchestrator.get_action(second) is None and orchestrator.get_action(third) is not None
    clock.now += 60
    assert orchestrator.cleanup_expired() == 0
    monkeypatch.setattr(compat, "ACTION_TTL_SECONDS", 60)
    assert orchestrator.cleanup_expired() == 0
    monkeypatch.setattr(compat, "ACTION_TTL_SECONDS", 59.5)
    assert orchestrator.cleanup_expired() == 1
    assert not orchestrator.record_step(third, "too late")
    assert orchestrator.get_stats()["total_timed_out"] == 3
    orchestrator.begin_action("planner", "work")
    monkeypatch.setattr(compat, "ACTION_TTL_SECONDS", -1)
    assert orchestrator.cleanup_expired() == 1


def test_a_clock_that_is_patched_in_the_module_time_counts(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    action_id = orchestrator.begin_action("planner", "work")
    later = time.time() + compat.ACTION_TTL_SECONDS + 1
    monkeypatch.setattr(compat.time, "time", lambda: later)
    assert orchestrator.record_step(action_id, "long after")
    action = orchestrator.get_action(action_id)
    assert action is not None and action.steps[0].timestamp == pytest.approx(later)
    assert orchestrator.cleanup_expired() == 1


def test_what_has_timed_out_is_found_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(compat, "ACTION_TTL_SECONDS", 0.05)
    orchestrator = Orchestrator()
    heard = threading.Event()
    threads: list[str] = []

    def sink(topic: str, data: dict[str, Any]) -> None:
        threads.append(threading.current_thread().name)
        heard.set()

    compat.set_event_sink(sink)
    try:
        action_id = orchestrator.begin_action("planner", "work")
        assert heard.wait(20)
        assert threads == ["accredit-compat"]
        assert not orchestrator.record_step(action_id, "too late")
    finally:
        compat.set_event_sink(None)
        orchestrator.close()


def test_shapes(orchestrator: Orchestrator, clock: Clock) -> None:
    parent = orchestrator.begin_action("root", "plan")
    action_id = orchestrator.begin_action("planner", "book", "g1", {"price": 100}, ["price < 200"], parent)
    clock.now += 1.5
    orchestrator.record_step(action_id, "said", {"open": [1, "ü"]}, "search", 0.25)
    orchestrator.record_step(action_id, "no more")
    orchestrator.record_observation(action_id, "sensor", {"price": 90}, "airline", 0.5)
    orchestrator.record_observation(action_id, "sensor")
    action = orchestrator.get_action(action_id)
    assert isinstance(action, compat.AgentAction) and dataclasses.is_dataclass(action)
    assert isinstance(action.steps[0], compat.ActionStep) and isinstance(action.observations[0], compat.Observation)
    at = clock.now
    step = {"timestamp": at, "description": "said", "state": {"open": [1, "ü"]}, "decision": "search", "confidence": 0.25}
    seen = {"timestamp": at, "observation_type": "sensor", "data": {"price": 90}, "source": "airline", "confidence": 0.5}
    assert action.steps[0].to_dict() == step
    assert action.observations[0].to_dict() == seen
    assert action.to_dict() == {
        "action_id": action_id,
        "agent_id": "planner",
        "action_type": "book",
        "goal_id": "g1",
        "expected_outcome": {"price": 100},
        "acceptance_criteria": ["price < 200"],
        "parent_action_id": parent,
        "started_at": at - 1.5,
        "steps": [step, {"timestamp": at, "description": "no more", "state": {}, "decision": "", "confidence": 0.5}],
        "observations": [
            seen,
            {"timestamp": at, "observation_type": "sensor", "data": {}, "source": "", "confidence": 1.0},
        ],
    }


def test_what_is_changed_after_the_call_was_not_recorded(orchestrator: Orchestrator, bridge: Bridge) -> None:
    expected, criteria, state, data, outcome = {"a": 1}, ["a == 1"], {"l": [1]}, {"a": 1}, {"a": 1}
    action_id = orchestrator.begin_action("planner", "work", None, expected, criteria)
    orchestrator.record_step(action_id, "said", state)
    orchestrator.record_observation(action_id, "sensor", data)
    expected["a"] = data["a"] = 2
    criteria.append("false")
    state["l"].append(2)
    action = orchestrator.get_action(action_id)
    assert action is not None
    assert (action.expected_outcome, action.acceptance_criteria) == ({"a": 1}, ["a == 1"])
    assert (action.steps[0].state, action.observations[0].data) == ({"l": [1]}, {"a": 1})
    action.steps.clear()
    orchestrator.complete_action(action_id, outcome)
    outcome["a"] = 2
    chain = bridge.calls[0]["attribution_chain"]
    assert (chain["success_score"], chain["outcome"], chain["step_count"]) == (1.0, {"a": 1}, 1)


@pytest.mark.parametrize(
    ("confidence", "recorded"),
    [(0.3, 0.3), (7, 1.0), (-3, 0.0), (True, None), (float("nan"), None), (float("inf"), None), ("high", None)],
)
def test_confidences(orchestrator: Orchestrator, confidence: Any, recorded: Any) -> None:
    action_id = orchestrator.begin_action("planner", "work")
    assert orchestrator.record_step(action_id, "said", confidence=confidence) is (recorded is not None)
    action = orchestrator.get_action(action_id)
    assert action is not None and [step.confidence for step in action.steps] == [recorded] * (recorded is not None)


def test_no_value_makes_a_call_raise(orchestrator: Orchestrator, bridge: Bridge) -> None:
    circular: dict[str, Any] = {}
    circular["self"] = circular
    action_id = orchestrator.begin_action("planner", "work", parent_action_id="the parent")
    for state in (circular, object(), {1: {2, 3}}, "text", "\ud800", float("nan"), b"bytes", [None] * 9):
        assert orchestrator.record_step(action_id, "said", state) is True  # type: ignore[arg-type]
    assert orchestrator.record_step(action_id, None, decision=3) is True  # type: ignore[arg-type]
    action = orchestrator.get_action(action_id)
    assert action is not None and action.parent_action_id == "the parent"
    assert orchestrator.complete_action(action_id, "done") is True  # type: ignore[arg-type]
    assert bridge.calls[0]["attribution_chain"]["outcome"] == {"value": "done"}
    refused = orchestrator.begin_action("", "work")
    assert len(refused) == 36 and orchestrator.record_step(refused, "said") is False
    assert orchestrator.diagnostics()["converted"]["circular"] == 1


def test_on_disk_it_survives_reopening(tmp_path: Path, bridge: Bridge) -> None:
    path = tmp_path / "runs.db"
    orchestrator = Orchestrator(path)
    done = orchestrator.begin_action("planner", "work")
    orchestrator.complete_action(done, {"success": True})
    action_id = orchestrator.begin_action("planner", "work", "g1")
    assert orchestrator.record_step(action_id, "before", {"n": 1})
    orchestrator.close()
    assert orchestrator.record_step(action_id, "closed") is False
    assert len(orchestrator.begin_action("planner", "work")) == 36
    assert orchestrator.get_stats()["open_count"] == 0

    again = Orchestrator(path)
    action = again.get_action(action_id)
    assert action is not None and [step.description for step in action.steps] == ["before"]
    assert again.record_step(action_id, "after") and not again.record_step(done, "after")
    assert again.complete_action(action_id, {"success": True})
    assert again.get_stats()["total_completed"] == 2
    assert [call["attribution_chain"]["step_count"] for call in bridge.calls] == [0, 2]
    again.close()
    with accredit.open(path, read_only=True) as recorder:
        assert recorder.get_action(action_id)["step_count"] == 2


@pytest.mark.usefixtures("singleton")
def test_the_singleton_is_configured(tmp_path: Path) -> None:
    compat.configure(path=tmp_path / "runs.db")
    action_id = compat.begin_action("planner", "work")
    compat.configure()
    assert compat.record_step(action_id, "elsewhere") is False
    compat.configure(path=tmp_path / "runs.db")
    assert compat.record_step(action_id, "said") is True


def test_memory_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    orchestrator = Orchestrator()
    orchestrator.begin_action("planner", "work")
    assert len(list(tmp_path.iterdir())) == 1
    del orchestrator
    assert list(tmp_path.iterdir()) == []


def _in_child(orchestrator: Orchestrator, action_id: str, answers: Any) -> None:
    own = orchestrator.begin_action("planner", "work")
    said = (orchestrator.record_step(action_id, "child"), orchestrator.record_step(own, "child"))
    answers.put((said, orchestrator.get_stats()["total_begun"]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_forked_child_starts_anew(on_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    orchestrator = Orchestrator(tmp_path / "runs.db" if on_disk else None)
    action_id = orchestrator.begin_action("planner", "work")
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_in_child, args=(orchestrator, action_id, answers))
    child.start()
    assert answers.get(timeout=60) == (((False, False), 0) if on_disk else ((False, True), 1))
    child.join(60)
    assert orchestrator.record_step(action_id, "parent") is True
    assert orchestrator.get_stats()["total_steps_recorded"] == 1
    orchestrator.close()
    assert list((tmp_path / "tmp").iterdir()) == []
