"""What the tests of accredit.compat share."""

from __future__ import annotations

from typing import Any, Optional


class Clock:
    """Stands in for the module ``time``, and stands still until it is set."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def time(self) -> float:
        return self.now


class Bridge:
    """A learner of today."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def record_interaction(
        self,
        user_id: str,
        prompt_id: str,
        prompt: str,
        response: str,
        model_id: Optional[str] = None,
        latency_ms: float = 0.0,
        goal_id: Optional[str] = None,
        attribution_chain: Optional[dict[str, Any]] = None,
    ) -> None:
        call = {key: value for key, value in locals().items() if key != "self"}
        self.calls.append(call)


class Events(list[tuple[str, dict[str, Any]]]):
    """Keeps what it is called with."""

    def __call__(self, topic: str, data: dict[str, Any]) -> None:
        self.append((topic, data))
