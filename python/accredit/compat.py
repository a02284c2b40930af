"""A drop-in for an older in-memory module: change the import, and nothing else.

>>> from accredit import compat
>>> action_id = compat.begin_action("planner", "book_flight", expected_outcome={"score": 0.9})
>>> compat.record_step(action_id, "chose the cheapest", decision="search", confidence=0.8)
True
>>> compat.complete_action(action_id, {"score": 0.92})
True
>>> compat.record_step(action_id, "too late")
False

Calls answer at once what they did: ``False`` for an action that is unknown, closed or full. They raise nothing for what
they are given; what cannot be recorded is refused, counted (``diagnostics()``) and answered ``False``. Values are copied.

**Where it keeps things.** In a file in the system's temporary folder that nobody waits for and that goes with the process
(the default; what is closed stays in it until then), or on disk with :func:`configure` or ``path=``: then a completion
returns when it is durable, a step is durable some milliseconds after its call, and open actions are open again after a
restart. One process writes to a file. A forked child starts empty in memory; on disk the file stays its parent's, and the
child's calls answer ``False``.

**Limits and time.** ``ACTION_TTL_SECONDS``, ``MAX_OPEN_ACTIONS`` and ``MAX_STEPS_PER_ACTION`` (steps and observations
together) are read at every call: assign others at any time. So is the clock: ``time.time()`` of this module's ``time``.
Where that was replaced, its answer is the time of the call, and nothing times out but by ``cleanup_expired()``; otherwise a
thread looks for what has timed out every ten seconds.

**What was inferred.** The recorded answers of the older module do not show everything. Where they are silent, this was
chosen: a step without a confidence weighs 0.5, as accredit's contract has it, and an observation without one 1.0; ``None``
for a decision or source reads as ``""``, for a state, data, outcome or expectation as ``{}``, for criteria as ``[]``, as the
recorded chains do where an argument was left out; ``response`` of a bridge is JSON text, as the prompt beside it is text;
``get_action`` finds open actions, the only ones that the older module's statistics know of; and the fields of
:class:`AgentAction` and :class:`ActionStep` that no chain shows (``started_at``, ``timestamp``) are named after those that
one does.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
import threading
import time as time
import uuid
import weakref
from collections.abc import Sequence
from typing import Any, Optional, Union

from accredit import _compat_delivery as _delivery
from accredit import _native
from accredit._compat_delivery import EventSink, set_bridge, set_event_sink
from accredit._compat_records import ActionStep, AgentAction, Observation, read_action

__all__ = [
    "ACTION_TTL_SECONDS",
    "MAX_OPEN_ACTIONS",
    "MAX_STEPS_PER_ACTION",
    "ActionStep",
    "AgentAction",
    "AgentAttributionOrchestrator",
    "EventSink",
    "Observation",
    "begin_action",
    "complete_action",
    "configure",
    "get_attribution",
    "record_observation",
    "record_step",
    "set_bridge",
    "set_event_sink",
]

#: Seconds from its beginning after which an action is closed as timed out.
ACTION_TTL_SECONDS: float = 21_600
#: Actions open at once; one more closes the one that began first.
MAX_OPEN_ACTIONS: float = 500
#: Steps and observations of one action together; one more is refused.
MAX_STEPS_PER_ACTION: float = 1_000

PathLike = Union[str, "os.PathLike[str]"]

_log = logging.getLogger("accredit.compat")

_SWEEP_SECONDS = 10.0

_STATS = ("total_begun", "total_completed", "total_timed_out", "total_steps_recorded", "open_count")

# In a tuple, where tools that replace clocks everywhere do not look for it.
_SYSTEM_CLOCK = (time, time.time)


def _now() -> Optional[float]:
    """The time of a replaced clock; ``None`` where it is the system's."""
    clock = time.time
    if clock is _SYSTEM_CLOCK[1] and time is _SYSTEM_CLOCK[0]:
        return None
    try:
        return float(clock())
    except Exception:
        return None


