"""Credit of plain data."""

from __future__ import annotations

import builtins
import math
import random
import threading
import time
from typing import Any

import numpy as np
import pytest

import accredit
from accredit import credit

#: The example of docs/credit.md: eight actions.
SITUATIONS = {"reproduce": "seen", "guess": "not seen"}


def bug(chosen: str, change: str, reward: float) -> dict[str, Any]:
    seen = SITUATIONS[chosen]
    last = "rewritten" if change == "rewrite" else f"patched, {seen}"
    keys = [("begun", "read"), ("read", chosen), (seen, change), (last, "submit")]
    return {"steps": [{"state_key": state, "key": key} for state, key in keys], "reward": reward}


BUGS = [
    *(bug("guess", "patch", reward) for reward in (0, 0, 0, 1)),
    *(bug("reproduce", "patch", reward) for reward in (1, 1)),
    *(bug("reproduce", "rewrite", reward) for reward in (1, 0)),
]


def test_decay() -> None:
    weights = [0.9 ** (2 - index) * (0.5 + 0.5 * confidence) for index, confidence in enumerate((1.0, 0.5, 0.0))]
    expected = [weight / sum(weights) for weight in weights]
    for given in (
        [1.0, None, 0.0],
        [1, math.nan, 0],
        np.array([1.0, np.nan, 0.0]),
        (1.0, 0.5, 0.0),
        np.float32([1, 0.5, 0]),
    ):
        made = credit.decay(given)
        assert isinstance(made, np.ndarray)
        assert made == pytest.approx(expected)
    assert (credit.decay([]).shape, credit.decay([]).dtype) == ((0,), float)


