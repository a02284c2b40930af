"""Many threads: nothing is lost, and whoever waits lets the others run."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from processes import hold

import accredit


def in_threads(work: Callable[[int], None], n_threads: int = 8) -> None:
    failures: list[BaseException] = []

    def run(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert not failures, failures


def test_eight_threads_with_twenty_actions_of_five_steps(tmp_path: Path) -> None:
    with accredit.open(tmp_path / "runs.db") as rec:

        def work(n: int) -> None:
            for at in range(20):
                with rec.action(f"agent {n}", "work", expect={"n": at}) as action:
                    for step in range(5):
                        assert action.step(f"step {step}")
                    assert action.complete({"n": at})

        in_threads(work)
        stats = rec.stats()
        assert (stats["begun"], stats["completed"], stats["open"], stats["recorded"]) == (160, 160, 0, 800)
        for action in rec.actions(limit=200):
            steps = [entry["description"] for entry in rec.chain(action["action_id"])]
            assert steps == [f"step {step}" for step in range(5)]


def test_one_action_from_eight_threads(tmp_path: Path) -> None:
    with accredit.open(tmp_path / "runs.db") as rec, rec.action("agent", "work") as action:

        def work(n: int) -> None:
            for at in range(500):
                assert action.step(f"{n} {at}")

        in_threads(work)
        rec.flush()
        said = [entry["description"] for entry in rec.chain(action.id)]
        assert len(said) == action.step_count == 4_000
        for n in range(8):
            assert [text for text in said if text.startswith(f"{n} ")] == [f"{n} {at}" for at in range(500)]


class Counter:
    """A thread of pure Python: it counts as fast as it is let."""

    def __init__(self) -> None:
        self.n = 0
        self._over = False
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over:
            self.n += 1

    def rate_during(self, work: Callable[[], Any]) -> float:
        before, started = self.n, time.perf_counter()
        work()
        return (self.n - before) / (time.perf_counter() - started)

    def __enter__(self) -> "Counter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()


@pytest.mark.parametrize("what", ["flush", "complete"])
def test_others_run_while_somebody_waits(tmp_path: Path, what: str) -> None:
    """The store is held by somebody else meanwhile, so that the wait is long and costs nothing by itself."""
    with accredit.open(tmp_path / "runs.db") as rec, Counter() as counter:
        actions = [rec.action("agent", "work") for _ in range(8)]
        rec.flush()
        undisturbed = counter.rate_during(lambda: time.sleep(0.5))
        holder = hold(tmp_path / "runs.db")

        def work(n: int) -> None:
            actions[n].step("s")
            assert rec.flush() is None if what == "flush" else actions[n].complete({})  # type: ignore[func-returns-value]

        timer = threading.Timer(1.0, holder.communicate)
        timer.start()
        started = time.perf_counter()
        meanwhile = counter.rate_during(lambda: in_threads(work))
        assert time.perf_counter() - started > 0.8, "they have waited"
        timer.join()
        assert meanwhile > undisturbed / 8, (meanwhile, undisturbed)
