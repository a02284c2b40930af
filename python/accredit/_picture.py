"""The picture of an attribution in a notebook: HTML with inline styles and one SVG; no scripts, nothing from elsewhere.

Text has the colour that the notebook gives it, so that it is legible on light and dark ground; the other colours are of middle
lightness. Everything that was recorded is escaped.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Optional

#: Steps that are shown; of a longer action those that matter most.
ROWS_MAX = 12
#: Points of the curve.
POINTS_MAX = 300
#: Checks that are shown.
CHECKS_MAX = 6

GREEN, RED, AMBER, GREY, BLUE = "#2a9d63", "#d64550", "#c4861a", "#868e99", "#4a84e0"
_VERDICTS = {"success": GREEN, "partial": AMBER, "failure": RED, "unknown": GREY}
_FRAME = (
    "font:13px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;max-width:820px;padding:14px 18px 12px;margin:4px 0;"
    "border:1px solid rgba(134,142,153,.4);border-radius:10px;text-align:left;font-variant-numeric:tabular-nums"
)
_FAINT = "opacity:.62"
_ONE_LINE = "overflow:hidden;white-space:nowrap;text-overflow:ellipsis;min-width:0"


def picture(attribution: Mapping[str, Any], action: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> str:
    """The picture of an attribution; ``action`` and ``steps`` supply the words, where they are known."""
    parts = [
        _head(attribution, action),
        _checks(attribution),
        _rows(attribution, steps),
        _curve(attribution),
        _sum(attribution),
    ]
    return f'<div style="{_FRAME}">{"".join(parts)}</div>'


def number(value: Any, signed: bool = False) -> str:
    """Three digits; a real minus."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    text = f"{value:+.3f}" if signed else f"{value:.3g}"
    if abs(value) >= 1_000 or 0 < abs(value) < 5e-4:
        text = f"{value:+.2g}" if signed else f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _text(value: Any, length: int = 160) -> str:
    text = " ".join(str(value).split())
    return html.escape(text if len(text) <= length else text[: length - 1] + "…")


