"""Whatever an agent passes in: recording answers true or false and counts why, and strict mode raises typed exceptions."""

from __future__ import annotations

import datetime
import math
import uuid
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import accredit


class Hostile:
    """Raises at whatever is asked of it."""

    def __str__(self) -> str:
        raise RuntimeError("no str")

    __repr__ = __str__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")

    def __bool__(self) -> bool:
        raise RuntimeError("no bool")

    def __float__(self) -> float:
        raise RuntimeError("no float")

    def __iter__(self) -> Any:
        raise RuntimeError("no iter")

    def __len__(self) -> int:
        raise RuntimeError("no len")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no eq")


class HostileClass(type):
    def __getattribute__(cls, name: str) -> Any:
        if name in ("__name__", "__qualname__", "__module__"):
            raise RuntimeError("no name")
        return super().__getattribute__(name)


class Nameless(metaclass=HostileClass):
    pass


class Growing(dict[str, Any]):
    """Changes while it is looked at."""

    def items(self) -> Any:
        self[f"k{len(self)}"] = 1
        return super().items()

    def __iter__(self) -> Any:
        self[f"k{len(self)}"] = 1
        return super().__iter__()


class Text(str):
    def __str__(self) -> str:
        raise RuntimeError("no str")


class Number(float):
    def __float__(self) -> float:
        raise RuntimeError("no float")


def circular() -> dict[str, Any]:
    value: dict[str, Any] = {"list": []}
    value["list"].append(value)
    value["self"] = value
    return value


def deep(levels: int = 5_000) -> Any:
    value: Any = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"down": value}
    return value


def endless() -> Any:
    while True:
        yield 1


NASTY: list[Callable[[], Any]] = [
    lambda: math.nan,
    lambda: math.inf,
    lambda: -math.inf,
    lambda: 10**400,
    lambda: -1,
    lambda: True,
    lambda: "",
    lambda: "\ud800 alone",
    lambda: "\x00\x1f",
    lambda: "x" * 70_000,
    lambda: b"\xff\x00",
    lambda: {"k\udfff": "v\ud801"},
    lambda: {1: 2, None: 3, True: 4, (1, 2): 5, 1.5: 6},
    lambda: {"huge": ["y" * 1_000] * 100},
    circular,
    deep,
    endless,
    Hostile,
    Nameless,
    lambda: Hostile,
    lambda: {"in": Hostile(), "and": [Nameless()]},
    lambda: Growing(a=1),
    lambda: Text("text"),
    lambda: Number(0.5),
    lambda: {1, "a", (2, 3), frozenset({4})},
    lambda: object(),
    lambda: lambda: None,
    lambda: 1 + 2j,
    lambda: datetime.datetime(1, 1, 1),
    lambda: datetime.datetime.max,
    lambda: uuid.UUID(int=0),
    lambda: "01890000-0000-7000-8000-000000000001",
    lambda: "no-id",
    lambda: memoryview(b"abc"),
    lambda: range(10**9),
    lambda: [None] * 20_000,
    lambda: Exception("x"),
    lambda: accredit,
]

ANY = st.one_of(
    st.sampled_from(NASTY).map(lambda make: make()),
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.text(st.characters(codec=None)),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=10,
    ),
)

STEP = ["state", "decision", "confidence", "key", "state_key", "effect", "propensity", "reward", "usage", "at"]
OBSERVATION = ["data", "source", "confidence", "score", "step", "criterion", "at"]
BEGIN = ["goal_id", "expected_outcome", "acceptance_criteria", "parent_action_id", "action_id", "attributes", "at"]


@pytest.fixture(scope="module")
def rec() -> Any:
    recorder = accredit.open(":memory:")
    yield recorder
    recorder.close()


def some(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), ANY, max_size=3)


settled = settings(
    max_examples=60, deadline=None, derandomize=False, suppress_health_check=list(HealthCheck), print_blob=True
)


@settled
@given(what=ANY, more=some(STEP), who=ANY)
def test_steps(rec: accredit.Recorder, what: Any, more: dict[str, Any], who: Any) -> None:
    action = rec.action("agent", "work")
    assert action.step(what, **more) in (True, False)
    assert rec.record_step(action.id, what, **more) in (True, False)
    assert rec.record_step(who, what, **more) in (True, False)
    assert action.complete({}) is True


@settled
@given(what=ANY, more=some(OBSERVATION), who=ANY)
def test_observations(rec: accredit.Recorder, what: Any, more: dict[str, Any], who: Any) -> None:
    action = rec.action("agent", "work")
    assert action.observe(what, **more) in (True, False)
    assert rec.record_observation(who, what, **more) in (True, False)