class AgentAttributionOrchestrator:
    """Actions that are open, and what becomes of them; in memory, or with ``path`` in a file.

    Raises what :func:`accredit.open` raises where the file cannot be used. No other call raises.
    """

    def __init__(self, path: Optional[PathLike] = None) -> None:
        self._path = None if path is None else os.fspath(path)
        self._lock = threading.Lock()
        self._native: Optional[_native.CompatEngine] = None
        self._stopped = threading.Event()
        self._sweepers: list[threading.Thread] = []
        self._open()
        _orchestrators.add(self)

    def _open(self) -> _native.CompatEngine:
        if self._path is not None:
            native, folder = _native.CompatEngine(self._path, False), None
        else:
            folder = tempfile.mkdtemp(prefix="accredit-")
            try:
                native = _native.CompatEngine(os.path.join(folder, "memory.db"), True)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        self._finalize = weakref.finalize(self, _end, native, folder, os.getpid(), self._stopped, self._sweepers)
        self._native = native
        parts = sys.modules.get("multiprocessing"), sys.modules.get("multiprocessing.util")
        if all(parts) and parts[0].parent_process() is not None:  # type: ignore[union-attr]
            # Such a process ends without its exit handlers.
            parts[1].Finalize(None, self._finalize, exitpriority=0)  # type: ignore[union-attr]
        return native

    def _engine(self) -> Optional[_native.CompatEngine]:
        """The engine; a new one where this process was forked from the one that opened it."""
        if self._native is not None:
            return self._native
        with self._lock:
            if self._native is None and not self._stopped.is_set():
                try:
                    return self._open()
                except Exception:
                    self._stopped.set()
                    _log.exception("accredit.compat cannot record in this process; its calls answer False")
            return self._native

    def _left_behind(self) -> None:
        """In a forked child: the threads and locks of the engine stayed with the parent."""
        self._finalize.detach()
        self._native, self._sweepers = None, []
        self._lock, self._stopped = threading.Lock(), threading.Event()

    def begin_action(
        self,
        agent_id: str,
        action_type: str,
        goal_id: Optional[str] = None,
        expected_outcome: Optional[dict[str, Any]] = None,
        acceptance_criteria: Optional[Sequence[str]] = None,
        parent_action_id: Optional[str] = None,
    ) -> str:
        """Open an action; its id has 36 characters. Where as many are open as may be, the one that began first is closed.

        Of one that is refused (no agent or type, or an id of more than 100 characters) the id is known to nobody.
        """
        engine = self._engine()
        if engine is None:
            return str(uuid.uuid4())
        action_id, evicted = engine.begin(
            _now(),
            MAX_OPEN_ACTIONS,
            agent_id,
            action_type,
            goal_id,
            expected_outcome,
            acceptance_criteria,
            parent_action_id,
        )
        if not self._sweepers:
            self._start_sweeping()
        self._deliver(engine, evicted)
        return str(uuid.uuid4()) if action_id is None else action_id

    def record_step(
        self,
        action_id: str,
        description: str,
        state: Optional[dict[str, Any]] = None,
        decision: Optional[str] = None,
        confidence: Optional[float] = None,
    ) -> bool:
        """Record what the agent said; whether that was recorded."""
        engine = self._native or self._engine()
        return engine is not None and engine.record_step(
            _now(), MAX_STEPS_PER_ACTION, action_id, description, state, decision, confidence
        )

    def record_observation(
        self,
        action_id: str,
        observation_type: str,
        data: Optional[dict[str, Any]] = None,
        source: str = "",
        confidence: float = 1.0,
    ) -> bool:
        """Record what the world said; whether that was recorded."""
        engine = self._native or self._engine()
        return engine is not None and engine.record_observation(
            _now(), MAX_STEPS_PER_ACTION, action_id, observation_type, data, source, confidence
        )

    def complete_action(self, action_id: str, outcome: Optional[dict[str, Any]] = None) -> bool:
        """Close an action with what came out; whether it was open."""
        engine = self._engine()
        closed = None if engine is None else engine.complete(_now(), action_id, outcome)
        if engine is None or closed is None:
            return False
        self._deliver(engine, [closed])
        return True

    def cleanup_expired(self) -> int:
        """Close what has been open for longer than ``ACTION_TTL_SECONDS``; how many actions that were."""
        engine = self._engine()
        if engine is None:
            return 0
        expired = engine.cleanup_expired(_now(), ACTION_TTL_SECONDS)
        self._deliver(engine, expired)
        return len(expired)

    def get_action(self, action_id: str) -> Optional[AgentAction]:
        """An open action, copied; ``None`` where none has this id, or it is closed."""
        engine = self._engine()
        if engine is None:
            return None
        try:
            text = engine.action(action_id)
        except Exception:
            _log.exception("an action cannot be read")
            return None
        return None if text is None else read_action(text)

    def get_stats(self) -> dict[str, int]:
        """``total_begun``, ``total_completed`` (every closing), ``total_timed_out`` (by time or for room),
        ``total_steps_recorded`` and ``open_count``."""
        engine = self._engine()
        if engine is not None and engine.live:
            return json.loads(engine.stats())  # type: ignore[no-any-return]
        return dict.fromkeys(_STATS, 0)

    def diagnostics(self) -> dict[str, dict[str, int]]:
        """How many calls were ``refused``, by reason; values ``converted``, by what they were; and how often the bridge and
        the event sink ``failed``."""
        engine = self._engine()
        counted: dict[str, dict[str, int]] = {"refused": {}, "converted": {}}
        if engine is not None and engine.live:
            counted = json.loads(engine.diagnostics())
        return {**counted, "failed": _delivery.failures()}

    def close(self) -> None:
        """Make everything durable and give the file free. Calls answer ``False`` from now on."""
        self._finalize()

    def _deliver(self, engine: _native.CompatEngine, closed: Sequence[str]) -> None:
        if closed and _delivery.is_wanted():
            for action_id in closed:
                try:
                    said = json.loads(engine.closed(action_id))
                except Exception:
                    _log.exception("a closed action cannot be read")
                    continue
                _delivery.deliver(said)

    def _start_sweeping(self) -> None:
        with self._lock:
            if not self._sweepers and not self._stopped.is_set():
                arguments = (weakref.ref(self), self._stopped)
                thread = threading.Thread(target=_sweep, args=arguments, name="accredit-compat", daemon=True)
                self._sweepers.append(thread)
                try:
                    thread.start()
                except RuntimeError:
                    _log.warning("no thread looks for what has timed out; call cleanup_expired()")


