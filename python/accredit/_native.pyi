"""The native part: the engine's recorder behind two classes, frames, and credit of plain data.

It is the package's own: what it offers is offered by ``accredit`` itself, as objects where this answers JSON text.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, final

from typing_extensions import CapsuleType, disjoint_base

__all__ = [
    "AccreditError",
    "Action",
    "CompatEngine",
    "ConflictError",
    "Frame",
    "Model",
    "NotFoundError",
    "Recorder",
    "RefusedError",
    "StoreError",
    "UnavailableError",
    "__version__",
    "after_fork_in_child",
    "after_fork_in_parent",
    "before_fork",
    "calibration",
    "decay",
    "export",
    "fit",
    "numbered_step",
    "owen",
    "shapley",
    "to_json",
    "uniform",
]

__version__: Final[str]
"""The version of the package."""

class AccreditError(Exception):
    """What accredit raises; ``code`` is a stable name."""

    code: str
    """The name of what went wrong: a reason of the wire format, or a code of the engine's errors."""

class RefusedError(AccreditError):
    """What was passed in is not acceptable as it is."""

class NotFoundError(AccreditError):
    """There is no such action, version, agent or model."""

class ConflictError(AccreditError):
    """The action is in a state that this does not fit."""

class UnavailableError(AccreditError):
    """Not now: try again in a moment."""

class StoreError(AccreditError):
    """The store cannot be used, or something in it is damaged."""

