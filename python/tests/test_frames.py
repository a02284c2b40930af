"""Frames, and export."""

from __future__ import annotations

import builtins
import datetime as dt
import gc
import json
import random
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import accredit
from accredit import _native


def record(rec: accredit.Recorder, n: int = 40) -> None:
    """Actions in which reproducing the failure decides."""
    random.seed(1)
    for index in range(n):
        with rec.action("coder", "fix", goal=f"bug {index % 4}", expect={"fixed": True}) as action:
            chosen = random.choice(["reproduce", "guess"])
            action.step("read", {"n": index}, "read", 0.5, key="read", state_key="begun", effect=False)
            action.step(chosen, None, chosen, key=chosen, state_key="read", usage={"input_tokens": 10, "cost_usd": 0.5})
            action.observe("note", {"x": 1})
            action.complete({"fixed": random.random() < (0.9 if chosen == "reproduce" else 0.1)})


@pytest.fixture
def learned(rec: accredit.Recorder) -> accredit.Recorder:
    record(rec)
    rec.learn()
    record(rec, 2)
    return rec


def test_steps(learned: accredit.Recorder) -> None:
    frame = learned.steps_frame()
    rows = frame.to_pylist()
    assert (len(frame), len(rows), list(rows[0])) == (84, 84, frame.columns)
    newest = learned.actions(limit=1)[0]
    attribution = learned.attribution(newest["action_id"])
    first, second = rows[:2]
    assert [row["credit"] for row in (first, second)] == attribution["credits"]
    assert [row["advantage"] for row in (first, second)] == attribution["advantages"]
    assert [row["std_error"] for row in (first, second)] == attribution["std_errors"]
    assert [row["forecast"] for row in (first, second)] == attribution["forecast"]
    assert (first["action_id"], first["step"], second["step"], second["seq"]) == (newest["action_id"], 0, 1, 1)
    assert (json.loads(first["state"]), first["confidence"], first["effect"]) == ({"n": 1}, 0.5, False)
    assert (second["input_tokens"], second["output_tokens"], second["cost_usd"]) == (10, None, 0.5)
    assert (first["method"], first["evidence"], first["reward"]) == ("td_ce", "learned", newest["success_score"])
    assert abs(first["at"] - dt.datetime.now(dt.timezone.utc)) < dt.timedelta(minutes=5)


def test_actions(learned: accredit.Recorder) -> None:
    rows = learned.actions_frame(limit=3, agent_id="coder").to_pylist()
    known = learned.actions(limit=3)
    for row, action in zip(rows, known):
        assert {**row, "outcome": json.loads(row["outcome"])}.items() >= {
            name: action[name]
            for name in ("action_id", "agent_id", "status", "outcome", "verdict", "success_score", "version")
        }.items()
        assert row["begun_at"].isoformat() == action["begun_at"].replace("Z", "+00:00")


def test_insights(learned: accredit.Recorder) -> None:
    rows = list(learned.insights_frame("fix"))
    known = learned.insights("fix")["decisions"]
    assert rows == known and len(rows) > 0
    assert {row["decision"] for row in rows} >= {"reproduce", "guess"}
    assert list(learned.insights_frame("nothing")) == []


def test_the_three_libraries_say_the_same(learned: accredit.Recorder) -> None:
    for frame in (learned.steps_frame(), learned.actions_frame(), learned.insights_frame("fix")):
        table = frame.to_pyarrow()
        assert isinstance(table, pa.Table) and table.num_rows == len(frame)
        table.validate(full=True)
        assert table.to_pylist() == frame.to_pylist()
        polars = frame.to_polars()
        assert isinstance(polars, pl.DataFrame) and polars.to_dicts() == frame.to_pylist()
        pandas = frame.to_pandas()
        assert isinstance(pandas, pd.DataFrame) and list(pandas.columns) == frame.columns and len(pandas) == len(frame)
    assert str(table.schema.field("n").type) == "int64"


def test_the_stream_is_read_without_a_copy_and_outlives_its_frame(learned: accredit.Recorder) -> None:
    frame = learned.steps_frame()
    first, second = pa.table(frame), pa.table(frame)
    address = [table.column("credit").chunk(0).buffers()[1].address for table in (first, second)]
    assert address[0] == address[1], "both read the frame's own memory"
    expected = first.to_pylist()
    del frame, first
    gc.collect()
    assert second.to_pylist() == expected
    schema = pa.schema(learned.steps_frame())
    assert schema == second.schema


def test_an_unread_stream_is_given_free(learned: accredit.Recorder) -> None:
    frame = learned.steps_frame()
    for _ in range(100):
        frame.__arrow_c_stream__()
        frame.__arrow_c_schema__()


def test_open_actions_have_no_credit_yet(rec: accredit.Recorder) -> None:
    rec.action("a", "t").step("x")
    rec.flush()
    (row,) = rec.steps_frame(status="open")
    assert (row["description"], row["credit"], row["verdict"], row["reward"]) == ("x", None, None, None)
    assert rec.steps_frame(status="completed").to_pylist() == []


def test_an_empty_frame_has_columns(rec: accredit.Recorder) -> None:
    for frame in (rec.steps_frame(), rec.actions_frame(), rec.insights_frame("t")):
        assert (len(frame), frame.to_pylist()) == (0, [])
        assert frame.to_pyarrow().column_names == frame.columns == list(frame.to_polars().columns)
        assert list(frame.to_pandas().columns) == frame.columns


def test_a_filter_that_is_none(rec: accredit.Recorder) -> None:
    with pytest.raises(TypeError, match="there is no filter agent"):
        rec.steps_frame(agent="x")
    with pytest.raises(accredit.RefusedError, match="status"):
        rec.actions_frame(status="ajar")


@pytest.mark.parametrize("name", ["pandas", "polars", "pyarrow"])
def test_without_the_library(learned: accredit.Recorder, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = builtins.__import__

    def missing(module: str, *args: Any, **kwargs: Any) -> Any:
        if module.partition(".")[0] == name:
            raise ImportError(f"No module named {name!r}")
        return real(module, *args, **kwargs)

    frame = learned.steps_frame()
    monkeypatch.setattr(builtins, "__import__", missing)
    assert len(frame.to_pylist()) == 84
    with pytest.raises(ImportError, match=f"needs {name}, which is not installed: pip install {name}"):
        getattr(frame, f"to_{name}")()
    if name == "pyarrow":
        assert list(frame.to_pandas()["credit"]) == frame.to_pydict()["credit"]


def test_frames_of_json(learned: accredit.Recorder) -> None:
    made = _native.Frame.from_experiences(learned._native.experiences(0, 1_000))
    assert sorted(map(str, zip(*made.to_pydict().values()))) == sorted(
        map(str, zip(*learned.steps_frame().to_pydict().values()))
    )
    actions = _native.Frame.from_actions(json.dumps(learned.actions(limit=1_000)))
    assert actions.to_pydict() == learned.actions_frame().to_pydict()
    insights = _native.Frame.from_insights(json.dumps(learned.insights("fix")))
    assert insights.to_pydict() == learned.insights_frame("fix").to_pydict()


def test_export(learned: accredit.Recorder, tmp_path: Any) -> None:
    path = tmp_path / "runs.jsonl"
    assert learned.export(path, agent_id="coder") == 42
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["action"]["action_id"] == learned.actions(limit=1)[0]["action_id"]
    assert lines == learned.experiences(limit=100)[::-1]
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match="no format 'csv'"):
        learned.export(path, format="csv")
    with pytest.raises(accredit.AccreditError):
        learned.export(tmp_path / "nowhere" / "runs.jsonl")
