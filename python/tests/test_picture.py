"""The picture of an attribution."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

import accredit
from accredit import _picture

TAGS = {"div", "span", "b", "svg", "line", "polyline", "circle", "rect", "text"}
VOID = {"line", "polyline", "circle", "rect"}


class Checked(HTMLParser):
    """Knows the elements that a picture may have, and that they are closed in their order."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.said = ""
        self.titles: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        assert tag in TAGS
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("href", "src", "xlink:href")
            if name == "title":
                self.titles.append(value or "")
            else:
                assert "url(" not in (value or "") and "//" not in (value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def learned(rec: accredit.Recorder, n_steps: int = 4) -> accredit._reading.Attribution:
    for index in range(30):
        last(rec, n_steps, "right" if index % 2 else "left", float(index % 2))
    rec.learn()
    action = last(rec, n_steps, "left", 0.0)
    return rec.attribution(action.id)


def last(rec: accredit.Recorder, n_steps: int, chosen: str, reward: float) -> accredit.Action:
    with rec.action("walker", "walk") as action:
        for step in range(n_steps):
            key = chosen if step == 1 else "on"
            action.step(f"at {step}", decision=key, key=key, state_key=str(step))
        action.complete({"error": "fell & broke <it>"} if reward == 0 else {}, reward)
    return action


def test_a_prior(rec: accredit.Recorder) -> None:
    with rec.action("a", "t", expect={"x": 1}, criteria=["x == 1", "looks nice"]) as action:
        action.step("one", decision="first", effect=True)
        action.step("two")
        action.complete({"x": 1})
    page = Checked(rec.attribution(action.id)._repr_html_())
    for text in (
        "success",
        "score 1",
        "a · t",
        "credit by decay, a prior",
        "first",
        "one",
        "two",
        "47 %",
        "53 %",
        "x == 1",
        "looks nice",
    ):
        assert text in page.said
    assert "expected reward" not in page.said and "against" not in page.said


def test_a_failure_with_a_model(rec: accredit.Recorder) -> None:
    page = Checked(learned(rec)._repr_html_())
    for text in (
        "failure",
        "score 0",
        "fell & broke <it>",
        "learned from other actions, model ",
        "against",
        "left",
        "100 %",
        "before",
        "step 3",
    ):
        assert text in page.said
    assert re.search(r"−0\.4\d\d", page.said)
    assert re.search(r"0 = 0\.\d+ expected at the beginning − 0\.\d+ by the steps", page.said)


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</span></div><iframe>",
    "&lt;b&gt;",
    "\u202eevil\u0000",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_everything_is_escaped(rec: accredit.Recorder, text: str) -> None:
    with rec.action(text, text, goal=text, expect={text: 1}, criteria=[text]) as action:
        action.step(text, decision=text, key=text)
        action.complete({"error": text, text: 2})
    attribution = rec.attribution(action.id)
    page = Checked(attribution._repr_html_())
    assert page.said.count(" ".join(text.split())) >= 5
    for name in ("method", "verdict", "grounding", "closing", "action_id", "selection_reason", "version"):
        attribution[name] = text
    Checked(attribution._repr_html_())


@given(st.text(), st.text())
def test_any_text(description: str, decision: str) -> None:
    Checked(
        _picture.picture(
            {"credits": [1.0], "advantages": [0.5], "evidence": "learned"},
            {},
            [{"description": description, "decision": decision}],
        )
    )


def test_a_long_action_shows_what_matters(rec: accredit.Recorder) -> None:
    source = learned(rec, 3_000)._repr_html_()
    page = Checked(source)
    assert "left" in page.said and "at 2999" in page.said and "⋮ 2,997 steps" in page.said
    assert len(source) < 30_000


def test_without_the_words(rec: accredit.Recorder) -> None:
    attribution = learned(rec)
    rec.close()
    page = Checked(attribution._repr_html_())
    assert "failure" in page.said and "100 %" in page.said
    assert Checked(accredit._reading.Attribution({})._repr_html_()).said.startswith("unknown")


def test_no_steps(rec: accredit.Recorder) -> None:
    action = rec.action("a", "t")
    action.cancel("no need")
    page = Checked(rec.attribution(action.id)._repr_html_())
    assert "cancelled" in page.said


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [
        (0.5, "0.5", "+0.500"),
        (-0.25, "−0.25", "−0.250"),
        (0, "0", "+0.000"),
        (1234.5, "1.23e+03", "+1.2e+03"),
        (1e-9, "1e−09", "+1e−09"),
        (float("nan"), "–", "–"),
        (None, "–", "–"),
    ],
)
def test_numbers(value: Any, plain: str, signed: str) -> None:
    assert (_picture.number(value), _picture.number(value, signed=True)) == (plain, signed)


def test_a_recorder_that_is_closed_leaves_the_words(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with accredit.open(path) as rec:
        with rec.action("planner", "book") as action:
            action.step("took the cheapest", decision="book")
            action.complete({"success": True})
        made = rec.attribution(action.id)
    assert "took the cheapest" in made._repr_html_()
    path.unlink()
    assert "took the cheapest" not in made._repr_html_() and "success" in made._repr_html_()
