"""The calls for asyncio: recording returns at once, waiting is awaited, the event loop goes on."""

from __future__ import annotations

import asyncio
import pathlib
import socket
import time
from typing import Any

import accredit
import pytest

from served import Server, server, spool  # noqa: F401


def descriptions(chain: list[dict[str, Any]]) -> list[str]:
    return [entry["description"] for entry in chain if entry["kind"] == "step"]


async def _the_same_calls(rec: accredit.AsyncRecorder) -> None:
    async with rec.action("planner", "t", expect={"done": True}) as a:
        assert a.step("first", {"n": 1}, confidence=0.5)
        assert accredit.current_action() is a.action
        async with rec.action("helper", "sub") as b:
            b.step("below")
            assert await b.complete({}, reward=1.0)
        assert await a.complete({"done": True})
    assert accredit.current_action() is None and a.closed
    assert (await rec.attribution(a.id))["verdict"] == "success"
    assert (await rec.get_action(b.id))["parent_action_id"] == a.id
    assert descriptions(await rec.chain(a.id)) == ["first"]
    by_id = rec.begin_action("x", "t")
    assert rec.record_step(by_id, "s") and rec.record_observation(by_id, "o") and rec.heartbeat(by_id)
    assert await rec.complete_action(by_id, {"success": False})
    assert await rec.revise_outcome(by_id, {"success": True})
    assert len(await rec.attributions(by_id)) == 2
    assert len(await rec.actions(limit=10)) == 3 and len(await rec.experiences()) == 4
    assert (await rec.tree(a.id))["root"] == a.id
    other = rec.action("x", "t", parent=a)
    assert await rec.cancel_action(other.id, "not needed")
    await rec.flush()
    assert (await rec.stats())["begun"] == 4
    assert await rec.agent("planner") and await rec.models("t") == [] and await rec.insights("t")


def test_over_a_store(tmp_path: pathlib.Path) -> None:
    async def run() -> None:
        async with await accredit.aopen(tmp_path / "a.db") as rec:
            await _the_same_calls(rec)
            assert await rec.cleanup_expired() == 0
        assert (await rec.stats())["recorder"]["pending"] == 0
        with pytest.raises(accredit.UnavailableError):
            await rec.actions()

    asyncio.run(run())


def test_over_a_server(server: Server, spool: pathlib.Path) -> None:
    async def run() -> None:
        async with await accredit.aconnect(server.url, spool=spool) as rec:
            await _the_same_calls(rec)
            with pytest.raises(accredit.RefusedError):
                await rec.learn()

    asyncio.run(run())


def test_exceptions_and_cancellation_close_it(tmp_path: pathlib.Path) -> None:
    async def run() -> None:
        async with await accredit.aopen(tmp_path / "a.db") as rec:
            with pytest.raises(KeyError):
                async with rec.action("a", "t") as failed:
                    raise KeyError("no such seat")
            outcome = (await rec.attribution(failed.id))["outcome"]
            assert outcome["status"] == "error" and "no such seat" in outcome["error"]
            assert (await rec.chain(failed.id))[0]["observation_type"] == "exception"

            entered = asyncio.Event()
            actions: list[accredit.AsyncAction] = []

            async def work() -> None:
                async with rec.action("a", "t") as action:
                    actions.append(action)
                    entered.set()
                    await asyncio.sleep(60)

            task = asyncio.create_task(work())
            await entered.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await rec.get_action(actions[0].id))["status"] == "cancelled"
            async with rec.action("a", "t") as empty:
                pass
            assert (await rec.get_action(empty.id))["status"] == "completed"

    asyncio.run(run())


def test_a_cancelled_completion_is_still_carried_out(tmp_path: pathlib.Path) -> None:
    async def run() -> None:
        async with await accredit.aopen(tmp_path / "a.db") as rec:
            actions = [rec.action("a", "t") for _ in range(100)]
            tasks = [asyncio.ensure_future(action.complete({"success": True})) for action in actions]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            deadline = time.monotonic() + 60
            while (await rec.stats())["completed"] < 100:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_hundred_tasks_find_their_own_parents(server: Server, spool: pathlib.Path) -> None:
    async def agent(rec: accredit.AsyncRecorder, n: int) -> tuple[str, str]:
        async with rec.action(f"agent {n}", "outer") as outer:
            for step in range(10):
                outer.step(f"{n}.{step}")
                await asyncio.sleep(0)
            async with rec.action(f"agent {n}", "inner") as inner:
                await asyncio.sleep(0)
                inner.step(f"{n} inside")
            await outer.complete({"success": True})
        return outer.id, inner.id

    async def run() -> None:
        async with await accredit.aconnect(server.url, spool=spool, timeout=60) as rec:
            pairs = await asyncio.gather(*(agent(rec, n) for n in range(100)))
            for n, (outer, inner) in enumerate(pairs):
                assert (await rec.get_action(inner))["parent_action_id"] == outer
                assert descriptions(await rec.chain(outer)) == [f"{n}.{step}" for step in range(10)]
            stats = await rec.stats()
            assert (stats["completed"], stats["open"], stats["steps"]) == (200, 0, 1_100)

    asyncio.run(run())


def test_the_event_loop_goes_on_while_a_server_is_mute(spool: pathlib.Path) -> None:
    async def run() -> None:
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen(64)
            rec = await accredit.aconnect(f"http://127.0.0.1:{mute.getsockname()[1]}", spool=spool, timeout=1.5)
            longest, is_done = 0.0, False

            async def beat() -> None:
                nonlocal longest
                while not is_done:
                    started = time.monotonic()
                    await asyncio.sleep(0.01)
                    longest = max(longest, time.monotonic() - started)

            beating = asyncio.create_task(beat())
            a = rec.action("a", "t")
            started = time.monotonic()
            for _ in range(100):
                a.step("s")
                rec.record_step(a.id, "s")
            assert time.monotonic() - started < 0.5
            assert await a.complete({})
            with pytest.raises(accredit.UnavailableError):
                await rec.get_action(a.id)
            await rec.close()
            is_done = True
            await beating
            assert longest < 1.0, f"the event loop stood still for {longest} s"

    asyncio.run(run())
