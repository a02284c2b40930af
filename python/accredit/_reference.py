"""What accredit is measured against: a plain recorder in memory, as one would write it in pure Python.

Open actions in a dict behind a lock, UUIDs for ids, dataclasses for steps, state copied and its strings cut, confidence
clamped, decayed credit and the chain as a dict at completion. Nothing is written to a disk.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Optional

STEPS_MAX = 1_000
STRING_MAX = 500
NESTED_MAX = 1_000


@dataclass
class Step:
    description: str
    state: dict[str, Any]
    decision: str
    confidence: float
    timestamp: float


@dataclass
class Action:
    action_id: str
    agent_id: str
    action_type: str
    goal_id: Optional[str]
    expected_outcome: dict[str, Any]
    started_at: float
    steps: list[Step] = field(default_factory=list)


def _cut(state: Optional[dict[str, Any]]) -> dict[str, Any]:
    if not state:
        return {}
    kept: dict[str, Any] = {}
    for key, value in state.items():
        if isinstance(value, str):
            kept[key] = value if len(value) <= STRING_MAX else value[:STRING_MAX] + "..."
        elif isinstance(value, (int, float, bool)) or value is None:
            kept[key] = value
        else:
            text = repr(value)
            kept[key] = value if len(text) <= NESTED_MAX else text[:NESTED_MAX]
    return kept


class Recorder:
    """Open actions, and what became of the closed ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Action] = {}
        self.total_steps = 0

    def begin_action(
        self,
        agent_id: str,
        action_type: str,
        goal_id: Optional[str] = None,
        expected_outcome: Optional[dict[str, Any]] = None,
    ) -> str:
        action_id = str(uuid.uuid4())
        action = Action(action_id, agent_id, action_type, goal_id, dict(expected_outcome or {}), time.time())
        with self._lock:
            self._open[action_id] = action
        return action_id

    def record_step(
        self,
        action_id: str,
        description: str,
        state: Optional[dict[str, Any]] = None,
        decision: str = "",
        confidence: float = 0.5,
    ) -> bool:
        step = Step(
            description[:500], _cut(state), decision[:200], max(0.0, min(1.0, float(confidence))), time.time()
        )
        with self._lock:
            action = self._open.get(action_id)
            if action is None or len(action.steps) >= STEPS_MAX:
                return False
            action.steps.append(step)
            self.total_steps += 1
        return True

    def complete_action(self, action_id: str, outcome: Optional[dict[str, Any]] = None) -> Optional[dict[str, Any]]:
        """The chain with the credit of each step; ``None`` for an action that is not open."""
        with self._lock:
            action = self._open.pop(action_id, None)
        if action is None:
            return None
        n_steps = len(action.steps)
        weights = [0.9 ** (n_steps - 1 - at) * (0.5 + 0.5 * step.confidence) for at, step in enumerate(action.steps)]
        total = sum(weights) or 1.0
        credits = {at: round(weight / total, 4) for at, weight in enumerate(weights)}
        return {
            "action_id": action.action_id,
            "agent_id": action.agent_id,
            "action_type": action.action_type,
            "goal_id": action.goal_id,
            "expected_outcome": action.expected_outcome,
            "duration_seconds": round(time.time() - action.started_at, 2),
            "step_count": n_steps,
            "outcome": outcome or {},
            "success_score": self._score(action.expected_outcome, outcome or {}),
            "step_credits": credits,
            "steps_summary": [
                {"desc": step.description, "decision": step.decision, "confidence": step.confidence, "credit": credits[at]}
                for at, step in enumerate(action.steps[-50:], max(0, n_steps - 50))
            ],
        }

    @staticmethod
    def _score(expected: dict[str, Any], outcome: dict[str, Any]) -> float:
        if outcome.get("error"):
            return 0.0
        if not expected:
            return 0.5
        matched = sum(1 for key, value in expected.items() if outcome.get(key) == value)
        return matched / len(expected)