@settled
@given(agent=ANY, kind=ANY, more=some(BEGIN), outcome=ANY, reward=ANY, why=ANY)
def test_the_rest(
    rec: accredit.Recorder, agent: Any, kind: Any, more: dict[str, Any], outcome: Any, reward: Any, why: Any
) -> None:
    action_id = rec.begin_action(agent, kind, **more)
    assert len(action_id) == 36
    assert rec.heartbeat(action_id) in (True, False)
    assert rec.heartbeat(why) in (True, False)
    assert rec.complete_action(action_id, outcome, reward) in (True, False)
    assert rec.complete_action(why, outcome, reward) in (True, False)
    assert rec.revise_outcome(action_id, outcome, reward, why) in (True, False)
    assert rec.cancel_action(action_id, why) in (True, False)
    assert rec.cancel_action(why) in (True, False)


@pytest.mark.parametrize("make", NASTY, ids=lambda make: f"{NASTY.index(make)}")
def test_one_by_one(rec: accredit.Recorder, make: Callable[[], Any]) -> None:
    """Each in each place, so that a failure names the place."""
    action = rec.action("agent", "work")
    for name in STEP:
        assert action.step("s", **{name: make()}) in (True, False), name
    for name in OBSERVATION:
        assert action.observe("o", **{name: make()}) in (True, False), name
    assert action.step(make()) in (True, False)
    assert action.observe(make()) in (True, False)
    rec.flush()
    assert rec.stats()["recorder"]["pending"] == 0


def test_what_is_refused_is_counted_by_reason(tmp_path: Path) -> None:
    with accredit.open(tmp_path / "runs.db") as rec:
        action = rec.action("agent", "work")

        def refused(reason: str, answer: bool) -> None:
            rec.flush()
            counted = rec.stats()["recorder"]["refused"]
            assert (answer, counted.pop(reason, 0)) == (False, before.pop(reason, 0) + 1), (reason, counted)
            assert counted == before
            before.update(rec.stats()["recorder"]["refused"])

        before: dict[str, int] = {}
        refused("invalid_number", action.step("s", confidence=math.nan))
        refused("invalid_number", action.step("s", confidence="high"))
        refused("invalid_number", action.step("s", confidence=True))
        refused("invalid_field", action.step("s", effect="yes"))
        refused("invalid_field", action.step("s", at="yesterday"))
        refused("invalid_field", action.observe("o", step=-1))
        refused("unknown_action", rec.record_step("01890000-0000-7000-8000-000000000001", "s"))
        refused("invalid_id", rec.record_step("no-id", "s"))
        assert action.complete({}) is True
        refused("closed_action", action.step("s"))
        # What is known later only is counted all the same.
        other = rec.action("agent", "work")
        other.step("s", state=deep(80))
        rec.flush()
        assert rec.stats()["recorder"]["refused"]["too_deep"] == 1
        converted = rec.stats()["recorder"]["converted"]
        other.step("\ud800", state=circular())
        after = rec.stats()["recorder"]["converted"]
        assert after["circular"] == converted.get("circular", 0) + 2
        assert after["lone_surrogates"] == converted.get("lone_surrogates", 0) + 1


def test_strict_raises_by_type(tmp_path: Path) -> None:
    with accredit.open(tmp_path / "runs.db", strict=True) as rec:
        action = rec.action("agent", "work")

        def raises(kind: type[accredit.AccreditError], code: str, call: Callable[..., Any], *args: Any, **more: Any) -> None:
            with pytest.raises(kind) as raised:
                call(*args, **more)
            assert raised.value.code == code  # type: ignore[attr-defined]

        raises(accredit.RefusedError, "invalid_number", action.step, "s", confidence=math.nan)
        raises(accredit.RefusedError, "invalid_field", action.step, "s", effect="yes")
        raises(accredit.RefusedError, "too_deep", action.step, "s", state=deep(80))
        raises(accredit.RefusedError, "invalid_id", rec.record_step, "no-id", "s")
        unknown = "01890000-0000-7000-8000-000000000001"
        raises(accredit.NotFoundError, "unknown_action", rec.record_step, unknown, "s")
        raises(accredit.NotFoundError, "unknown_action", rec.complete_action, unknown)
        raises(accredit.NotFoundError, "unknown_action", rec.heartbeat, unknown)
        assert action.complete({"success": True}) is True
        raises(accredit.ConflictError, "closed_action", action.step, "s")
        raises(accredit.ConflictError, "conflict", action.complete, {"success": False})
        closed = rec
    raises(accredit.UnavailableError, "closed", closed.record_step, unknown, "s")


def test_a_closed_recorder_refuses_and_counts(tmp_path: Path) -> None:
    rec = accredit.open(tmp_path / "runs.db")
    action = rec.action("agent", "work")
    rec.close()
    rec.close()
    assert action.step("s") is False
    assert action.complete({}) is False
    assert rec.record_observation(action.id, "o") is False
    rec.flush()
    assert rec.stats()["recorder"]["refused"] == {"closed": 3}
