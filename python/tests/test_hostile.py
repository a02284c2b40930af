"""Values that mean harm: recording them neither raises nor hangs."""

from __future__ import annotations

import collections
import collections.abc
import datetime as dt
import itertools
import math
import signal
import threading
from typing import Any
from unittest import mock

import pydantic
import pytest
from test_convert import ROWS, Data, Mapped, converted

import accredit
from accredit._native import to_json


def containing_itself() -> list[Any]:
    circular: dict[str, Any] = {}
    circular["self"] = circular
    listed: list[Any] = [1]
    listed.append(listed)
    data = Data(1)
    data.b = {"back": data}
    twice = {"shared": 1}
    return [
        (circular, {"self": {"$circular": "dict"}}),
        (listed, [1, {"$circular": "list"}]),
        (data, {"a": 1, "b": {"back": {"$circular": "Data"}}}),
        ([twice, twice], [{"shared": 1}, {"shared": 1}]),
    ]


@pytest.mark.parametrize(("value", "expected"), containing_itself(), ids=["dict", "list", "dataclass", "shared"])
def test_what_contains_itself(value: Any, expected: Any) -> None:
    assert converted(value) == expected


class Raises:
    def __repr__(self) -> str:
        raise ValueError("no")


class RaisesSystemExit:
    def __repr__(self) -> str:
        raise SystemExit(3)


class ReprIsNoText:
    def __repr__(self) -> str:
        return 3  # type: ignore[return-value]


class LyingDict(dict):  # type: ignore[type-arg]
    """Its iteration never ends and names what it has not."""

    def __iter__(self) -> Any:
        return itertools.count()

    keys = items = values = __iter__  # type: ignore[assignment]

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, key: Any) -> Any:
        raise KeyError(key)


class LyingList(list):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        return itertools.count()

    def __getitem__(self, key: Any) -> Any:
        return self


class RaisingModel(pydantic.BaseModel):
    a: int

    def model_dump(self, **_: Any) -> Any:
        raise RuntimeError("no dump")


class RaisingMapping(Mapped):
    def __iter__(self) -> Any:
        raise RuntimeError("no")


class EndlessAttributes:
    def __getattr__(self, name: str) -> Any:
        return EndlessAttributes()


class RaisingClass:
    @property
    def __class__(self) -> Any:
        raise RuntimeError("no class")


class RaisingEquality(dt.date):
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]


class RaisingText(Exception):
    def __str__(self) -> str:
        raise ValueError


class RaisingKey:
    def __str__(self) -> str:
        raise ValueError


HOSTILE: list[tuple[Any, Any]] = [
    (Raises(), {"$repr": "Raises"}),
    (RaisesSystemExit(), {"$repr": "RaisesSystemExit"}),
    (ReprIsNoText(), {"$repr": "ReprIsNoText"}),
    ([Raises(), 1], [{"$repr": "Raises"}, 1]),
    (LyingDict(a=1), {"a": 1}),
    (LyingList([1, 2]), [1, 2]),
    (RaisingModel(a=1), {"a": 1}),
    (RaisingMapping(), {"$unreadable": "RaisingMapping"}),
    (RaisingClass(), {"$unreadable": "RaisingClass"}),
    (RaisingEquality(2024, 1, 2), {"$unreadable": "RaisingEquality"}),
    (RaisingText(), {"type": "RaisingText", "message": "<ValueError in __str__>"}),
    ({RaisingKey(): 1}, {"$unreadable": 1}),
    (10**10_000, {"$repr": "int"}),
]


@pytest.mark.parametrize(("value", "expected"), HOSTILE, ids=lambda value: type(value).__name__)
def test_objects_that_mean_harm(value: Any, expected: Any) -> None:
    assert converted(value) == expected


@pytest.mark.parametrize(
    "value", [mock.MagicMock(), mock.Mock(spec=dict), EndlessAttributes()], ids=["magic", "spec", "endless"]
)
def test_objects_that_have_every_attribute_are_taken_for_nothing_else(rec: accredit.Recorder, value: Any) -> None:
    assert list(converted(value))[0] in ("$repr", "$unreadable")
    assert rec.action("agent", "mocked").step("x", state={"tool": value})


