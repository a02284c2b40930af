"""Actions, steps and observations as :mod:`accredit.compat` shows them."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Optional


@dataclass
class ActionStep:
    """What the agent said."""

    timestamp: float = field(default_factory=time.time)
    description: str = ""
    state: dict[str, Any] = field(default_factory=dict)
    decision: str = ""
    confidence: float = 0.5

    def to_dict(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


@dataclass
class Observation:
    """What the world said."""

    timestamp: float = field(default_factory=time.time)
    observation_type: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    confidence: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


@dataclass
class AgentAction:
    """One open action, as it was when it was asked for."""

    action_id: str
    agent_id: str
    action_type: str
    goal_id: Optional[str] = None
    expected_outcome: dict[str, Any] = field(default_factory=dict)
    acceptance_criteria: list[str] = field(default_factory=list)
    parent_action_id: Optional[str] = None
    started_at: float = field(default_factory=time.time)
    steps: list[ActionStep] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Its fields, steps and observations as dicts too."""
        return asdict(self)


def read_action(text: str) -> AgentAction:
    """An action as the engine writes it."""
    read = json.loads(text)
    read["steps"] = [ActionStep(**step) for step in read["steps"]]
    read["observations"] = [Observation(**observation) for observation in read["observations"]]
    return AgentAction(**read)
