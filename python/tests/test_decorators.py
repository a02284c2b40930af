"""``@accredit.action`` and ``@accredit.step``, on functions of every kind."""

from __future__ import annotations

import asyncio
import functools
import logging
import subprocess
import sys
from typing import Any

import pytest

import accredit
from accredit import _decorate


def one(rec: accredit.Recorder) -> dict[str, Any]:
    """The only action, with its chain."""
    (found,) = rec.actions()
    return {**found, "chain": rec.chain(found["action_id"])}


def by_type(rec: accredit.Recorder) -> dict[str, dict[str, Any]]:
    return {found["action_type"]: found for found in rec.actions()}


class Boom(Exception):
    pass


def test_a_function_is_an_action_and_its_dict_the_outcome(default: accredit.Recorder) -> None:
    @accredit.action(agent="planner", goal="g1", expect={"booked": True})
    def book(flight: str) -> dict[str, Any]:
        """Books."""
        assert accredit.current_action() is not None
        return {"booked": True}

    assert book("LH1") == {"booked": True}
    assert (book.__name__, book.__doc__) == ("book", "Books.")
    found = one(default)
    assert (found["agent_id"], found["action_type"], found["goal_id"]) == ("planner", "book", "g1")
    assert (found["verdict"], found["outcome"]) == ("success", {"booked": True})
    assert accredit.current_action() is None


def test_bare_decorators_name_themselves(default: accredit.Recorder) -> None:
    class Coder:
        @accredit.action
        def fix(self) -> int:
            return self.patch()

        @accredit.step
        def patch(self) -> int:
            return 3

        @accredit.action
        @staticmethod
        def plain() -> int:
            return 4

        @accredit.action
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

    assert (Coder().fix(), Coder.plain(), Coder.of_class()) == (3, 4, "Coder")
    found = by_type(default)
    assert {name: action["agent_id"] for name, action in found.items()} == dict.fromkeys(
        ("fix", "plain", "of_class"), "Coder"
    )
    (step,) = default.chain(found["fix"]["action_id"])
    assert (step["description"], step["decision"], step["key"]) == ("patch", "patch", "patch")


@pytest.mark.parametrize(
    ("capture", "state"),
    [
        (False, None),
        (True, {"a": 1, "b": 2, "rest": {}}),
        ("b", {"b": 2}),
        (["a", "nobody"], {"a": 1}),
        (lambda named: {"sum": named["a"] + named["b"]}, {"sum": 3}),
        (lambda named: named["nobody"], None),
    ],
)
def test_arguments_go_into_the_state(default: accredit.Recorder, capture: Any, state: Any) -> None:
    @accredit.step("adds", confidence=0.5, effect=False, state_key=lambda named: f"a={named['a']}", capture=capture)
    def add(a: int, b: int = 2, **rest: int) -> int:
        return a + b

    with default.action("agent", "sum"):
        assert add(1) == 3
    (step,) = one(default)["chain"]
    assert step.get("state") == state
    assert (step["description"], step["decision"], step["state_key"], step["confidence"]) == ("adds", "add", "a=1", 0.5)


@pytest.mark.parametrize(
    ("observe", "seen"),
    [
        (False, []),
        (True, [("result", {"result": 6})]),
        ("product", [("product", {"result": 6})]),
        (lambda result: {"half": result / 2}, [("result", {"half": 3.0})]),
        (lambda result: result.nobody, []),
    ],
)
def test_results_ground_their_step(default: accredit.Recorder, observe: Any, seen: Any) -> None:
    @accredit.step(observe=observe)
    def multiply(a: int, b: int) -> int:
        return a * b

    with default.action("agent", "product") as action:
        action.step("before")
        assert multiply(2, 3) == 6
    observed = [entry for entry in one(default)["chain"] if entry["kind"] == "observation"]
    assert [(entry["observation_type"], entry["data"]) for entry in observed] == seen
    assert all((entry["step"], entry["source"]) == (1, "multiply") for entry in observed)


