"""The recorder and its actions, as agents use them."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import json
import os
import traceback
import weakref
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

from accredit import _native
from accredit._frame import NO_LIMIT, Filters, Frame, PathLike, asked
from accredit._plain import loads
from accredit._reading import Attribution
from accredit._trace import Carrier, Traced, parent_from

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: The action that the running thread or task is in.
_current: contextvars.ContextVar[Optional["Action"]] = contextvars.ContextVar("accredit_action", default=None)

_open_recorders: "weakref.WeakSet[Recorder]" = weakref.WeakSet()


def current_action() -> Optional["Action"]:
    """The innermost action that is entered here: in this thread, task or context."""
    return _current.get()


def enter(action: "Action") -> "contextvars.Token[Optional[Action]]":
    """Make it the current action; :func:`leave` takes the token."""
    return _current.set(action)


def leave(token: "contextvars.Token[Optional[Action]]") -> None:
    """Make current what was current before."""
    try:
        _current.reset(token)
    except ValueError:
        # Left in another context than it was entered in, as some frameworks do with generators.
        _current.set(token.old_value if token.old_value is not contextvars.Token.MISSING else None)


class Action(Traced, _native.Action):
    """One piece of work, open until it is completed.

    As a context manager it is the parent of actions begun inside it. Leaving it closes it: as a failure where an exception
    passes, as cancelled where the task was cancelled or the program interrupted, and with an empty outcome where nobody has
    completed it.
    """

    _token: "Optional[contextvars.Token[Optional[Action]]]" = None
    #: The recorder that began it.
    recorder: "Optional[Recorder]" = None

    def __enter__(self) -> "Action":
        self._token = enter(self)
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        token, self._token = self._token, None
        if token is not None:
            leave(token)
        if self.closed:
            return
        if error is None:
            self.complete({})
        elif isinstance(error, (KeyboardInterrupt, GeneratorExit, SystemExit, asyncio.CancelledError)):
            self.cancel(_named(error))
        else:
            self.fail(error)

    def fail(self, error: Union[BaseException, str]) -> bool:
        """Complete it as a failure; an exception is recorded with the end of its traceback."""
        if isinstance(error, str):
            return self.complete({"status": "error", "error": error})
        self.observe_exception(error)
        return self.complete({"status": "error", "error": _named(error), "error_type": _type_of(error)})

    def observe_exception(self, error: BaseException, source: str = "python", step: Optional[int] = None) -> bool:
        """Record an exception with the end of its traceback; the action goes on."""
        try:
            lines = traceback.format_exception(type(error), error, error.__traceback__)
        except Exception:
            lines = []
        data = {"type": _type_of(error), "message": _said(error), "traceback": "".join(lines)[-4_000:]}
        return self.observe("exception", data, source, step=step)

    def numbered_step(self, *args: Any, **kwargs: Any) -> Optional[int]:
        """As ``step``, answering the step's index, or ``None`` where it was refused."""
        return _native.numbered_step(self, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<accredit.Action {self.id} {'closed' if self.closed else 'open'}>"


def _type_of(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".replace("builtins.", "", 1)


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as other:
        return f"<{type(other).__name__} in __str__>"


def _named(error: BaseException) -> str:
    said = _said(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


class Recorder:
    """Records what agents do, and answers what came of it.

    :func:`accredit.open` makes one over a store in this process, :func:`accredit.connect` one over a server.

    Recording calls copy what they are given and return at once; what they say is durable some milliseconds later, and for
    certain when :meth:`flush` or a completion returns. They answer false where something was refused; why is counted in
    :meth:`stats`. In strict mode they wait, and raise.
    """

    def __init__(self, native: _native.Recorder) -> None:
        self._native = native
        self._at_close: Any = None
        #: Of a store in this process that outlives it: where it can be read again.
        self._path: Optional[str] = None
        # Bound once: a call through the object would look them up each time.
        self.record_step = native.record_step
        self.record_observation = native.record_observation
        self.complete_action = native.complete_action
        self.revise_outcome = native.revise_outcome
        self.cancel_action = native.cancel_action
        self.heartbeat = native.heartbeat

    def action(
        self,
        agent_id: str,
        action_type: str,
        *,
        goal: Optional[str] = None,
        expect: Optional[dict[str, Any]] = None,
        criteria: Optional[Sequence[str]] = None,
        parent: Union[Action, str, None] = None,
        action_id: Optional[str] = None,
        attributes: Optional[dict[str, Any]] = None,
        traceparent: Optional[Carrier] = None,
        at: Any = None,
    ) -> Action:
        """Begin an action; use it with ``with``, or complete it yourself.

        Its parent is ``parent``, else the action that ``traceparent`` names (the header or all headers of a request, see
        :func:`parent_from`), else the action that is entered here (:func:`current_action`).
        """
        if parent is None and traceparent is not None:
            parent = parent_from(traceparent)
        if parent is None:
            parent = _current.get()
        action = Action(self._native, agent_id, action_type, goal, expect, criteria, parent, action_id, attributes, at)
        action.recorder = self
        return action

    def begin_action(
        self,
        agent_id: str,
        action_type: str,
        goal_id: Optional[str] = None,
        expected_outcome: Optional[dict[str, Any]] = None,
        acceptance_criteria: Optional[Sequence[str]] = None,
        parent_action_id: Union[Action, str, None] = None,
        action_id: Optional[str] = None,
        attributes: Optional[dict[str, Any]] = None,
        *,
        at: Any = None,
    ) -> str:
        """Begin an action by its plain fields and answer its id. No parent is assumed."""
        return self._native.begin_action(
            agent_id,
            action_type,
            goal_id,
            expected_outcome,
            acceptance_criteria,
            parent_action_id,
            action_id,
            attributes,
            at=at,
        )

    def flush(self) -> None:
        """Return when all that was recorded before is durable."""
        self._native.flush()

    def cleanup_expired(self) -> int:
        """Close what has been idle for too long; it also happens by itself. How many actions that were."""
        return self._native.cleanup_expired()

    def get_action(self, action_id: str) -> dict[str, Any]:
        """One action: who, what, when, and its counts."""
        return loads(self._native.action(action_id))  # type: ignore[no-any-return]

    def chain(self, action_id: str) -> list[dict[str, Any]]:
        """Its steps and observations in order."""
        return loads(self._native.chain(action_id))  # type: ignore[no-any-return]

    def attribution(self, action_id: str, version: Optional[int] = None) -> Attribution:
        """Its score, verdict and credits; the newest version, or the one named."""
        return Attribution(loads(self._native.attribution(action_id, version)), self)

    get_attribution = attribution

    def what_if(self, action_id: str, method: str, **options: float) -> Attribution:
        """The attribution as another method would give it now: ``"gae"``, say, with ``lambda_=0.9``.

        Stored nowhere, no version; ``what_if`` is set in it. Options are those of the configuration.
        """
        asked = {"name": method, **{name.rstrip("_"): value for name, value in options.items()}}
        return Attribution(loads(self._native.what_if(action_id, json.dumps(asked))), self)

    def attributions(self, action_id: str) -> list[Attribution]:
        """All versions, oldest first."""
        return [Attribution(found, self) for found in loads(self._native.attributions(action_id))]

    def tree(self, action_id: str) -> dict[str, Any]:
        """The action and all below it, with the credit that reaches each."""
        return loads(self._native.tree(action_id))  # type: ignore[no-any-return]

    def actions(
        self,
        *,
        agent_id: Optional[str] = None,
        action_type: Optional[str] = None,
        goal_id: Optional[str] = None,
        status: Optional[str] = None,
        verdict: Optional[str] = None,
        from_: Any = None,
        to: Any = None,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Actions, newest first, ``limit`` at most."""
        return list(
            self._pages(agent_id, action_type, goal_id, status, verdict, from_, to, limit),
        )

    def _pages(self, *asked: Any) -> Iterator[dict[str, Any]]:
        *filters, left = asked
        cursor: Optional[str] = None
        while left > 0:
            agent_id, action_type, goal_id, status, verdict, from_, to = filters
            page = loads(
                self._native.actions(
                    agent_id, action_type, goal_id, status, verdict, from_, to, min(left, 1_000), cursor
                )
            )
            yield from page["actions"]
            left -= len(page["actions"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def experiences(self, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """Closed actions with their chains and attributions, in the order in which they were attributed, after a cursor."""
        return loads(self._native.experiences(after, limit))  # type: ignore[no-any-return]

    def insights(self, action_type: str) -> dict[str, Any]:
        """What each decision of this type of action is worth, with intervals."""
        return loads(self._native.insights(action_type))  # type: ignore[no-any-return]

    def agent(self, agent_id: str) -> Optional[dict[str, Any]]:
        """An agent's success, credit and calibration; ``None`` where it has done nothing."""
        return loads(self._native.agent(agent_id))  # type: ignore[no-any-return]

    def models(self, action_type: str) -> list[dict[str, Any]]:
        """The models that were learned for this type, newest first."""
        return loads(self._native.models(action_type))  # type: ignore[no-any-return]

    def actions_frame(self, *, limit: int = NO_LIMIT, **filters: Unpack[Filters]) -> Frame:
        """Actions as a table, newest first. ``filters`` are those of :meth:`actions`."""
        return Frame(_native.Frame.actions(self._native, *asked(filters), limit))

    def steps_frame(self, *, limit: int = NO_LIMIT, **filters: Unpack[Filters]) -> Frame:
        """The steps of actions as a table: a row a step, with what it said and what it earned. ``limit`` counts actions."""
        return Frame(_native.Frame.steps(self._native, *asked(filters), limit))

    def insights_frame(self, action_type: str) -> Frame:
        """What each decision of this type of action is worth, as a table."""
        return Frame(_native.Frame.insights(self._native, action_type))

    def export(self, path: PathLike, format: str = "jsonl", **filters: Unpack[Filters]) -> int:  # noqa: A002
        """Write closed actions with chains and attributions to a file, a JSON object a line, newest first; how many.

        The file is there when all of it is. ``filters`` are those of :meth:`actions`.
        """
        if format != "jsonl":
            raise ValueError(f"there is no format {format!r}; there is 'jsonl'")
        return _native.export(self._native, path, *asked(filters))

    def learn(self) -> list[dict[str, Any]]:
        """Learn from all that is closed, now; it also happens by itself."""
        return loads(self._native.learn())  # type: ignore[no-any-return]

    def get_stats(self) -> dict[str, Any]:
        """The store's counters, and under ``recorder`` those of this recorder, which are all there is of a closed one."""
        store = loads(self._native.stats()) if self._native.live else {}
        return {**store, "recorder": loads(self._native.own_stats())}

    stats = get_stats

    def close(self) -> None:
        """Make everything durable and give the store free. Open actions stay open in it."""
        self._native.close()
        if self._at_close is not None:
            self._at_close()
        _open_recorders.discard(self)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<accredit.Recorder {'live' if self._native.live else 'closed'}>"


def register(recorder: Recorder) -> Recorder:
    """Have what it holds made durable when the interpreter ends."""
    _open_recorders.add(recorder)
    return recorder


def _at_exit() -> None:
    """Make durable what was recorded so far.

    Handlers that were registered earlier run later, and may record, as may daemon threads and ``__del__``; so the native
    module closes the stores itself when the interpreter has ended.
    """
    for recorder in list(_open_recorders):
        if not recorder._native.live:
            continue
        if recorder._at_close is None:
            recorder.flush()
        else:
            recorder.close()


_closes_in_children = False


def close_in_children() -> None:
    """Have recorders closed at the end of children of ``multiprocessing`` too, which run no ``atexit`` handlers."""
    global _closes_in_children
    if _closes_in_children:
        return
    _closes_in_children = True
    from multiprocessing import util

    util.register_after_fork(_open_recorders, lambda _: util.Finalize(None, _at_exit, exitpriority=0))


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_native.before_fork,
        after_in_parent=_native.after_fork_in_parent,
        after_in_child=_native.after_fork_in_child,
    )