@disjoint_base
class Recorder:
    """Records into a store of this process. What it answers to questions is JSON text."""

    @staticmethod
    def open(
        path: str | os.PathLike[str],
        config: str = "",
        strict: bool = False,
        read_only: bool = False,
        *,
        block: float | None = None,
    ) -> Recorder:
        """Open the store at a path. ``config`` is TOML text, as a configuration file has it; ``block`` is how many seconds a
        recording call waits for room."""

    @staticmethod
    def connect(
        url: str,
        key: str | None = None,
        strict: bool = False,
        spool: str | os.PathLike[str] | None = None,
        spool_bytes_max: int | None = None,
        timeout: float = 10.0,
        *,
        block: float | None = None,
    ) -> Recorder:
        """Record to the server at a URL, with a spool on disk for the time in which it is away."""

    @property
    def strict(self) -> bool:
        """Whether refusals raise."""

    @property
    def live(self) -> bool:
        """Whether it can be used: not closed, and not left behind by a fork."""

    def begin_action(
        self,
        agent_id: str,
        action_type: str,
        goal_id: str | None = None,
        expected_outcome: Mapping[str, Any] | None = None,
        acceptance_criteria: Iterable[str] | None = None,
        parent_action_id: object = None,
        action_id: object = None,
        attributes: Mapping[str, Any] | None = None,
        *,
        at: object = None,
    ) -> str:
        """Begin an action and answer its id; that of an action which takes nothing where it could not be begun."""

    def record_step(
        self,
        action_id: object,
        description: str,
        state: object = None,
        decision: str | None = None,
        confidence: float | None = None,
        *,
        key: str | None = None,
        state_key: str | None = None,
        effect: bool | None = None,
        propensity: float | None = None,
        reward: float | None = None,
        usage: object = None,
        at: object = None,
    ) -> bool:
        """Record what the agent says. False where it was refused; why is counted."""

    def record_observation(
        self,
        action_id: object,
        observation_type: str,
        data: object = None,
        source: str | None = None,
        confidence: float | None = None,
        *,
        score: float | None = None,
        step: int | None = None,
        criterion: str | None = None,
        at: object = None,
    ) -> bool:
        """Record what the world says. False where it was refused; why is counted."""

    def complete_action(
        self, action_id: object, outcome: object = None, reward: float | None = None, *, at: object = None
    ) -> bool:
        """Complete an action; durable when it returns. False where nothing new was completed."""

    def revise_outcome(
        self, action_id: object, outcome: object = None, reward: float | None = None, reason: str | None = None
    ) -> bool:
        """Judge an action anew by another outcome."""

    def cancel_action(self, action_id: object, reason: str | None = None) -> bool:
        """Close an action that nobody will complete."""

    def heartbeat(self, action_id: object) -> bool:
        """Say that an action is still being worked on."""

    def cleanup_expired(self) -> int:
        """Close what has been idle for too long; how many actions that were."""

    def flush(self) -> None:
        """Return when all that was recorded before is durable."""

    def close(self) -> None:
        """Make everything durable and give the store free."""

    def own_stats(self) -> str:
        """The counters of this recorder, as JSON."""

    def stats(self) -> str:
        """The counters of the store, as JSON."""

    def action(self, action_id: object) -> str:
        """One action, as JSON."""

    def chain(self, action_id: object) -> str:
        """Its entries in order, as a JSON array."""

    def attribution(self, action_id: object, version: int | None = None) -> str:
        """Its attribution, as JSON: the newest version, or the one named."""

    def what_if(self, action_id: object, method: str) -> str:
        """Its attribution as another method would give it, as JSON; the method as JSON too."""

    def attributions(self, action_id: object) -> str:
        """All versions, oldest first, as a JSON array."""

    def tree(self, action_id: object) -> str:
        """The action and all below it with the credit that reaches each, as JSON."""

    def actions(
        self,
        agent_id: str | None = None,
        action_type: str | None = None,
        goal_id: str | None = None,
        status: str | None = None,
        verdict: str | None = None,
        from_: object = None,
        to: object = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> str:
        """A page of actions, newest first, as JSON: ``actions`` and ``next_cursor``."""

    def experiences(self, after: int = 0, limit: int = 100) -> str:
        """Experiences after a cursor of the feed, as a JSON array."""

    def insights(self, action_type: str) -> str:
        """What each decision of a type is worth, as JSON."""

    def agent(self, agent_id: str) -> str:
        """How an agent does, as JSON; ``null`` where nothing of it is recorded."""

    def models(self, action_type: str) -> str:
        """The models that are kept of a type, newest first, as a JSON array."""

    def learn(self) -> str:
        """Learn from all that is closed, now; the models that were fitted, as a JSON array."""

@disjoint_base
class Action:
    """One open action. Its calls never raise for what an agent passes in, unless the recorder is strict."""

    def __new__(
        cls,
        recorder: Recorder,
        agent_id: str,
        action_type: str,
        goal_id: str | None = None,
        expected_outcome: Mapping[str, Any] | None = None,
        acceptance_criteria: Iterable[str] | None = None,
        parent_action_id: object = None,
        action_id: object = None,
        attributes: Mapping[str, Any] | None = None,
        at: object = None,
    ) -> Action: ...
    @property
    def id(self) -> str:
        """The action's id, 36 characters."""

    @property
    def closed(self) -> bool:
        """Whether it takes no more steps."""

    @property
    def step_count(self) -> int:
        """How many steps were recorded: the index of the next one."""

    def step(
        self,
        description: str,
        state: object = None,
        decision: str | None = None,
        confidence: float | None = None,
        *,
        key: str | None = None,
        state_key: str | None = None,
        effect: bool | None = None,
        propensity: float | None = None,
        reward: float | None = None,
        usage: object = None,
        at: object = None,
    ) -> bool:
        """Record what the agent says.

        ``description`` is the step in words, ``decision`` what was chosen, ``confidence`` the agent's own in [0, 1], ``state``
        the situation in which it chose: anything, see "What is converted how" in the documentation. ``key`` and ``state_key``
        name decision and situation in words that recur; learning compares actions by them. ``effect`` says that the step
        changed the world, ``propensity`` is the probability with which the agent chose it, ``reward`` the part of the reward
        that came with it, ``usage`` what it cost: ``input_tokens``, ``output_tokens``, ``cost_usd``, ``latency_ms``. ``at`` is a
        ``datetime``, RFC 3339 or seconds since 1970.

        False where it was refused; why is counted.
        """

    def observe(
        self,
        observation_type: str,
        data: object = None,
        source: str | None = None,
        confidence: float | None = None,
        *,
        score: float | None = None,
        step: int | None = None,
        criterion: str | None = None,
        at: object = None,
    ) -> bool:
        """Record what the world says.

        ``data`` is anything; where it supplies a key that the outcome claims too, it decides. ``source`` is who saw it,
        ``confidence`` how reliable that is, ``score`` a judgement in [0, 1], ``step`` the index of the step that it grounds,
        ``criterion`` the acceptance criterion that it judges, word for word.

        False where it was refused; why is counted.
        """

    def complete(self, outcome: object = None, reward: float | None = None, *, at: object = None) -> bool:
        """Complete it with what came out; durable when it returns. False where nothing new was completed."""

    def revise(self, outcome: object = None, reward: float | None = None, reason: str | None = None) -> bool:
        """Judge it anew by another outcome; a new version of its attribution."""

    def cancel(self, reason: str | None = None) -> bool:
        """Close it without an outcome."""

    def heartbeat(self) -> bool:
        """Say that it is still being worked on."""

@final
class Frame:
    """A table in memory, behind the Arrow C data interface."""

    @staticmethod
    def actions(
        recorder: Recorder,
        agent_id: str | None,
        action_type: str | None,
        goal_id: str | None,
        status: str | None,
        verdict: str | None,
        from_: object,
        to: object,
        limit: int,
    ) -> Frame:
        """Actions that match, newest first."""

    @staticmethod
    def steps(
        recorder: Recorder,
        agent_id: str | None,
        action_type: str | None,
        goal_id: str | None,
        status: str | None,
        verdict: str | None,
        from_: object,
        to: object,
        limit: int,
    ) -> Frame:
        """The steps of the actions that match, the newest action first."""

    @staticmethod
    def insights(recorder: Recorder, action_type: str) -> Frame:
        """What each decision of an action type is worth."""

    @staticmethod
    def from_actions(json: str) -> Frame:
        """The frame of a list of actions, as JSON."""

    @staticmethod
    def from_experiences(json: str) -> Frame:
        """The frame of the steps of a list of experiences, as JSON."""

    @staticmethod
    def from_insights(json: str) -> Frame:
        """The frame of insights, as JSON."""

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""

    def __len__(self) -> int: ...
    def to_pydict(self) -> dict[str, list[Any]]:
        """A dict of columns, each a list."""

    def __arrow_c_schema__(self) -> CapsuleType:
        """A capsule ``arrow_schema``."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> CapsuleType:
        """A capsule ``arrow_array_stream``."""

@final
class Model:
    """What was learned of trajectories."""

    def report(self) -> str:
        """What was chosen and why, as JSON."""

    def insights(self) -> str:
        """What each decision is worth, as JSON."""

    def assign(self, trajectory: dict[str, Any]) -> dict[str, Any]:
        """Credit of one trajectory."""

def to_json(value: object) -> str:
    """The JSON text of a value, as recording converts it; it never raises."""

def numbered_step(
    action: Action,
    description: str,
    state: object = None,
    decision: str | None = None,
    confidence: float | None = None,
    key: str | None = None,
    state_key: str | None = None,
    effect: bool | None = None,
) -> int | None:
    """Record a step and answer its index, or ``None`` where it was refused."""

def export(
    recorder: Recorder,
    path: str | os.PathLike[str],
    agent_id: str | None,
    action_type: str | None,
    goal_id: str | None,
    status: str | None,
    verdict: str | None,
    from_: object,
    to: object,
) -> int:
    """Write the closed actions that match as JSON lines; how many."""

def decay(confidences: Sequence[float | None]) -> list[float]:
    """Shares by place and confidence; ``None`` is not stated."""

def uniform(n: int) -> list[float]:
    """Equal shares."""

def fit(trajectories: Sequence[dict[str, Any]], method: str, options: Mapping[str, float], seed: int) -> Model:
    """Learn from trajectories."""

def calibration(confidences: Sequence[float], outcomes: Sequence[float], n_bins: int) -> dict[str, Any] | None:
    """Stated confidence against outcomes; ``None`` of nothing."""

def shapley(
    n: int, value: Callable[[frozenset[int]], float], n_permutations: int, seed: int
) -> tuple[list[float], list[float], int]:
    """Shares, standard errors and permutations drawn of a game of ``n`` players."""

def owen(
    unions: Sequence[int], value: Callable[[frozenset[int]], float], n_permutations: int, seed: int
) -> tuple[list[float], list[float], int]:
    """The same of a game in which players belong to unions."""

def before_fork() -> None:
    """Hold stores still, so that a fork finds no lock taken."""

def after_fork_in_parent() -> None:
    """Let stores go on."""

def after_fork_in_child() -> None:
    """Leave behind what only the parent may hold, and go on with what records to a server."""

@final
class CompatEngine:
    def __new__(cls, path: str | os.PathLike[str], ephemeral: bool) -> CompatEngine: ...
    @property
    def live(self) -> bool: ...
    def begin(
        self,
        now: float | None,
        open_actions_max: float,
        agent_id: Any,
        action_type: Any,
        goal_id: Any,
        expected_outcome: Any,
        acceptance_criteria: Any,
        parent_action_id: Any,
        /,
    ) -> tuple[str | None, list[str]]: ...
    def record_step(
        self,
        now: float | None,
        entries_max: float,
        action_id: Any,
        description: Any,
        state: Any,
        decision: Any,
        confidence: Any,
        /,
    ) -> bool: ...
    def record_observation(
        self,
        now: float | None,
        entries_max: float,
        action_id: Any,
        observation_type: Any,
        data: Any,
        source: Any,
        confidence: Any,
        /,
    ) -> bool: ...
    def complete(self, now: float | None, action_id: Any, outcome: Any, /) -> str | None: ...
    def cleanup_expired(self, now: float | None, idle_secs: float, /) -> list[str]: ...
    def closed(self, action_id: str) -> str: ...
    def action(self, action_id: Any) -> str | None: ...
    def stats(self) -> str: ...
    def diagnostics(self) -> str: ...
    def close(self) -> None: ...