def test_uniform() -> None:
    assert list(credit.uniform(4)) == [0.25] * 4
    assert list(credit.uniform(0)) == []


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: credit.decay([2.0]), ValueError, "between 0 and 1"),
        (lambda: credit.decay([math.inf]), ValueError, "between 0 and 1"),
        (lambda: credit.decay(["x"]), ValueError, "x"),
        (lambda: credit.decay("x"), TypeError, "sequence"),
        (lambda: credit.decay(3), TypeError, "sequence"),
        (lambda: credit.uniform(-1), OverflowError, "negative"),
        (lambda: credit.fit([], "magic"), ValueError, "no credit method"),
        (lambda: credit.fit([3]), TypeError, "a trajectory is"),
        (lambda: credit.fit([{"steps": []}]), ValueError, "trajectory 0: `reward` is missing"),
        (lambda: credit.fit([{"steps": [], "reward": math.nan}]), ValueError, "`reward` is a finite number"),
        (lambda: credit.fit([{"steps": [], "reward": 1, "x": 1}]), ValueError, 'no member "x"'),
        (
            lambda: credit.fit([{"steps": [{"key": "a"}, {}], "reward": 1}]),
            ValueError,
            "trajectory 0, step 1: a step says",
        ),
        (lambda: credit.fit([{"steps": [{"key": "a", "kye": 1}], "reward": 1}]), ValueError, 'no member "kye"'),
        (
            lambda: credit.fit([{"steps": [{"key": "a", "propensity": 2}], "reward": 1}]),
            ValueError,
            "`propensity` lies",
        ),
        (lambda: credit.fit([{"steps": [{"key": "a"}], "reward": 1, "action_id": "x"}]), ValueError, "a UUID"),
        (lambda: credit.fit([([1], [1, 2], 1.0)]), ValueError, "1 states and 2 decisions"),
        (lambda: credit.calibration([1], []), ValueError, "1 confidences and 0 outcomes"),
        (lambda: credit.calibration([], []), ValueError, "nothing"),
        (lambda: credit.calibration([2], [1]), ValueError, "between 0 and 1"),
        (lambda: credit.calibration([math.nan], [1]), ValueError, "between 0 and 1"),
        (lambda: credit.shapley(2, lambda s: "x"), TypeError, "real number"),
    ],
)
def test_what_is_wrong_raises(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_the_example_of_the_documentation() -> None:
    model = credit.fit(BUGS, method="td_ce")
    assert (model.method, model.reason, model.n_actions) == ("td_ce", "it was asked for", 8)
    made = model.assign(bug("reproduce", "rewrite", 0))
    assert made.advantages == pytest.approx([0, 0.2, -1 / 6, 0], abs=1e-9)
    assert made.credits == pytest.approx([0, 0, 1, 0])
    assert made.std_errors[1:3] == pytest.approx([0.158, 0.186], abs=5e-4)
    assert list(made.n[1:3]) == [4, 2]
    assert (made.baseline, made.learned) == (pytest.approx(0.5), True)
    assert made.residual == pytest.approx(-0.5 / 1 - 0.2 + 1 / 6)
    assert all(isinstance(value, np.ndarray) for value in (made.credits, made.n, made.forecast))
    assert math.isinf(made.std_errors[0])


def sparse(n: int, seed: int) -> list[dict[str, Any]]:
    """Six steps, of which the third decides."""
    source = random.Random(seed)
    made = []
    for _ in range(n):
        keys = [source.choice("ab") for _ in range(6)]
        reward = float(source.random() < (0.9 if keys[2] == "a" else 0.1))
        made.append(
            {"steps": [{"state_key": str(index), "key": key} for index, key in enumerate(keys)], "reward": reward}
        )
    return made


def test_auto_finds_the_decisive_step() -> None:
    model = credit.fit(sparse(200, 1))
    assert model.method in ("td_ce", "sdae") and model.reason
    assert {candidate["method"] for candidate in model.report["candidates"]} >= {"td_ce", "sdae"}
    made = model.assign(sparse(1, 7)[0])
    assert int(np.argmax(np.abs(made.advantages))) == 2
    assert model.insights()[0]["decision"] in ("a", "b")


def test_auto_abstains() -> None:
    model = credit.fit(sparse(3, 1))
    assert (model.method, model.reason) == ("decay", "3 actions are too few to compare methods on")
    made = model.assign(sparse(1, 2)[0])
    assert made.credits == pytest.approx(credit.decay([None] * 6))
    assert (made.learned, len(made.forecast), made.baseline) == (False, 0, 0.5)
    assert credit.fit([]).method == "decay"


def test_the_same_seed_gives_the_same_model() -> None:
    data, asked = sparse(60, 3), sparse(1, 4)[0]
    first, second = (credit.fit(data, "sdae", seed=5).assign(asked) for _ in range(2))
    assert np.array_equal(first.advantages, second.advantages)


def test_arrays() -> None:
    source = np.random.default_rng(0)
    states = source.integers(0, 3, (80, 5))
    decisions = source.integers(0, 2, (80, 5))
    rewards = (decisions[:, 1] == 1) * 1.0
    trajectories = [(states[index], decisions[index], rewards[index]) for index in range(80)]
    made = credit.fit(trajectories).assign(trajectories[0])
    assert int(np.argmax(np.abs(made.advantages))) == 1
    rows = credit.fit([(np.stack([states[i], states[i]], axis=1), decisions[i], rewards[i]) for i in range(80)], "sdae")
    assert rows.method == "sdae"


def test_experiences(rec: accredit.Recorder) -> None:
    for trajectory in BUGS * 2:
        with rec.action("coder", "fix") as action:
            for step in trajectory["steps"]:
                action.step("words", key=step["key"], state_key=step["state_key"], usage={"input_tokens": 1})
                action.observe("note", {})
            action.complete({}, trajectory["reward"])
    model = credit.fit(rec.experiences(limit=100), "td_ce")
    assert model.n_actions == 16
    assert model.assign(rec.experiences(limit=1)[0]).learned


def test_a_known_action_does_not_count_twice() -> None:
    data = [
        dict(trajectory, action_id=f"00000000-0000-7000-8000-{index:012}")
        for index, trajectory in enumerate(sparse(40, 5))
    ]
    by_id = credit.fit(data, "ridge_rd").assign(data[0])
    assert by_id.learned
    unnamed = [{name: value for name, value in trajectory.items() if name != "action_id"} for trajectory in data]
    assert credit.fit(unnamed, "ridge_rd").assign(unnamed[0]).learned


def test_shapley_and_owen() -> None:
    gloves = credit.shapley(3, lambda players: float(bool(players & {0}) and bool(players & {1, 2})))
    assert gloves.shares == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert (list(gloves.std_errors), gloves.n_permutations) == ([0, 0, 0], 0)
    united = credit.owen(
        ["left", "right", "right"], lambda players: float(bool(players & {0}) and bool(players & {1, 2}))
    )
    assert united.shares == pytest.approx([0.5, 0.25, 0.25])
    sampled = credit.shapley(20, lambda players: sum(players), permutations=10, seed=1)
    assert sampled.shares == pytest.approx(range(20)) and sampled.n_permutations == 10


def test_what_a_value_function_raises_goes_on() -> None:
    calls = []

    def value(players: frozenset[int]) -> float:
        calls.append(players)
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        credit.shapley(10, value)
    assert calls == [frozenset()]


def test_calibration() -> None:
    made = credit.calibration(np.array([0.9, 0.9, 0.1, 0.1]), [1, 1, 0, True], bins=2)
    assert (made.n, made.brier) == (4, pytest.approx((0.01 + 0.01 + 0.01 + 0.81) / 4))
    assert [(bin["n"], bin["mean_outcome"]) for bin in made.bins] == [(2, 0.5), (2, 1.0)]
    assert made.brier == pytest.approx(
        made.reliability - made.resolution + made.uncertainty + made.within_bin_variance - made.within_bin_covariance
    )


def test_lists_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit, "_numpy", lambda: None)
    assert credit.decay([1.0]) == [1.0]
    made = credit.fit(BUGS, "td_ce").assign(BUGS[0])
    assert isinstance(made.credits, list) and made.std_errors[0] == math.inf
    assert credit.shapley(1, len).shares == [1.0]


def test_numpy_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(module: str, *args: Any, **kwargs: Any) -> Any:
        if module == "numpy":
            raise ImportError
        return real(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert credit.uniform(2) == [0.5, 0.5]


def test_others_run_while_it_fits() -> None:
    data = sparse(1_500, 6)
    ticks: list[float] = []
    ends = threading.Event()

    def tick() -> None:
        while not ends.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    native = [credit._trajectory(one) for one in data]
    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    started = time.perf_counter()
    accredit._native.fit(native, "auto", {}, 0)
    ended = time.perf_counter()
    ends.set()
    thread.join()
    during = [at for at in ticks if started < at < ended]
    assert len(during) > (ended - started) / 0.1, f"{len(during)} ticks in {ended - started:.3f} s"
