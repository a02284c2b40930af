"""Give each step of an agent's work the credit it earned.

>>> import accredit
>>> rec = accredit.open(":memory:")
>>> with rec.action("planner", "book_flight", expect={"booked": True}) as action:
...     _ = action.step("chose the cheapest", decision="search", confidence=0.8)
...     _ = action.observe("tool_result", {"booked": True}, source="airline")
...     _ = action.complete({"booked": True})
>>> rec.attribution(action.id)["verdict"]
'success'
>>> rec.close()
"""

from __future__ import annotations

from accredit._native import (
    AccreditError,
    ConflictError,
    NotFoundError,
    RefusedError,
    StoreError,
    UnavailableError,
    __version__,
)
from accredit import credit
from accredit._async import AsyncAction, AsyncRecorder, aconnect, aopen
from accredit._decorate import action, get_recorder, set_recorder, step
from accredit._frame import Frame
from accredit._open import connect, open  # noqa: A004
from accredit._reading import Attribution
from accredit._recorder import Action, Recorder, current_action
from accredit._trace import ThreadPoolExecutor, parent_from, propagate

__all__ = [
    "AccreditError",
    "Action",
    "AsyncAction",
    "AsyncRecorder",
    "Attribution",
    "ConflictError",
    "Frame",
    "NotFoundError",
    "Recorder",
    "RefusedError",
    "StoreError",
    "ThreadPoolExecutor",
    "UnavailableError",
    "__version__",
    "aconnect",
    "action",
    "aopen",
    "connect",
    "credit",
    "current_action",
    "get_recorder",
    "open",
    "parent_from",
    "propagate",
    "set_recorder",
    "step",
]
