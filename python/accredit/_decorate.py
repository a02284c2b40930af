"""Decorators that record: ``@accredit.action`` and ``@accredit.step``."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional, TypeVar, Union, overload

from accredit import _wrap
from accredit._recorder import Action, Recorder, current_action

F = TypeVar("F", bound=Callable[..., Any])

#: Which arguments are recorded: all, none, those with these names, or what a function makes of the arguments by name.
Capture = Union[bool, str, Iterable[str], Callable[[dict[str, Any]], Any]]
#: What of a result is recorded: nothing, the result, or what a function makes of it.
Take = Union[bool, Callable[[Any], Any]]
#: A recorder, or what answers one when it is needed.
RecorderLike = Union[Recorder, Callable[[], Optional[Recorder]]]

_UNSET: Any = object()
_default: Any = _UNSET
_log = logging.getLogger("accredit")
_said: set[str] = set()


def set_recorder(recorder: Optional[Recorder]) -> Optional[Recorder]:
    """Make it the default of the decorators, and answer the one before. ``None``: record nothing, and do not warn."""
    global _default
    before, _default = _default, recorder
    return None if before is _UNSET else before


def get_recorder() -> Optional[Recorder]:
    """The recorder that decorators use here: that of the action which is entered, else the default."""
    entered = getattr(current_action(), "recorder", None)
    if entered is not None:
        return entered  # type: ignore[no-any-return]
    return None if _default is _UNSET else _default


def _warn_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        _log.warning(text)


def _find(recorder: Optional[RecorderLike]) -> Optional[Recorder]:
    found = recorder if recorder is None or hasattr(recorder, "begin_action") else _safely(recorder)
    found = get_recorder() if found is None else found
    if found is None and (recorder is not None or _default is _UNSET):
        _warn_once(
            "decorated functions record nothing: there is no recorder; accredit.set_recorder(accredit.open(...)) sets one"
        )
    return found  # type: ignore[return-value]


def _safely(call: Callable[..., Any], *args: Any) -> Any:
    """What a function given as an option answers; never raising, since it runs in the agent's call."""
    try:
        return call(*args)
    except Exception as error:
        _warn_once(f"an option of a decorator raised {type(error).__name__}: {getattr(call, '__qualname__', call)}")
        return None


class _Arguments:
    """Reads the arguments of calls by name, as far as they are to be recorded."""

    def __init__(self, function: Callable[..., Any], capture: Capture) -> None:
        self._capture = (capture,) if isinstance(capture, str) else capture
        if not callable(self._capture) and not isinstance(self._capture, bool):
            self._capture = tuple(self._capture)
        try:
            self._signature: Optional[inspect.Signature] = inspect.signature(function)
        except (TypeError, ValueError):
            self._signature = None

    def of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._capture is False or self._signature is None:
            return None
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:
            # The call itself is about to fail, and says so better.
            return None
        bound.apply_defaults()
        named = {name: value for name, value in bound.arguments.items() if name not in ("self", "cls")}
        if callable(self._capture):
            return _safely(self._capture, named)
        if self._capture is True:
            return named
        return {name: named[name] for name in self._capture if name in named}


def _taken(take: Take, result: Any) -> Any:
    return _safely(take, result) if callable(take) else result


class _ActionScope(_wrap.Scope):
    """One call of a function that is an action."""

    def __init__(self, action: Action, outcome: Optional[Take], reward: Optional[Callable[[Any], Any]]) -> None:
        super().__init__(action)
        self._outcome = outcome
        self._reward = reward

    def done(self, result: Any) -> None:
        action = self.action
        if action.closed:
            return
        if self._outcome is None:
            outcome = result if isinstance(result, Mapping) else {}
        elif self._outcome is False:
            outcome = {}
        else:
            outcome = _taken(self._outcome, result)
        action.complete(outcome, _safely(self._reward, result) if self._reward else None)

    def failed(self, error: BaseException) -> None:
        if not self.action.closed:
            if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)):
                self.action.cancel(type(error).__name__)
            else:
                self.action.fail(error)


class _StepScope(_wrap.Scope):
    """One call of a function that is a step."""

    waits = False

    def __init__(self, action: Action, name: str, index: Optional[int], observe: Union[str, Take]) -> None:
        super().__init__(action)
        self._name = name
        self._index = index
        self._observe = observe

    def done(self, result: Any) -> None:
        if callable(self._observe):
            data, kind = _safely(self._observe, result), "result"
        elif self._observe is False:
            return
        else:
            data, kind = {"result": result}, "result" if self._observe is True else self._observe
        if data is not None:
            self.action.observe(kind, data, self._name, step=self._index)

    def failed(self, error: BaseException) -> None:
        if isinstance(error, (GeneratorExit, asyncio.CancelledError)):
            self.action.observe("cancelled", {"error": type(error).__name__}, self._name, step=self._index)
        elif isinstance(error, Exception):
            self.action.observe_exception(error, self._name, step=self._index)


@overload
def action(function: F, /) -> F: ...
@overload
def action(
    function: None = None,
    /,
    *,
    agent: Optional[str] = None,
    action_type: Optional[str] = None,
    goal: Union[str, Callable[[dict[str, Any]], Any], None] = None,
    expect: Optional[dict[str, Any]] = None,
    criteria: Optional[Iterable[str]] = None,
    attributes: Optional[dict[str, Any]] = None,
    capture: Capture = False,
    outcome: Optional[Take] = None,
    reward: Optional[Callable[[Any], Any]] = None,
    recorder: Optional[RecorderLike] = None,
) -> Callable[[F], F]: ...


