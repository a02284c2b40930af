from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Optional, Union

class CompatEngine:
    def __new__(cls, path: Union[str, os.PathLike[str]], ephemeral: bool) -> CompatEngine: ...
    @property
    def live(self) -> bool: ...
    def begin(
        self,
        now: Optional[float],
        open_actions_max: float,
        agent_id: Any,
        action_type: Any,
        goal_id: Any,
        expected_outcome: Any,
        acceptance_criteria: Any,
        parent_action_id: Any,
        /,
    ) -> tuple[Optional[str], list[str]]: ...
    def record_step(
        self,
        now: Optional[float],
        entries_max: float,
        action_id: Any,
        description: Any,
        state: Any,
        decision: Any,
        confidence: Any,
        /,
    ) -> bool: ...
    def record_observation(
        self,
        now: Optional[float],
        entries_max: float,
        action_id: Any,
        observation_type: Any,
        data: Any,
        source: Any,
        confidence: Any,
        /,
    ) -> bool: ...
    def complete(self, now: Optional[float], action_id: Any, outcome: Any, /) -> Optional[str]: ...
    def cleanup_expired(self, now: Optional[float], idle_secs: float, /) -> list[str]: ...
    def closed(self, action_id: str) -> str: ...
    def action(self, action_id: Any) -> Optional[str]: ...
    def stats(self) -> str: ...
    def diagnostics(self) -> str: ...
    def close(self) -> None: ...
