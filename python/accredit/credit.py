"""Credit of plain data: for experiments, and for those who keep their recordings elsewhere.

These are no recording calls: what is wrong raises. Arrays of numpy are taken wherever a sequence is, and what is answered is
an array where numpy is installed and a list where it is not.

A **trajectory** is a dict ``{"steps": [...], "reward": 1.0}`` with, optionally, ``goal_id``, ``agent_id`` and ``action_id``; each
step is a dict with at least one of ``key``, ``decision`` and ``description``, and any of ``state_key``, ``state``, ``confidence``,
``effect``, ``propensity``, ``reward`` and ``judged``. It may also be a tuple ``(states, decisions, reward)`` of two sequences of one
length and a number, or an experience as :meth:`Recorder.experiences` answers it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional, Union

from accredit import _native
from accredit._plain import loads

__all__ = ["Calibration", "Credit", "Model", "Shares", "calibration", "decay", "fit", "owen", "shapley", "uniform"]

#: One action's steps and reward, in one of the forms that the module names.
Trajectory = Union[Mapping[str, Any], tuple[Any, Any, Any]]


@dataclass(frozen=True)
class Credit:
    """The split of one action's reward: ``reward = baseline + sum(advantages) + residual``."""

    #: Per step: shares of the outcome, never negative, that sum to 1.
    credits: Any
    #: Per step: signed contribution in units of reward.
    advantages: Any
    #: Per step: standard error of the advantage; infinite where the data say nothing of it. Empty for a prior.
    std_errors: Any
    #: Per step: on how many observations the advantage rests. Empty for a prior.
    n: Any
    #: Per step: expected reward of the whole action after it. Empty for a prior.
    forecast: Any
    #: Expected reward before the first step.
    baseline: float
    #: What baseline and advantages leave unexplained.
    residual: float
    #: Whether a model says so, or a prior that knows of no other action.
    learned: bool


@dataclass(frozen=True)
class Shares:
    """What each player of a game is worth."""

    #: Per player; they sum to the value of all less that of none.
    shares: Any
    #: Per player: the standard error; 0 where the share is exact.
    std_errors: Any
    #: How many orders of the players were drawn; 0 where the shares are exact.
    n_permutations: int


@dataclass(frozen=True)
class Calibration:
    """How far stated confidence can be trusted. Lower is better but for ``resolution``."""

    n: int
    #: Mean squared difference of confidence and outcome.
    brier: float
    #: What miscalibration costs.
    reliability: float
    #: What telling better from worse gains.
    resolution: float
    #: The score of one who always states the mean.
    uncertainty: float
    within_bin_variance: float
    within_bin_covariance: float
    #: Mean distance of confidence and outcome over bins of equal mass.
    ece: float
    mean_confidence: float
    mean_outcome: float
    #: The reliability diagram, by rising confidence: dicts with ``n``, ``mean_confidence``, ``mean_outcome`` and its interval
    #: ``outcome_low``, ``outcome_high``.
    bins: list[dict[str, Any]]


class Model:
    """What was learned of trajectories."""

    def __init__(self, native: "_native.Model") -> None:
        self._native = native
        self._report: dict[str, Any] = loads(native.report())

    @property
    def method(self) -> str:
        """The method that was chosen: ``decay`` where nothing could be learned."""
        return str(self._report["method"])

    @property
    def reason(self) -> str:
        """Why."""
        return str(self._report["reason"])

    @property
    def n_actions(self) -> int:
        """How many trajectories it has learned from."""
        return int(self._report["n_actions"])

    @property
    def report(self) -> dict[str, Any]:
        """All that is known of the choice: ``coverage``, ``p_value``, and ``candidates`` with what each showed on held-out data."""
        return dict(self._report)

    def assign(self, trajectory: Trajectory) -> Credit:
        """Credit of one trajectory. One that the model was fitted on is known again, by ``action_id`` or by its contents, and
        its own reward does not count twice."""
        made = self._native.assign(_trajectory(trajectory))
        arrays = {name: _array(made.pop(name)) for name in ("credits", "advantages", "std_errors", "n", "forecast")}
        return Credit(**arrays, **made)

    def insights(self) -> list[dict[str, Any]]:
        """What each decision is worth: ``decision``, ``state``, ``advantage``, its interval ``low`` to ``high``, ``n``, ``q``."""
        return loads(self._native.insights())  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<accredit.credit.Model {self.method} of {self.n_actions} actions>"


def fit(trajectories: Iterable[Trajectory], method: str = "auto", *, seed: int = 0, **options: float) -> Model:
    """Learn what decisions are worth.

    ``method`` is the name of a method that learns (``td_ce``, ``gae``…), or ``auto``, which compares some of them on held-out
    trajectories and abstains where the evidence is thin. Options are those of the method: ``lambda_=0.9`` for ``gae``, say.
    ``seed`` decides which trajectories are held out together. The interpreter's lock is free
    while it computes.
    """
    chosen = {name.rstrip("_"): float(value) for name, value in options.items()}
    return Model(_native.fit([_trajectory(one) for one in trajectories], method, chosen, seed))


