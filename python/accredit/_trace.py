"""Naming an action to others: other threads by context variables, other processes by the headers of W3C Trace Context.

An action's id has 16 bytes, as a trace id has. ``traceparent`` carries it as the trace id, and its last 8 bytes as the
span id; by that a receiver knows that the header was made here, since another tracer's ids have nothing to do with one
another. Services between the two may put a span id of their own into it; so ``tracestate`` carries the action's id too,
which they hand on as it is. Either is enough.
"""

from __future__ import annotations

import contextvars
import functools
import os
import re
import uuid
from collections.abc import Iterable, Mapping
from concurrent import futures
from typing import Any, Callable, Optional, TypeVar, Union

T = TypeVar("T")

#: What may name an action: a header's value, headers as a mapping or as pairs, of text or bytes.
Carrier = Union[str, bytes, Mapping[str, Any], Mapping[bytes, Any], Iterable[tuple[Any, Any]]]

_TRACEPARENT = re.compile(r"\s*[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?\s*")
_OURS = re.compile(r"(?:^|,)\s*accredit=([0-9a-f-]{36})\s*(?:,|$)")


class Traced:
    """What an action is called by elsewhere."""

    @property
    def traceparent(self) -> str:
        """The header ``traceparent`` that names this action: ``00-<trace id>-<span id>-01``."""
        name = self._uuid().replace("-", "")
        # An id's second half is not 0 unless somebody made the id by hand; a span id must not be.
        span = name[16:] if name[16:].strip("0") else name[:16]
        return f"00-{name}-{span}-01"

    @property
    def tracestate(self) -> str:
        """The header ``tracestate`` that names this action, whatever tracers stand between."""
        return f"accredit={self._uuid()}"

    def headers(self, into: Optional[dict[str, str]] = None) -> dict[str, str]:
        """Headers for a request to another process. ``into`` is a dict that takes them: a ``traceparent`` that is there
        already stays, and a ``tracestate`` keeps its other members."""
        headers = {} if into is None else into
        headers.setdefault("traceparent", self.traceparent)
        others = [one.strip() for one in headers.get("tracestate", "").split(",")]
        others = [one for one in others if one and not one.startswith("accredit=")]
        headers["tracestate"] = ",".join([self.tracestate, *others[:31]])
        return headers

    def environ(self) -> dict[str, str]:
        """Environment variables for a child process: ``subprocess.run(…, env={**os.environ, **action.environ()})``."""
        return {"ACCREDIT_PARENT": self._uuid(), "TRACEPARENT": self.traceparent, "TRACESTATE": self.tracestate}

    def _uuid(self) -> str:
        return str(getattr(self, "id"))


def parent_from(carrier: Optional[Carrier] = None) -> Optional[str]:
    """The id of the action that headers name, or without headers the environment; ``None`` where they name none.

    It takes the value of a ``traceparent`` or ``tracestate`` header, an action's id, or all headers of a request: a mapping
    or pairs, in any case, as text or bytes. The environment is looked at for ``ACCREDIT_PARENT``, ``TRACESTATE`` and
    ``TRACEPARENT``. A ``traceparent`` that another tracer has made names no action. It never raises.
    """
    try:
        return _parent_from(os.environ if carrier is None else carrier)
    except Exception:
        return None


def _parent_from(carrier: Carrier) -> Optional[str]:
    if isinstance(carrier, (str, bytes)):
        return _named_by(_text(carrier))
    pairs = carrier.items() if isinstance(carrier, Mapping) else carrier
    found: dict[str, str] = {}
    for name, value in pairs:
        name = _text(name).lower().replace("_", "-")
        if name in ("accredit-parent", "tracestate", "traceparent"):
            value = value[0] if isinstance(value, (list, tuple)) and value else value
            found[name] = f"{found[name]},{_text(value)}" if name in found else _text(value)
    for name in ("accredit-parent", "tracestate", "traceparent"):
        parent = _named_by(found.get(name, ""))
        if parent is not None:
            return parent
    return None


def _named_by(text: str) -> Optional[str]:
    text = text.lower()
    ours = _OURS.search(text)
    if ours:
        return _id(ours.group(1))
    header = _TRACEPARENT.fullmatch(text)
    if header:
        trace, span = header.groups()
        return _id(trace) if span in (trace[16:], trace[:16]) else None
    return _id(text.strip()) if len(text.strip()) == 36 else None


def _id(text: str) -> Optional[str]:
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return str(found) if found.int else None


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def propagate(function: Callable[..., T]) -> Callable[..., T]:
    """The function bound to the action that is entered here, for another thread to call.

    ``threading.Thread(target=accredit.propagate(work)).start()``: actions that ``work`` begins have the action that was
    entered when ``propagate`` was called as their parent. All context variables go with it. It can be called any number of
    times, from several threads at once.
    """
    context = contextvars.copy_context()

    @functools.wraps(function)
    def bound(*args: Any, **kwargs: Any) -> T:
        # A context can be entered once at a time, so each call has a copy.
        return context.copy().run(function, *args, **kwargs)

    return bound


class ThreadPoolExecutor(futures.ThreadPoolExecutor):
    """``concurrent.futures.ThreadPoolExecutor`` whose calls are in the action in which they were submitted."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "futures.Future[T]":
        """Schedule a call in a copy of the context of this one."""
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)
