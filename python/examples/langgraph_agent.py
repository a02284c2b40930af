"""A LangGraph agent whose nodes are steps: `python examples/langgraph_agent.py`."""

from __future__ import annotations

import sys
from typing import TypedDict

from langchain_core.language_models import FakeListChatModel
from langgraph.graph import END, START, StateGraph

import accredit


class Bug(TypedDict, total=False):
    report: str
    plan: str
    tests_passed: bool


model = FakeListChatModel(responses=["reproduce", "patch"])  # or a real one


@accredit.step(
    "asked the model what to do", state_key=lambda named: "planned" if "plan" in named["bug"] else "begun", observe=True
)
def plan(bug: Bug) -> Bug:
    return {"plan": str(model.invoke(bug["report"]).content)}


@accredit.step("changed the code", decision=lambda named: named["bug"]["plan"], capture=["bug"], effect=True)
def change(bug: Bug) -> Bug:
    return {}


@accredit.step("ran the tests", observe=lambda result: result)
def check(bug: Bug) -> Bug:
    return {"tests_passed": bug["plan"] == "patch"}


graph = StateGraph(Bug)
for node in (plan, change, check):
    graph.add_node(node.__name__, node)
graph.add_edge(START, "plan")
graph.add_edge("plan", "change")
graph.add_edge("change", "check")
graph.add_conditional_edges("check", lambda bug: END if bug["tests_passed"] else "plan")
app = graph.compile()


def main(path: str = ":memory:") -> None:
    with accredit.open(path) as rec:
        with rec.action("coder", "fix_bug", goal="bug 17", expect={"tests_passed": True}) as action:
            action.complete(app.invoke({"report": "the parser fails on empty input"}))
        found = rec.attribution(action.id)
        print(found["verdict"], [step["decision"] for step in rec.chain(action.id) if step["kind"] == "step"])


if __name__ == "__main__":
    main(*sys.argv[1:])
