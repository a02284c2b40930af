"""The recorded answers of the older module, call by call, through accredit.compat."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from compat_support import Bridge, Clock, Events

from accredit import compat

pytest_plugins = ["compat_fixtures"]

OWN = Path(__file__).parents[2] / "crates" / "testkit" / "data" / "parity"
START_SECS = 1_700_000_000.0


def scenario_files() -> list[Path]:
    folders = [OWN, *(Path(folder) for folder in [os.environ.get("ACCREDIT_PARITY_DIR")] if folder)]
    return [path for folder in folders for path in sorted(folder.glob("*.json"))]


def with_free_parent(prompt: str) -> str:
    """Ids are free, and the prompt quotes the parent's."""
    return re.sub(r"parent=[0-9a-f]{8}-[0-9a-f-]{27},", "parent=$parent,", prompt)


class Player:
    def __init__(self, orchestrator: compat.AgentAttributionOrchestrator, clock: Clock) -> None:
        self.orchestrator = orchestrator
        self.clock = clock
        self.ids: dict[str, str] = {}
        self.found: list[str] = []

    def play(self, call: dict[str, Any]) -> None:
        self.clock.now = START_SECS + call["at"]
        args = {key: self.known(key, value) for key, value in call["args"].items()}
        returned = getattr(self.orchestrator, call["call"])(**args)
        if "as" in call:
            assert len(returned) == 36
            self.ids["$" + call["as"]] = returned
        elif returned is not call["returns"] and (isinstance(returned, bool) or returned != call["returns"]):
            self.found.append(f"{call['call']}({call['args']}) answered {returned!r}, not {call['returns']!r}")

    def known(self, key: str, value: Any) -> Any:
        return self.ids.get(value, value) if key in ("action_id", "parent_action_id") else value

    def completions(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = {given: name for name, given in self.ids.items()}
        made = []
        for call in calls:
            submission = dict(call)
            chain = dict(submission.pop("attribution_chain"))
            for key in ("action_id", "parent_action_id"):
                chain[key] = names.get(chain[key], chain[key])
            submission["prompt_id"] = names[submission["prompt_id"]]
            submission["prompt"] = with_free_parent(submission["prompt"])
            submission["response"] = json.loads(submission["response"])
            made.append({**chain, "submission": submission})
        return made

    def compare(self, path: str, found: Any, expected: Any) -> None:
        if isinstance(expected, dict) and isinstance(found, dict):
            # What is new beside the older module's keys is not compared.
            for key, value in expected.items():
                self.compare(f"{path}.{key}", found.get(key), value)
        elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
            for index, value in enumerate(expected):
                self.compare(f"{path}[{index}]", found[index], value)
        elif is_number(expected) and is_number(found):
            if abs(found - expected) > 1e-6 * max(abs(expected), sys.float_info.min):
                self.found.append(f"{path}: {found} where {expected} was")
        elif type(found) is not type(expected) or found != expected:
            self.found.append(f"{path}: {found!r:.120} where {expected!r:.120} was")


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def test_all_scenarios_are_there() -> None:
    assert len([path for path in scenario_files() if path.parent == OWN]) == 40


@pytest.mark.parametrize("path", scenario_files(), ids=lambda path: path.stem)
def test_scenario(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    orchestrator: compat.AgentAttributionOrchestrator,
    bridge: Bridge,
    events: Events,
) -> None:
    scenario = json.loads(path.read_text(encoding="utf-8"))
    monkeypatch.setattr(compat, "ACTION_TTL_SECONDS", scenario["limits"]["ttl_seconds"])
    monkeypatch.setattr(compat, "MAX_OPEN_ACTIONS", scenario["limits"]["max_open_actions"])
    monkeypatch.setattr(compat, "MAX_STEPS_PER_ACTION", scenario["limits"]["max_items_per_action"])
    player = Player(orchestrator, clock)
    for call in scenario["calls"]:
        player.play(call)
    expected = scenario["completions"]
    for completion in expected:
        completion["submission"]["prompt"] = with_free_parent(completion["submission"]["prompt"])
    player.compare("completions", player.completions(bridge.calls), expected)
    names = {given: name for name, given in player.ids.items()}
    heard = [
        {"topic": topic, "data": {**data, "action_id": names[data["action_id"]]}} for topic, data in events
    ]
    player.compare("events", heard, scenario["events"])
    player.compare("stats", orchestrator.get_stats(), scenario["stats"])
    assert set(orchestrator.get_stats()) == set(scenario["stats"])
    assert player.found == []