def decay(confidences: Any) -> Any:
    """Credit of the prior: later and more confident steps earn more. A confidence of ``None`` or NaN is not stated."""
    stated = [None if value is None or value != value else float(value) for value in _list(confidences)]
    return _array(_native.decay(stated))


def uniform(n: int) -> Any:
    """Equal credit for each of ``n`` steps."""
    return _array(_native.uniform(n))


def shapley(n: int, value: Callable[[frozenset[int]], float], *, permutations: int = 1_000, seed: int = 0) -> Shares:
    """What each of ``n`` players is worth by the Shapley value, where ``value`` says what a set of them earns.

    Exact up to 15 players, by asking for each of the ``2**n`` sets; above by drawing ``permutations`` orders, each with ``n``
    questions.
    """
    return _shares(_native.shapley(n, value, permutations, seed))


def owen(
    unions: Sequence[Hashable], value: Callable[[frozenset[int]], float], *, permutations: int = 1_000, seed: int = 0
) -> Shares:
    """The Shapley value where players belong to unions that act as one: ``unions`` names that of each player."""
    numbers: dict[Hashable, int] = {}
    named = [numbers.setdefault(union, len(numbers)) for union in _list(unions)]
    return _shares(_native.owen(named, value, permutations, seed))


def calibration(confidences: Any, outcomes: Any, *, bins: int = 10) -> Calibration:
    """How far stated confidences can be trusted, held against outcomes in [0, 1]."""
    stated, came = [[float(value) for value in _list(values)] for values in (confidences, outcomes)]
    if len(stated) != len(came):
        raise ValueError(f"there are {len(stated)} confidences and {len(came)} outcomes")
    if not all(0.0 <= value <= 1.0 for value in [*stated, *came]):
        raise ValueError("confidences and outcomes lie between 0 and 1")
    found = _native.calibration(stated, came, bins)
    if found is None:
        raise ValueError("there is nothing to compare")
    return Calibration(**found)


def _shares(made: tuple[list[float], list[float], int]) -> Shares:
    shares, std_errors, n_permutations = made
    return Shares(_array(shares), _array(std_errors), n_permutations)


def _array(values: list[Any]) -> Any:
    numpy = _numpy()
    return values if numpy is None else numpy.asarray(values, dtype=None if values else float)


def _numpy() -> Optional[Any]:
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def _list(values: Any) -> list[Any]:
    """A sequence as a list of Python's own values."""
    if hasattr(type(values), "tolist"):
        values = values.tolist()
    elif hasattr(type(values), "to_list"):
        values = values.to_list()
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes)):
        raise TypeError(f"a sequence is needed, not {type(values).__name__}")
    return list(values)


def _trajectory(trajectory: Trajectory) -> dict[str, Any]:
    if isinstance(trajectory, tuple):
        return _of_arrays(*trajectory)
    if not isinstance(trajectory, Mapping):
        raise TypeError(
            f"a trajectory is a dict or a tuple (states, decisions, reward), not {type(trajectory).__name__}"
        )
    if "attribution" in trajectory and "chain" in trajectory:
        return _of_experience(trajectory)
    made = dict(trajectory)
    made["steps"] = [dict(step) for step in made.get("steps", ())]
    return made


def _of_arrays(states: Any, decisions: Any, reward: Any) -> dict[str, Any]:
    situations, chosen = _list(states), _list(decisions)
    if len(situations) != len(chosen):
        raise ValueError(f"there are {len(situations)} states and {len(chosen)} decisions")
    return {
        "steps": [{**_situation(state), "key": str(key)} for state, key in zip(situations, chosen)],
        "reward": reward,
    }


def _situation(state: Any) -> dict[str, Any]:
    """A single value names the situation; a row of values, or a dict, describes it."""
    if isinstance(state, Mapping):
        return {"state": state}
    if isinstance(state, (list, tuple)):
        return {"state": {f"x{index}": value for index, value in enumerate(state)}}
    return {} if state is None else {"state_key": str(state)}


def _of_experience(experience: Mapping[str, Any]) -> dict[str, Any]:
    action, attribution = experience["action"], experience["attribution"]
    reward = attribution.get("reward")
    return {
        "steps": [entry for entry in experience["chain"] if entry["kind"] == "step"],
        "reward": attribution["success_score"] if reward is None else reward,
        "goal_id": action.get("goal_id"),
        "agent_id": action["agent_id"],
        "action_id": action["action_id"],
    }
