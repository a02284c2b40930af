"""A plain asyncio agent that hands work to others: `python examples/asyncio_agent.py`."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator

import accredit


@accredit.action(agent="searcher", goal=lambda named: f"source {named['source']}", expect={"found": True})
async def search(source: str) -> dict[str, bool]:
    query = random.choice(["broad", "narrow"])
    action = accredit.current_action()
    if action is not None:
        action.step("chose a query", decision=query, key=query, state_key=source)
    await asyncio.sleep(0)
    return {"found": query == "narrow"}


@accredit.step(observe=True)
async def delegate(sources: list[str]) -> int:
    """One step, during which three actions begin: they are its children, and its credit is theirs."""
    found = await asyncio.gather(*(search(source) for source in sources))
    return sum(one["found"] for one in found)


@accredit.step
async def words(n: int) -> AsyncIterator[str]:
    for number in range(n):
        yield f"source {number + 1} says so"


@accredit.action(agent="writer", expect={"sources": {"$gte": 1}})
async def report(question: str) -> dict[str, object]:
    n = await delegate(["news", "papers", "web"])
    return {"sources": n, "text": [word async for word in words(n)]}


def main(path: str = ":memory:") -> None:
    random.seed(4)
    with accredit.open(path) as rec:
        accredit.set_recorder(rec)
        for _ in range(40):
            asyncio.run(report("why is the sky blue?"))
        rec.learn()
        for insight in rec.insights("search")["decisions"][:2]:
            print(insight["decision"], f"{insight['advantage']:+.2f}")
        print(len(rec.tree(rec.actions(action_type="report", limit=1)[0]["action_id"])["nodes"]), "actions in the tree")


if __name__ == "__main__":
    main(*sys.argv[1:])
