"""The same calls for asyncio: recording calls return at once, and whatever waits is awaited."""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Optional, TypeVar, Union

from accredit._open import PathLike, connect_with, open_with
from accredit._reading import Attribution
from accredit._recorder import Action, Recorder, _current, _named

T = TypeVar("T")

#: Calls of one recorder that wait at once; further ones wait for their turn, without holding up the event loop.
WAITING_MAX = 32


class _Waiting:
    """Runs what waits in threads.

    A cancelled ``await`` ends at once; what it waited for goes on, as a completion that is under way cannot be taken back.
    """

    def __init__(self) -> None:
        self._pool: Optional[ThreadPoolExecutor] = None
        self._pid = 0

    def submit(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        # Threads do not survive a fork.
        if self._pool is None or self._pid != os.getpid():
            self._pool, self._pid = ThreadPoolExecutor(WAITING_MAX, "accredit-await"), os.getpid()
        future = asyncio.get_running_loop().run_in_executor(self._pool, call)
        future.add_done_callback(_look)
        return future

    async def run(self, call: Callable[[], T]) -> T:
        return await asyncio.shield(self.submit(call))

    def end(self) -> None:
        if self._pool is not None and self._pid == os.getpid():
            self._pool.shutdown(wait=False)
        self._pool = None


def _look(future: "asyncio.Future[Any]") -> None:
    """What nobody waits for any more may fail without a message of asyncio."""
    if not future.cancelled():
        future.exception()


class AsyncAction:
    """One piece of work, open until it is completed; as :class:`Action`, with ``async with``."""

    def __init__(self, action: Action, waiting: _Waiting) -> None:
        #: The same action for code that is not asynchronous.
        self.action = action
        self._waiting = waiting
        self._token: Optional[contextvars.Token[Optional[Action]]] = None
        self.step = action.step
        self.observe = action.observe
        self.heartbeat = action.heartbeat

    @property
    def id(self) -> str:
        """The action's id, 36 characters."""
        return self.action.id

    @property
    def closed(self) -> bool:
        """Whether it takes no more steps."""
        return self.action.closed

    @property
    def step_count(self) -> int:
        """How many steps were recorded: the index of the next one."""
        return self.action.step_count

    async def complete(self, outcome: Any = None, reward: Optional[float] = None, *, at: Any = None) -> bool:
        """Complete it with what came out; durable when it returns. False where nothing new was completed."""
        return await self._waiting.run(lambda: self.action.complete(outcome, reward, at=at))

    async def revise(self, outcome: Any = None, reward: Optional[float] = None, reason: Optional[str] = None) -> bool:
        """Judge it anew by another outcome; a new version of its attribution."""
        return await self._waiting.run(lambda: self.action.revise(outcome, reward, reason))

    async def cancel(self, reason: Optional[str] = None) -> bool:
        """Close it without an outcome."""
        return await self._waiting.run(lambda: self.action.cancel(reason))

    async def fail(self, error: Union[BaseException, str]) -> bool:
        """Complete it as a failure; an exception is recorded with the end of its traceback."""
        return await self._waiting.run(lambda: self.action.fail(error))

    async def __aenter__(self) -> "AsyncAction":
        self._token = _current.set(self.action)
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        token, self._token = self._token, None
        if token is not None:
            try:
                _current.reset(token)
            except ValueError:
                # Left in another context than it was entered in, as some frameworks do with generators.
                _current.set(token.old_value if token.old_value is not contextvars.Token.MISSING else None)
        if self.closed:
            return
        if error is None:
            await self.complete({})
        elif isinstance(error, asyncio.CancelledError):
            await self.cancel(_named(error))
        elif isinstance(error, (KeyboardInterrupt, GeneratorExit, SystemExit)):
            # Here nothing may be awaited any more.
            said = _named(error)
            self._waiting.submit(lambda: self.action.cancel(said))
        else:
            await self.fail(error)

    def __repr__(self) -> str:
        return f"<accredit.AsyncAction {self.id} {'closed' if self.closed else 'open'}>"


class AsyncRecorder:
    """Records what agents do, and answers what came of it; as :class:`Recorder`, for asyncio.

    Recording calls are plain calls, which copy what they are given and return at once; where more is recorded than can be
    kept up with they are refused at once, and counted. Everything else is awaited and never holds up the event loop. In
    strict mode, which is for tests, recording calls wait.
    """

    def __init__(self, recorder: Recorder) -> None:
        #: The same recorder for code that is not asynchronous.
        self.recorder = recorder
        self._waiting = _Waiting()
        self.begin_action = recorder.begin_action
        self.record_step = recorder.record_step
        self.record_observation = recorder.record_observation
        self.heartbeat = recorder.heartbeat

    def action(
        self,
        agent_id: str,
        action_type: str,
        *,
        goal: Optional[str] = None,
        expect: Optional[dict[str, Any]] = None,
        criteria: Optional[Sequence[str]] = None,
        parent: Union[AsyncAction, Action, str, None] = None,
        action_id: Optional[str] = None,
        attributes: Optional[dict[str, Any]] = None,
        at: Any = None,
    ) -> AsyncAction:
        """Begin an action; use it with ``async with``, or complete it yourself. Its parent is found as by :class:`Recorder`."""
        if isinstance(parent, AsyncAction):
            parent = parent.action
        action = self.recorder.action(
            agent_id,
            action_type,
            goal=goal,
            expect=expect,
            criteria=criteria,
            parent=parent,
            action_id=action_id,
            attributes=attributes,
            at=at,
        )
        return AsyncAction(action, self._waiting)

    async def complete_action(
        self, action_id: str, outcome: Any = None, reward: Optional[float] = None, *, at: Any = None
    ) -> bool:
        """Complete an action; durable when it returns. False where nothing new was completed."""
        return await self._waiting.run(lambda: self.recorder.complete_action(action_id, outcome, reward, at=at))

    async def revise_outcome(
        self, action_id: str, outcome: Any = None, reward: Optional[float] = None, reason: Optional[str] = None
    ) -> bool:
        """Judge an action anew by another outcome."""
        return await self._waiting.run(lambda: self.recorder.revise_outcome(action_id, outcome, reward, reason))

    async def cancel_action(self, action_id: str, reason: Optional[str] = None) -> bool:
        """Close an action that nobody will complete."""
        return await self._waiting.run(lambda: self.recorder.cancel_action(action_id, reason))

    async def flush(self) -> None:
        """Return when all that was recorded before is durable."""
        await self._waiting.run(self.recorder.flush)

    async def cleanup_expired(self) -> int:
        """Close what has been idle for too long; it also happens by itself. How many actions that were."""
        return await self._waiting.run(self.recorder.cleanup_expired)

    async def get_action(self, action_id: str) -> dict[str, Any]:
        """One action: who, what, when, and its counts."""
        return await self._waiting.run(lambda: self.recorder.get_action(action_id))

    async def chain(self, action_id: str) -> list[dict[str, Any]]:
        """Its steps and observations in order."""
        return await self._waiting.run(lambda: self.recorder.chain(action_id))

    async def attribution(self, action_id: str, version: Optional[int] = None) -> Attribution:
        """Its score, verdict and credits; the newest version, or the one named."""
        return await self._waiting.run(lambda: self.recorder.attribution(action_id, version))

    get_attribution = attribution

    async def what_if(self, action_id: str, method: str, **options: float) -> Attribution:
        """The attribution as another method would give it now; stored nowhere."""
        return await self._waiting.run(lambda: self.recorder.what_if(action_id, method, **options))

    async def attributions(self, action_id: str) -> list[Attribution]:
        """All versions, oldest first."""
        return await self._waiting.run(lambda: self.recorder.attributions(action_id))

    async def tree(self, action_id: str) -> dict[str, Any]:
        """The action and all below it, with the credit that reaches each."""
        return await self._waiting.run(lambda: self.recorder.tree(action_id))

    async def actions(self, **filters: Any) -> list[dict[str, Any]]:
        """Actions, newest first; ``filters`` are those of :meth:`Recorder.actions`."""
        return await self._waiting.run(lambda: self.recorder.actions(**filters))

    async def experiences(self, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """Closed actions with their chains and attributions, in the order in which they were attributed, after a cursor."""
        return await self._waiting.run(lambda: self.recorder.experiences(after, limit))

    async def insights(self, action_type: str) -> dict[str, Any]:
        """What each decision of this type of action is worth, with intervals."""
        return await self._waiting.run(lambda: self.recorder.insights(action_type))

    async def agent(self, agent_id: str) -> Optional[dict[str, Any]]:
        """An agent's success, credit and calibration; ``None`` where it has done nothing."""
        return await self._waiting.run(lambda: self.recorder.agent(agent_id))

    async def models(self, action_type: str) -> list[dict[str, Any]]:
        """The models that were learned for this type, newest first."""
        return await self._waiting.run(lambda: self.recorder.models(action_type))

    async def learn(self) -> list[dict[str, Any]]:
        """Learn from all that is closed, now; it also happens by itself."""
        return await self._waiting.run(self.recorder.learn)

    async def get_stats(self) -> dict[str, Any]:
        """The store's counters, and under ``recorder`` those of this recorder."""
        return await self._waiting.run(self.recorder.get_stats)

    stats = get_stats

    async def close(self) -> None:
        """Make everything durable, and give free what it holds. Open actions stay open."""
        await self._waiting.run(self.recorder.close)
        self._waiting.end()

    async def __aenter__(self) -> "AsyncRecorder":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<accredit.AsyncRecorder of {self.recorder!r}>"


async def aopen(
    path: PathLike = "accredit.db",
    *,
    strict: bool = False,
    read_only: bool = False,
    config: Optional[Union[str, dict[str, Any]]] = None,
) -> AsyncRecorder:
    """Open a store in this process, for asyncio; see :func:`accredit.open`."""
    return AsyncRecorder(await asyncio.to_thread(open_with, path, strict, read_only, config, 0.0))


async def aconnect(
    url: str,
    *,
    key: Optional[str] = None,
    strict: bool = False,
    spool: Optional[PathLike] = None,
    spool_bytes_max: Optional[int] = None,
    timeout: float = 10.0,
) -> AsyncRecorder:
    """Record to a server, for asyncio; see :func:`accredit.connect`."""
    return AsyncRecorder(await asyncio.to_thread(connect_with, url, key, strict, spool, spool_bytes_max, timeout, 0.0))