def action(
    function: Optional[F] = None,
    /,
    *,
    agent: Optional[str] = None,
    action_type: Optional[str] = None,
    goal: Union[str, Callable[[dict[str, Any]], Any], None] = None,
    expect: Optional[dict[str, Any]] = None,
    criteria: Optional[Iterable[str]] = None,
    attributes: Optional[dict[str, Any]] = None,
    capture: Capture = False,
    outcome: Optional[Take] = None,
    reward: Optional[Callable[[Any], Any]] = None,
    recorder: Optional[RecorderLike] = None,
) -> Any:
    """Make every call of a function an action.

    It may be a function, a method, a coroutine function, a generator or an asynchronous generator. While it runs, the
    action is the one that is entered: :func:`current_action` answers it, and actions begun inside have it as their parent.
    An exception closes the action as a failure and goes on unchanged; cancelling a task or closing a generator cancels it.

    ``agent`` is the class of a method, else the module, unless given, and ``action_type`` the function's name. ``goal`` is
    text, or what a function makes of the arguments by name. ``capture`` puts arguments into the attribute ``arguments``:
    ``True``, names, or a function of the arguments by name. A mapping that the function returns is the outcome; ``outcome``
    says otherwise: ``False``, ``True`` for whatever it returns, or a function of it. ``reward`` is a function of the result.
    ``recorder`` is a recorder or a function that answers one; without it :func:`get_recorder` tells.
    """
    needed = list(criteria) if criteria is not None else None

    def decorate(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        arguments = _Arguments(wrapped, capture)
        by_goal = None if goal is None or isinstance(goal, str) else _Arguments(wrapped, goal)
        who, what = agent or _owner(wrapped), action_type or _name(wrapped)

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Optional[_wrap.Scope]:
            found = _find(recorder)
            if found is None:
                return None
            captured = arguments.of(args, kwargs)
            said = attributes if captured is None else {**(attributes or {}), "arguments": captured}
            aim = by_goal.of(args, kwargs) if by_goal else goal if isinstance(goal, str) else None
            return _ActionScope(
                found.action(who, what, goal=aim, expect=expect, criteria=needed, attributes=said), outcome, reward
            )

        return _wrap.wrap(wrapped, begin)

    return _applied(decorate, function)


@overload
def step(description: F, /) -> F: ...
@overload
def step(
    description: Optional[str] = None,
    /,
    *,
    decision: Union[str, Callable[[dict[str, Any]], Any], None] = None,
    confidence: Optional[float] = None,
    key: Optional[str] = None,
    state_key: Union[str, Callable[[dict[str, Any]], Any], None] = None,
    effect: Optional[bool] = None,
    capture: Capture = False,
    observe: Union[str, Take] = False,
) -> Callable[[F], F]: ...


def step(
    description: Any = None,
    /,
    *,
    decision: Union[str, Callable[[dict[str, Any]], Any], None] = None,
    confidence: Optional[float] = None,
    key: Optional[str] = None,
    state_key: Union[str, Callable[[dict[str, Any]], Any], None] = None,
    effect: Optional[bool] = None,
    capture: Capture = False,
    observe: Union[str, Take] = False,
) -> Any:
    """Make every call of a function a step of the action that is entered.

    The step is recorded when the call begins, so that one that never ends is seen, and actions begun inside belong to it.
    ``description`` and ``decision`` are the function's name unless given, and so is ``key``. ``capture`` puts arguments into
    the state: ``True``, names, or a function of the arguments by name. ``observe`` makes an observation of the result, which
    grounds the step: ``True`` or the observation's type record it under ``result``; a function of it answers the data, whose
    keys then count as observed, or ``None`` for nothing. Exceptions are observed, and go on unchanged. Outside an action
    nothing is recorded.
    """

    def decorate(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        name = _name(wrapped)
        arguments = _Arguments(wrapped, capture)
        computed = {
            label: _Arguments(wrapped, made)
            for label, made in (("decision", decision), ("state_key", state_key))
            if callable(made)
        }
        text = description if isinstance(description, str) else name

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Optional[_wrap.Scope]:
            entered = current_action()
            if entered is None:
                if _default is not None:
                    _warn_once("a decorated step was called outside an action: it is not recorded")
                return None
            made = {label: made.of(args, kwargs) for label, made in computed.items()}
            chosen = made.get("decision", decision) or name
            index = entered.numbered_step(
                text,
                arguments.of(args, kwargs),
                chosen,
                confidence,
                key=key if key is not None else chosen,
                state_key=made.get("state_key", state_key),
                effect=effect,
            )
            return _StepScope(entered, name, index, observe)

        return _wrap.wrap(wrapped, begin)

    return _applied(decorate, description if not isinstance(description, str) else None)


def _applied(decorate: Callable[..., Any], function: Any) -> Any:
    """The decorated function, or the decorator where it was called with options."""

    def checked(wrapped: Any) -> Any:
        if isinstance(wrapped, (staticmethod, classmethod)):
            return type(wrapped)(checked(wrapped.__func__))
        if not callable(wrapped) or inspect.isclass(wrapped):
            raise TypeError(f"accredit decorates functions, not {wrapped!r}")
        return decorate(wrapped)

    return checked if function is None else checked(function)


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _owner(function: Callable[..., Any]) -> str:
    """The class of a method, else the module."""
    path = str(getattr(function, "__qualname__", "")).split(".")
    if len(path) > 1 and path[-2] != "<locals>":
        return path[-2]
    return str(getattr(function, "__module__", "") or "python").rpartition(".")[2]