def test_an_exception_goes_on_unchanged_and_is_recorded_at_both(default: accredit.Recorder) -> None:
    raised = Boom("no fuel")

    @accredit.step
    def burn() -> None:
        raise raised

    @accredit.action
    def fly() -> None:
        burn()

    with pytest.raises(Boom) as caught:
        fly()
    assert caught.value is raised
    assert (raised.__cause__, raised.__context__) == (None, None)
    found = one(default)
    assert (found["status"], found["verdict"]) == ("completed", "failure")
    assert found["outcome"]["error"] == "Boom: no fuel"
    kinds = [(entry["kind"], entry.get("observation_type"), entry.get("step")) for entry in found["chain"]]
    assert kinds == [("step", None, None), ("observation", "exception", 0), ("observation", "exception", None)]
    assert "no fuel" in found["chain"][1]["data"]["traceback"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_interruptions_cancel(default: accredit.Recorder, error: type[BaseException]) -> None:
    @accredit.action
    def wait() -> None:
        raise error

    with pytest.raises(error):
        wait()
    assert one(default)["status"] == "cancelled"


def test_outcome_reward_and_attributes(default: accredit.Recorder) -> None:
    @accredit.action(
        capture=["n"],
        attributes={"team": "blue"},
        outcome=lambda result: {"score": result},
        reward=lambda result: result / 2,
    )
    def score(n: int, secret: str) -> float:
        return n * 0.5

    score(1, "hush")
    found = one(default)
    assert (found["outcome"], found["reward"]) == ({"score": 0.5}, 0.25)
    assert found["attributes"] == {"team": "blue", "arguments": {"n": 1}}


def test_what_it_completed_itself_stays(default: accredit.Recorder) -> None:
    @accredit.action
    def early() -> dict[str, Any]:
        action = accredit.current_action()
        assert action is not None
        assert action.complete({"success": True})
        return {"success": False}

    early()
    assert one(default)["verdict"] == "success"


def test_a_wrong_call_fails_as_it_would(default: accredit.Recorder) -> None:
    @accredit.action(capture=True)
    def one_argument(a: int) -> int:
        return a

    with pytest.raises(TypeError, match="positional argument"):
        one_argument(1, 2)  # type: ignore[call-arg]
    assert one(default)["verdict"] == "failure"


@pytest.mark.parametrize("wrong", [int, 3])
def test_only_functions_are_decorated(wrong: Any) -> None:
    with pytest.raises(TypeError, match="decorates functions"):
        accredit.action(wrong)


def test_without_a_recorder_it_does_nothing_and_says_so_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    monkeypatch.setattr(_decorate, "_default", _decorate._UNSET)
    monkeypatch.setattr(_decorate, "_said", set())

    @accredit.action
    def act() -> int:
        return work()

    @accredit.step
    def work() -> int:
        return 1

    @accredit.action
    async def later() -> int:
        return 2

    @accredit.action
    def many() -> Any:
        yield 3

    @accredit.action
    async def slowly() -> Any:
        yield 4

    async def main() -> list[int]:
        return [await later(), *[value async for value in slowly()]]

    with caplog.at_level(logging.WARNING, "accredit"):
        assert (act(), act(), asyncio.run(main()), list(many())) == (1, 1, [2, 4], [3])
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "decorated functions record nothing",
        "a decorated step was called outside an action",
    ]
    caplog.clear()
    accredit.set_recorder(None)
    monkeypatch.setattr(_decorate, "_said", set())
    assert act() == 1
    assert caplog.records == [], "who sets none does not want one"


def test_which_recorder(rec: accredit.Recorder, default: accredit.Recorder) -> None:
    with accredit.open(":memory:") as other:

        @accredit.action(recorder=other)
        def outer() -> None:
            inner()

        @accredit.action
        def inner() -> None:
            assert accredit.get_recorder() is other

        @accredit.action(recorder=lambda: other)
        def found_late() -> None:
            pass

        outer()
        found_late()
        assert set(by_type(other)) == {"outer", "inner", "found_late"}
        assert accredit.set_recorder(other) is default
        assert accredit.get_recorder() is other


def test_a_closed_recorder_does_not_hurt(rec: accredit.Recorder) -> None:
    @accredit.action(recorder=rec, capture=True)
    def act(n: int) -> int:
        return work(n)

    @accredit.step(capture=True, observe=True)
    def work(n: int) -> int:
        return n

    rec.close()
    assert act(3) == 3


def test_steps_of_many_threads_keep_their_results(default: accredit.Recorder) -> None:
    @accredit.step(capture=True, observe=True)
    def echo(n: int) -> int:
        return n

    with default.action("agent", "many") as action, accredit.ThreadPoolExecutor(8) as pool:
        list(pool.map(echo, range(400)))
    chain = default.chain(action.id)
    steps = [entry for entry in chain if entry["kind"] == "step"]
    seen = [entry for entry in chain if entry["kind"] == "observation"]
    assert len(steps) == len(seen) == 400
    assert all(steps[entry["step"]]["state"] == {"n": entry["data"]["result"]} for entry in seen)


def test_partials_and_callables_are_functions(default: accredit.Recorder) -> None:
    class Doubler:
        def __call__(self, n: int) -> int:
            return 2 * n

    assert accredit.action(Doubler())(2) == 4
    assert accredit.action(functools.partial(max, 3))(1) == 3
    assert set(by_type(default)) == {"Doubler", "partial"}


def test_the_decorator_does_not_hide_a_module() -> None:
    code = "import accredit, accredit.credit; assert callable(accredit.action) and callable(accredit.step)"
    subprocess.run([sys.executable, "-c", code], check=True)
