"""A PydanticAI agent whose tools are steps: `python examples/pydantic_ai_agent.py`."""

from __future__ import annotations

import sys

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

import accredit


class Booking(BaseModel):
    flight: str
    price: int


# TestModel calls every tool once and makes up a result; name a real model in its place.
agent = Agent(TestModel(custom_output_args={"flight": "LH 100", "price": 80}), output_type=Booking)


@agent.tool_plain
@accredit.step("looked for flights", capture=True, observe="tool_result")
def search(destination: str) -> list[str]:
    """Flights to a place."""
    return ["LH 100", "LH 200"]


@agent.tool_plain
@accredit.step("asked for the price", key="price", capture=["flight"], observe=lambda result: {"price": result})
async def price(flight: str) -> int:
    """What a flight costs."""
    return 80


@accredit.action(agent="planner", expect={"price": {"$lte": 100}}, outcome=True)
def book_flight(wish: str) -> Booking:
    result = agent.run_sync(wish)
    action = accredit.current_action()
    if action is not None:
        action.step("booked it", decision="book", effect=True, usage=result.usage)
    return result.output


def main(path: str = ":memory:") -> None:
    with accredit.open(path) as rec:
        accredit.set_recorder(rec)
        book_flight("a cheap flight to Oslo")
        action = rec.actions(limit=1)[0]
        steps = [entry for entry in rec.chain(action["action_id"]) if entry["kind"] == "step"]
        print(
            action["verdict"], sorted(step["decision"] for step in steps), steps[-1]["usage"]["input_tokens"], "tokens"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
