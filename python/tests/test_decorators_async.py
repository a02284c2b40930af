"""``@accredit.action`` and ``@accredit.step`` on coroutines and generators."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import pytest

import accredit


def one(rec: accredit.Recorder) -> dict[str, Any]:
    """The only action, with its chain."""
    (found,) = rec.actions()
    return {**found, "chain": rec.chain(found["action_id"])}


class Boom(Exception):
    pass


def test_coroutines(default: accredit.Recorder) -> None:
    @accredit.step(observe=True)
    async def think(n: int) -> int:
        await asyncio.sleep(0)
        return n

    @accredit.action
    async def child(n: int) -> dict[str, int]:
        return {"n": await think(n)}

    @accredit.action
    async def parent() -> None:
        await asyncio.gather(*(child(n) for n in range(5)))

    assert inspect.iscoroutinefunction(parent)
    asyncio.run(parent())
    found = default.actions()
    root = next(action for action in found if action["action_type"] == "parent")
    children = [action for action in found if action["action_type"] == "child"]
    assert {action["parent_action_id"] for action in children} == {root["action_id"]}
    assert sorted(action["outcome"]["n"] for action in children) == list(range(5))
    for action in children:
        said = default.chain(action["action_id"])
        assert [entry["kind"] for entry in said] == ["step", "observation"]
        assert said[1]["data"] == {"result": action["outcome"]["n"]}


def test_a_cancelled_task_cancels(default: accredit.Recorder) -> None:
    @accredit.action
    async def endless() -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(endless())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert one(default)["status"] == "cancelled"


def test_the_loop_goes_on_while_a_completion_waits(default: accredit.Recorder) -> None:
    release = threading.Event()

    @accredit.action(outcome=lambda result: {"waited": release.wait(10)})
    async def slow() -> None:
        return None

    async def main() -> None:
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.01)
        release.set()
        await task

    asyncio.run(main())
    assert one(default)["outcome"] == {"waited": True}


def test_generators(default: accredit.Recorder) -> None:
    inside: list[Any] = []

    @accredit.action(outcome=lambda result: {"sum": result})
    def adder() -> Any:
        total = 0
        while True:
            inside.append(accredit.current_action())
            try:
                got = yield total
            except ValueError:
                got = 100
            if got is None:
                return total
            total += got

    run = adder()
    assert default.actions() == []
    assert next(run) == 0
    assert accredit.current_action() is None, "between two values the caller is elsewhere"
    assert (run.send(1), run.send(2), run.throw(ValueError())) == (1, 3, 103)
    with pytest.raises(StopIteration) as stop:
        next(run)
    assert stop.value.value == 103
    assert len(set(inside)) == 1 and inside[0] is not None
    assert one(default)["outcome"] == {"sum": 103}


@pytest.mark.parametrize("close", [lambda run: run.close(), lambda run: None])
def test_a_closed_generator_is_cancelled(default: accredit.Recorder, close: Any) -> None:
    cleaned = []

    @accredit.action
    def numbers() -> Any:
        try:
            yield 1
            yield 2
        finally:
            cleaned.append(accredit.current_action())

    run = numbers()
    assert next(run) == 1
    close(run)
    del run
    assert one(default)["status"] == "cancelled"
    assert cleaned[0] is not None


def test_a_generator_that_raises_fails(default: accredit.Recorder) -> None:
    @accredit.action
    def numbers() -> Any:
        yield 1
        raise Boom

    with pytest.raises(Boom):
        list(numbers())
    assert one(default)["verdict"] == "failure"


def test_async_generators(default: accredit.Recorder) -> None:
    @accredit.action
    async def ticks(n: int) -> Any:
        for number in range(n):
            action = accredit.current_action()
            assert action is not None
            action.step("tick", decision="tick")
            yield number

    async def main() -> None:
        seen = []
        async for number in ticks(3):
            assert accredit.current_action() is None
            seen.append(number)
        assert seen == [0, 1, 2]
        run = ticks(3)
        assert await run.__anext__() == 0
        await run.aclose()
        failing = ticks(3)
        await failing.__anext__()
        with pytest.raises(Boom):
            await failing.athrow(Boom())

    asyncio.run(main())
    found = default.actions()
    assert sorted((action["status"], action["verdict"]) for action in found) == [
        ("cancelled", "unknown"),
        ("completed", "failure"),
        ("completed", "unknown"),
    ]
    assert [action["step_count"] for action in found] == [1, 1, 3]


def test_steps_of_generators_observe_their_end(default: accredit.Recorder) -> None:
    @accredit.step
    def tokens() -> Any:
        yield "a"
        yield "b"

    with default.action("agent", "stream"):
        next(tokens())
    kinds = [entry.get("observation_type") for entry in one(default)["chain"]]
    assert kinds == [None, "cancelled"]