def test_a_list_a_million_deep() -> None:
    deep: list[Any] = []
    for _ in range(10**6):
        deep = [deep]
    assert '{"$deep":"list"}' in to_json(deep)
    while deep:
        deep = deep[0]


@pytest.mark.parametrize("wrap", [lambda v: frozenset({v}), lambda v: Data(1, v), lambda v: (v,), lambda v: {"a": v}])
def test_every_kind_of_nesting_ends(wrap: Any) -> None:
    value: Any = 1
    for _ in range(300):
        value = wrap(value)
    assert "$deep" in to_json(value)


def test_a_dict_that_changes_while_it_is_read() -> None:
    changing: dict[str, Any] = {}

    class Changes:
        def __repr__(self) -> str:
            changing.clear()
            changing.update((str(n), n) for n in range(1_000))
            return "changed"

    changing.update(a=Changes(), b=2)
    assert converted(changing) == {"a": {"$repr": "changed"}, "b": 2}
    listed: list[Any] = [None, 2, 3]

    class Shortens:
        def __repr__(self) -> str:
            listed.clear()
            return "cleared"

    listed[0] = Shortens()
    assert converted(listed) == [{"$repr": "cleared"}]


def test_a_dict_that_other_threads_change(rec: accredit.Recorder) -> None:
    changing: dict[int, Any] = {}
    ends = threading.Event()

    def change() -> None:
        for n in itertools.cycle(range(200)):
            if ends.is_set():
                return
            changing[n] = {"n": collections.deque([n])}
            changing.pop((n * 7) % 200, None)

    threads = [threading.Thread(target=change) for _ in range(2)]
    for thread in threads:
        thread.start()
    with rec.action("agent", "race") as action:
        assert all(action.step("x", state=changing) for _ in range(200))
    ends.set()
    for thread in threads:
        thread.join()


def test_what_is_huge_ends_soon() -> None:
    for value in (
        [0] * 20_000_000,
        {n: "x" * 100 for n in range(300_000)},
        "é" * 20_000_000,
        {"x" * n for n in range(9_000)},
        ["\x01" * 1_000] * 30_000,
        ['"' * 1_000] * 30_000,
        [-(2**62)] * 2_000_000,
        [-1e-300 / 3] * 2_000_000,
        {10**17 + n: None for n in range(1_500_000)},
    ):
        assert len(to_json(value)) < 18 << 20
    assert converted([["x" * 1_000] * 30_000])[0][-1] == {"$large": "str"}


def test_an_interrupt_is_heard(rec: accredit.Recorder) -> None:
    class Interrupted:
        def __repr__(self) -> str:
            raise KeyboardInterrupt

    # What a shell starts in the background ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            to_json(Interrupted())
            for _ in range(1_000):
                pass
    finally:
        signal.signal(signal.SIGINT, before)


def test_recording_never_raises_and_counts(rec: accredit.Recorder) -> None:
    with rec.action("agent", "hostile") as action:
        for value, _ in [*ROWS, *HOSTILE]:
            assert action.step("x", state={"value": value}, decision="d")
            assert action.observe("y", value)
        deep: Any = 1
        for _ in range(200):
            deep = [deep]
        assert not action.step("x", state=deep)
        assert not action.step("x", confidence=math.nan)
        assert action.step(Raises(), decision=object())  # type: ignore[arg-type]
    own = rec.stats()["recorder"]
    assert own["refused"] == {"too_deep": 1, "invalid_number": 1}
    assert set(own["converted"]) >= {"not_finite", "large_int", "unreadable", "lone_surrogates", "not_text"}


def test_values_are_copied_at_the_call(rec: accredit.Recorder) -> None:
    state = {"list": [1]}
    with rec.action("agent", "copied") as action:
        action.step("x", state=state)
        state["list"].append(2)
    assert rec.chain(action.id)[0]["state"] == {"list": [1]}