def _sweep(of: "weakref.ref[AgentAttributionOrchestrator]", stopped: threading.Event) -> None:
    """Close what has timed out, while the clock runs."""
    while not stopped.wait(_SWEEP_SECONDS):
        orchestrator = of()
        if orchestrator is None:
            return
        if _now() is None:
            orchestrator.cleanup_expired()
        del orchestrator


def _end(
    native: _native.CompatEngine,
    folder: Optional[str],
    pid: int,
    stopped: threading.Event,
    sweepers: list[threading.Thread],
) -> None:
    """Close an engine that nobody needs any more. A forked child leaves its parent's alone."""
    if os.getpid() != pid:
        return
    stopped.set()
    for thread in sweepers:
        # A thread that is in the engine when the interpreter ends would take the process down.
        if thread.is_alive() and thread is not threading.current_thread():
            thread.join(5)
    try:
        native.close()
    except Exception:
        _log.exception("what was recorded last may not be on disk")
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


_orchestrators: "weakref.WeakSet[AgentAttributionOrchestrator]" = weakref.WeakSet()
_singleton: Optional[AgentAttributionOrchestrator] = None
_singleton_lock = threading.Lock()
_singleton_path: Optional[PathLike] = None


def _forked() -> None:
    global _singleton_lock
    _singleton_lock = threading.Lock()
    _delivery.forked()
    for orchestrator in list(_orchestrators):
        orchestrator._left_behind()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def configure(path: Optional[PathLike] = None) -> None:
    """Have :func:`get_attribution` keep things in a file, or with ``None`` in memory. One that is in use is closed."""
    global _singleton, _singleton_path
    with _singleton_lock:
        before, _singleton, _singleton_path = _singleton, None, path
    if before is not None:
        before.close()


def get_attribution() -> AgentAttributionOrchestrator:
    """The one orchestrator of this process."""
    global _singleton
    if _singleton is not None:
        return _singleton
    with _singleton_lock:
        if _singleton is None:
            _singleton = AgentAttributionOrchestrator(_singleton_path)
        return _singleton


def begin_action(
    agent_id: str,
    action_type: str,
    goal_id: Optional[str] = None,
    expected_outcome: Optional[dict[str, Any]] = None,
    acceptance_criteria: Optional[Sequence[str]] = None,
    parent_action_id: Optional[str] = None,
) -> str:
    """:meth:`AgentAttributionOrchestrator.begin_action` of :func:`get_attribution`."""
    return get_attribution().begin_action(
        agent_id, action_type, goal_id, expected_outcome, acceptance_criteria, parent_action_id
    )


def record_step(
    action_id: str,
    description: str,
    state: Optional[dict[str, Any]] = None,
    decision: Optional[str] = None,
    confidence: Optional[float] = None,
) -> bool:
    """:meth:`AgentAttributionOrchestrator.record_step` of :func:`get_attribution`."""
    return get_attribution().record_step(action_id, description, state, decision, confidence)


def record_observation(
    action_id: str,
    observation_type: str,
    data: Optional[dict[str, Any]] = None,
    source: str = "",
    confidence: float = 1.0,
) -> bool:
    """:meth:`AgentAttributionOrchestrator.record_observation` of :func:`get_attribution`."""
    return get_attribution().record_observation(action_id, observation_type, data, source, confidence)


def complete_action(action_id: str, outcome: Optional[dict[str, Any]] = None) -> bool:
    """:meth:`AgentAttributionOrchestrator.complete_action` of :func:`get_attribution`."""
    return get_attribution().complete_action(action_id, outcome)