def _head(attribution: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    verdict = str(attribution.get("verdict", "unknown"))
    colour = _VERDICTS.get(verdict, GREY)
    pill = (
        f'<span style="background:{colour};color:#fff;border-radius:99px;padding:2px 11px 3px;font-weight:600">'
        f"{_text(verdict)}</span>"
    )
    score = number(attribution.get("success_score")) if attribution.get("evaluated") else "nothing to judge by"
    label = "score " if attribution.get("evaluated") else ""
    reward = attribution.get("reward")
    said = f'<span style="font-size:15px;font-weight:600">{label}{score}</span>'
    if reward is not None:
        said += f'<span style="{_FAINT}">reward {number(reward)}</span>'
    who = " · ".join(_text(action[name], 60) for name in ("agent_id", "action_type", "goal_id") if action.get(name))
    closing = str(attribution.get("closing", "completed"))
    how = [_text(closing).replace("_", " ")] if closing != "completed" else []
    how.append(f"rests on what is {_text(attribution.get('grounding', 'claimed'))}")
    if attribution.get("version", 1) != 1:
        how.append(f"version {_text(attribution['version'])}")
    title = f'<span style="margin-left:auto;font-weight:600;{_ONE_LINE}">{who}</span>' if who else ""
    return (
        f'<div style="display:flex;align-items:center;gap:12px">{pill}{said}{title}</div>'
        f'<div style="display:flex;gap:12px;margin-top:6px;font-size:12px;{_FAINT}">'
        f'<span style="{_ONE_LINE}">{", ".join(how)}</span>'
        f'<span style="margin-left:auto;font-family:ui-monospace,Menlo,monospace;font-size:11px">{_text(attribution.get("action_id", ""))}</span></div>'
    )


def _checks(attribution: Mapping[str, Any]) -> str:
    """Expectations and criteria, and what an outcome says of an error."""
    found: list[tuple[str, Optional[bool], str]]
    found = [(item["key"], bool(item["matched"]), item["source"]) for item in attribution.get("expectation", ())]
    results = {"pass": True, "fail": False}
    found += [
        (item["criterion"], results.get(item["result"]), item["source"]) for item in attribution.get("criteria", ())
    ]
    shown = [
        f'<span style="{_ONE_LINE};max-width:100%"><b style="color:{colour}">{mark}</b> {_text(what, 80)} <span style="{_FAINT}">{_text(source)}</span></span>'
        for what, passed, source in found[:CHECKS_MAX]
        for mark, colour in [("✓", GREEN) if passed else ("?", GREY) if passed is None else ("✗", RED)]
    ]
    if len(found) > CHECKS_MAX:
        shown.append(f'<span style="{_FAINT}">and {len(found) - CHECKS_MAX} more</span>')
    outcome = attribution.get("outcome")
    error = outcome.get("error") if isinstance(outcome, Mapping) else None
    if error:
        said = error if isinstance(error, str) else json.dumps(error)
        shown.append(f'<span style="flex-basis:100%"><b style="color:{RED}">error</b> {_text(said, 240)}</span>')
    if not shown:
        return ""
    return f'<div style="display:flex;flex-wrap:wrap;gap:3px 18px;margin-top:9px">{"".join(shown)}</div>'


def _rows(attribution: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> str:
    credits, advantages = list(attribution.get("credits", ())), list(attribution.get("advantages", ()))
    learned = attribution.get("evidence") == "learned"
    chosen = _chosen(credits, advantages)
    top = max((credits[index] for index in chosen), default=0.0)
    widest = max((abs(advantages[index]) for index in chosen), default=0.0)
    columns = "2.2em minmax(0,2.2fr) minmax(92px,1fr)" + (" minmax(150px,1.35fr)" if learned else "")
    made = [_by(attribution, learned, columns)]
    before = -1
    for index in chosen:
        made.append(_gap(index - before - 1))
        before = index
        cells = [
            f'<span style="text-align:right;{_FAINT}">{index}</span>',
            _words(steps[index] if index < len(steps) else {}),
            _credit(credits[index], top),
        ]
        if learned:
            errors = attribution.get("std_errors") or []
            cells.append(_advantage(advantages[index], widest, errors[index] if index < len(errors) else None))
        made.append(
            f'<div style="display:grid;grid-template-columns:{columns};column-gap:12px;align-items:center;padding:1.5px 0">{"".join(cells)}</div>'
        )
    made.append(_gap(len(credits) - before - 1))
    return "".join(made)


def _chosen(credits: list[float], advantages: list[float]) -> list[int]:
    """The steps that are shown, in order: the last one always."""
    if len(credits) <= ROWS_MAX:
        return list(range(len(credits)))
    weights = [(abs(advantage), credit) for advantage, credit in zip(advantages, credits)]
    by_weight = sorted(range(len(weights)), key=lambda index: weights[index], reverse=True)
    least = max(weights[by_weight[0]]) / 200
    weighty = [index for index in by_weight[: ROWS_MAX - 1] if max(weights[index]) > least]
    return sorted({*weighty, len(credits) - 1})


def _by(attribution: Mapping[str, Any], learned: bool, columns: str) -> str:
    method = _text(attribution.get("method", ""))
    if learned:
        by = f"credit by <b>{method}</b>, learned from other actions, model {_text(attribution.get('model_version'))}"
    else:
        by = f"credit by <b>{method}</b>, a prior: nothing was learned yet that says more"
    reason = attribution.get("selection_reason")
    title = f' title="{_text(reason, 400)}"' if reason else ""
    heads = "<span></span><span>step</span><span>credit</span>"
    if learned:
        # Above the middle of the bars.
        heads += (
            '<span style="display:grid;grid-template-columns:1fr 1fr 4.2em;column-gap:8px">'
            '<span style="text-align:right">against</span><span>for</span><span></span></span>'
        )
    return (
        f'<div style="margin-top:11px"><span{title}>{by}</span></div>'
        f'<div style="display:grid;grid-template-columns:{columns};column-gap:12px;margin:3px 0 4px;padding-bottom:4px;'
        f'border-bottom:1px solid rgba(134,142,153,.3);font-size:12px;{_FAINT}">{heads}</div>'
    )


def _gap(n: int) -> str:
    if n <= 0:
        return ""
    what = f"{n:,} step{'' if n == 1 else 's'}"
    return f'<div style="padding:0 0 0 calc(2.2em + 12px);font-size:11px;{_FAINT}">⋮ {what}</div>'


def _words(step: Mapping[str, Any]) -> str:
    decision = step.get("decision") or step.get("key") or ""
    description = step.get("description") or ""
    said = f"<b>{_text(decision, 60)}</b>" if decision else ""
    if description and description != decision:
        said += f'{" " if said else ""}<span style="{_FAINT if said else ""}">{_text(description)}</span>'
    effect = f'<span title="changed the world" style="color:{BLUE}">● </span>' if step.get("effect") else ""
    return f'<span style="{_ONE_LINE}" title="{_text(description or decision, 400)}">{effect}{said or "–"}</span>'


def _credit(credit: float, top: float) -> str:
    width = 0.0 if top <= 0 else 100 * credit / top
    percent = 100 * credit
    text = (
        f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.1f} %" if percent >= 0.05 else "&lt;0.1 %"
    )
    bar = f'<span style="display:block;height:10px;border-radius:2px;background:{BLUE};width:{width:.1f}%"></span>'
    return (
        f'<span style="display:grid;grid-template-columns:1fr 3.6em;align-items:center;column-gap:8px"><span>{bar}</span>'
        f'<span style="text-align:right;{"" if credit > 0 else _FAINT}">{text}</span></span>'
    )


def _advantage(advantage: float, widest: float, error: Optional[float]) -> str:
    """A bar to the right of the middle for the outcome, to the left against it, with twice its standard error as a line."""
    scale = 44 / widest if widest > 0 else 0.0
    middle, length = 50.0, advantage * scale
    left = middle + min(0.0, length)
    colour = GREEN if advantage > 0 else RED
    bar = (
        f'<rect x="{left:.1f}" y="3" width="{abs(length):.1f}" height="10" rx="1.5" fill="{colour}"/>' if length else ""
    )
    whisker = ""
    if error is not None and error > 0 and length:
        low, high = (min(98.0, max(2.0, middle + (advantage + sign * 2 * error) * scale)) for sign in (-1, 1))
        whisker = f'<line x1="{low:.1f}" y1="8" x2="{high:.1f}" y2="8" stroke="currentColor" stroke-width="1.6" opacity=".7"/>'
    axis = '<line x1="50" y1="0" x2="50" y2="16" stroke="currentColor" stroke-width="1" opacity=".3"/>'
    unknown = error is None and advantage == 0
    text = (
        f'<span title="the data say nothing of it" style="{_FAINT}">?</span>'
        if unknown
        else number(advantage, signed=True)
    )
    return (
        '<span style="display:grid;grid-template-columns:1fr 4.2em;align-items:center;column-gap:8px">'
        f'<svg viewBox="0 0 100 16" preserveAspectRatio="none" width="100%" height="16" aria-hidden="true">{bar}{whisker}{axis}</svg>'
        f'<span style="text-align:right">{text}</span></span>'
    )


def _curve(attribution: Mapping[str, Any]) -> str:
    """The expected reward before the first step, after each, and what came."""
    forecast = attribution.get("forecast")
    if not forecast:
        return ""
    reward, baseline = _reward(attribution), float(attribution["baseline"])
    points = _thinned([(0.0, baseline)] + [(index + 1.0, value) for index, value in enumerate(forecast)])
    low, high = min(reward, *(y for _, y in points)), max(reward, *(y for _, y in points))
    low, high = (low - 0.5, high + 0.5) if high - low < 1e-9 else (low, high)
    n = len(forecast)

    def place(x: float, y: float) -> str:
        return f"{46 + 596 * x / (n + 0.6):.1f},{12 + 84 * (high - y) / (high - low):.1f}"

    line = " ".join(place(x, y) for x, y in points)
    x0, y0 = place(0, baseline).split(",")
    x1, y1 = place(n + 0.6, reward).split(",")
    xn, yn = place(*points[-1]).split(",")
    colour = GREEN if reward >= baseline else RED
    dots = (
        "".join(
            f'<circle cx="{x}" cy="{y}" r="2.6" fill="{BLUE}"/>'
            for x, y in (place(*point).split(",") for point in points)
        )
        if n <= 40
        else ""
    )
    labels = "".join(
        f'<text x="38" y="{16 + 84 * (high - value) / (high - low):.1f}" text-anchor="end" opacity=".62">{number(value)}</text>'
        for value in (high, low)
    )
    return (
        f'<div style="margin-top:12px;font-size:12px;{_FAINT}">expected reward after each step, and the outcome</div>'
        '<svg viewBox="0 0 700 116" width="100%" role="img" aria-label="expected reward after each step" font-size="11" fill="currentColor" style="display:block;margin-top:2px">'
        f'<line x1="46" y1="{y0}" x2="642" y2="{y0}" stroke="currentColor" stroke-dasharray="3 4" opacity=".35"/>{labels}'
        f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="2" stroke-linejoin="round"/>{dots}'
        f'<line x1="{xn}" y1="{yn}" x2="{x1}" y2="{y1}" stroke="{colour}" stroke-width="1.5" stroke-dasharray="3 3"/>'
        f'<circle cx="{x1}" cy="{y1}" r="4.5" fill="{colour}"/><text x="{float(x1) + 10:.1f}" y="{float(y1) + 4:.1f}" font-weight="600">{number(reward)}</text>'
        f'<text x="46" y="112" opacity=".62">before</text><text x="{xn}" y="112" text-anchor="end" opacity=".62">step {n - 1:,}</text></svg>'
    )


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """No more points than can be seen: of each stretch its lowest and its highest."""
    if len(points) <= POINTS_MAX:
        return points
    size = math.ceil(2 * len(points) / POINTS_MAX)
    kept: set[tuple[float, float]] = {points[0], points[-1]}
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        kept.update((min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])))
    return sorted(kept)


def _sum(attribution: Mapping[str, Any]) -> str:
    """``reward = baseline + what the steps did + what they do not explain``."""
    if attribution.get("evidence") != "learned":
        return ""
    steps = math.fsum(attribution.get("advantages", ()))
    parts = (
        f"<b>{number(_reward(attribution))}</b> = {number(attribution.get('baseline'))} expected at the beginning "
        f"{_term(steps)} by the steps {_term(attribution.get('residual', 0.0))} beyond what they explain"
    )
    return f'<div style="margin-top:6px;font-size:12px">{parts}</div>'


def _reward(attribution: Mapping[str, Any]) -> float:
    reward = attribution.get("reward")
    return float(attribution.get("success_score", 0.5) if reward is None else reward)


def _term(value: float) -> str:
    return f"{'+' if value >= 0 else chr(0x2212)} {number(abs(value))}"
