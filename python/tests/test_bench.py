"""The benchmark runs and says what it should; how fast anything is depends on the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from accredit import _reference, bench


def test_both_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--json", "--rounds", "1", "--folder", str(tmp_path)]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert list(measured["recording_us"]) == bench.ROWS
    assert all(row["accredit"] > 0 and row["reference"] > 0 for row in measured["recording_us"].values())
    assert measured["refused"] == {}
    assert bench.main(["--rounds", "1"]) == 0
    shown = capsys.readouterr().out
    assert "reference" in shown and bench.machine() in shown
    assert list(tmp_path.iterdir()) == []


def test_the_reference_is_no_straw_man() -> None:
    rec = _reference.Recorder()
    action_id = rec.begin_action("a", "t", None, {"x": 1})
    assert all(rec.record_step(action_id, "s", {"text": "y" * 600}, "d", 7.0) for _ in range(1_000))
    assert not rec.record_step(action_id, "one too many")
    made = rec.complete_action(action_id, {"x": 1})
    assert made is not None and (made["step_count"], made["success_score"]) == (1_000, 1.0)
    assert len(made["steps_summary"]) == 50 and made["steps_summary"][-1]["confidence"] == 1.0
    assert rec.complete_action(action_id) is None
