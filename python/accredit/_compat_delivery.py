"""Who hears of the closings of :mod:`accredit.compat`: the learner's bridge and the event's listener."""

from __future__ import annotations

import inspect
import json
import logging
import threading
from typing import Any, Callable, Optional

_log = logging.getLogger("accredit.compat")

EventSink = Callable[[str, dict[str, Any]], Any]

_bridge: Any = None
_event_sink: Optional[EventSink] = None

_lock = threading.Lock()
_failures = {"bridge": 0, "event_sink": 0}


def set_bridge(bridge: Any) -> None:
    """Hand every closed action to ``bridge.record_interaction(...)``, or with ``None`` to nobody any more.

    It is called **in the thread that closes the action**, before the call that closes it returns: in
    :func:`complete_action` of the caller, in the ``begin_action`` that evicts another action, in ``cleanup_expired``, and in
    the module's own thread where an action has timed out without anybody asking. A slow bridge slows that call down, and no
    other; nothing is locked meanwhile, so that it may record itself.

    The arguments are keywords: ``user_id`` (the agent), ``prompt_id`` (the action), ``prompt`` (one sentence), ``response``
    (the outcome as JSON text), ``model_id`` (``agent:type``), ``latency_ms``, ``goal_id`` and ``attribution_chain`` (a dict).
    The last is left out where ``inspect.signature`` shows that the method does not take it; a ``TypeError`` is a failure like
    any other. A bridge that raises hurts nobody: it is counted (``diagnostics()``) and logged the first time.
    """
    global _bridge
    if bridge is not None and not callable(getattr(bridge, "record_interaction", None)):
        raise TypeError("a bridge has a method record_interaction")
    _bridge = bridge


def set_event_sink(sink: Optional[EventSink]) -> None:
    """Call ``sink("agent.action.completed", data)`` for every closed action, or with ``None`` nobody any more.

    In the same thread as the bridge, and after it; what is said there about failures holds here.
    """
    global _event_sink
    if sink is not None and not callable(sink):
        raise TypeError("an event sink is called with a topic and a dict")
    _event_sink = sink


def is_wanted() -> bool:
    """Whether anybody listens."""
    return _bridge is not None or _event_sink is not None


def failures() -> dict[str, int]:
    """How often each has raised."""
    with _lock:
        return dict(_failures)


def forked() -> None:
    """The lock may have been held by a thread that did not come along."""
    global _lock
    _lock = threading.Lock()


def deliver(closed: dict[str, Any]) -> None:
    """Tell both of a closed action. Only what ends the thread is raised."""
    bridge, sink = _bridge, _event_sink
    if bridge is not None:
        try:
            _hand_over(bridge, closed)
        except Exception:
            _failed("bridge")
    if sink is not None:
        event = closed["event"]
        try:
            sink(event["topic"], event["data"])
        except Exception:
            _failed("event_sink")


def _hand_over(bridge: Any, closed: dict[str, Any]) -> None:
    chain = closed["attribution_chain"]
    record = bridge.record_interaction
    arguments = {
        "user_id": chain["agent_id"],
        "prompt_id": chain["action_id"],
        "prompt": closed["prompt"],
        "response": json.dumps(chain["outcome"]),
        "model_id": f"{chain['agent_id']}:{chain['action_type']}",
        "latency_ms": closed["latency_ms"],
        "goal_id": chain["goal_id"],
    }
    if _takes_chain(record):
        arguments["attribution_chain"] = chain
    record(**arguments)


def _takes_chain(record: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(record).parameters.values()
    except (TypeError, ValueError):
        # Written in C, without a signature: new enough to be told.
        return True
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD
        or (parameter.name == "attribution_chain" and parameter.kind in named)
        for parameter in parameters
    )


def _failed(who: str) -> None:
    with _lock:
        _failures[who] += 1
        is_first = _failures[who] == 1
    if is_first:
        _log.exception("the %s of accredit.compat raises; further failures are only counted", who)
