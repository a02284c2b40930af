"""Recording to a real server: the same calls."""

from __future__ import annotations

import pathlib
import uuid

import accredit
import pytest

from served import Server, descriptions, own, server, spool  # noqa: F401


def test_the_same_calls_as_over_a_store(server: Server, spool: pathlib.Path) -> None:
    with accredit.connect(server.url, spool=spool) as rec:
        with rec.action("planner", "book_flight", goal="g1", expect={"booked": True}, criteria=["price < 100"]) as a:
            assert a.step("chose the cheapest", {"fares": [90, 80]}, "search", 0.8, key="cheapest")
            assert a.observe("tool_result", {"booked": True}, "airline")
            with rec.action("buyer", "pay") as b:
                b.step("paid")
                assert b.complete({}, reward=0.5)
            assert a.complete({"booked": True, "price": 80})
            assert a.closed and not a.step("too late")
            assert not rec.record_step(a.id, "too late by its id")
        assert rec.attribution(a.id)["verdict"] == "success"
        assert not a.complete({"booked": True, "price": 80}), "nothing new was completed"
        assert a.revise({"booked": False}, reason="cancelled by the airline")
        assert [found["version"] for found in rec.attributions(a.id)] == [1, 2]
        assert rec.get_action(a.id)["goal_id"] == "g1"
        assert rec.get_action(b.id)["parent_action_id"] == a.id
        assert descriptions(rec, a.id) == ["chose the cheapest"]
        assert rec.tree(a.id)["root"] == a.id
        assert {found["action_id"] for found in rec.actions(limit=5)} == {a.id, b.id}
        assert [found["action_id"] for found in rec.actions(agent_id="buyer")] == [b.id]
        assert len(rec.experiences()) == 3
        assert rec.insights("book_flight")["action_type"] == "book_flight"
        assert rec.models("book_flight") == []
        assert (rec.agent("planner") or {})["actions"] == 1
        assert rec.agent("nobody at all/?") is None
        by_id = rec.begin_action("x", "y")
        assert rec.heartbeat(by_id) and rec.cancel_action(by_id, "why not")
        stats = rec.stats()
        assert (stats["begun"], stats["completed"], stats["cancelled"]) == (3, 2, 1)
        mine = stats["recorder"]
        assert mine["spooled"] == 0 and not mine["server_away"] and mine["refused"] == {"closed_action": 2}


def test_what_only_the_server_does_is_refused_clearly(server: Server, spool: pathlib.Path) -> None:
    with accredit.connect(server.url, spool=spool) as rec:
        for call in (rec.learn, rec.cleanup_expired):
            with pytest.raises(accredit.RefusedError, match="server's own work"):
                call()
        with pytest.raises(accredit.NotFoundError):
            rec.get_action(str(uuid.uuid4()))
        with pytest.raises(accredit.RefusedError):
            rec.actions(status="no such status")


def test_unknown_actions_are_counted_when_the_server_says_so(server: Server, spool: pathlib.Path) -> None:
    with accredit.connect(server.url, spool=spool) as rec:
        unknown = str(uuid.uuid4())
        rec.record_step(unknown, "to nobody")
        rec.flush()
        assert own(rec)["refused"] == {"unknown_action": 1}
        assert not rec.record_step(unknown, "and again"), "now it is known"
        assert not rec.record_step("no uuid", "s")
    with accredit.connect(server.url, spool=spool, strict=True) as rec:
        with pytest.raises(accredit.NotFoundError):
            rec.record_step(str(uuid.uuid4()), "to nobody")
        a = rec.action("a", "t")
        a.step("s")
        with pytest.raises(accredit.RefusedError):
            a.step("s", confidence=float("nan"))
        a.complete({"success": True})
        with pytest.raises(accredit.ConflictError):
            a.complete({"success": False})


@pytest.mark.parametrize(
    "arguments",
    [
        ("ftp://x", {}),
        ("http://", {}),
        ("http://user:secret@127.0.0.1", {}),
        ("http://127.0.0.1:1", {"key": "two words"}),
        ("http://127.0.0.1:1", {"timeout": 0}),
        ("http://127.0.0.1:1", {"timeout": float("nan")}),
    ],
)
def test_arguments_that_cannot_be_used(arguments: tuple[str, dict[str, object]], spool: pathlib.Path) -> None:
    url, others = arguments
    with pytest.raises(accredit.RefusedError) as raised:
        accredit.connect(url, spool=spool, **others)  # type: ignore[arg-type]
    assert "secret" not in str(raised.value) and "two words" not in str(raised.value)


def test_a_spool_that_cannot_be_used(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(accredit.UnavailableError):
        accredit.connect("http://127.0.0.1:1", spool=tmp_path / "file")


def test_batches_of_any_size(server: Server, spool: pathlib.Path) -> None:
    with accredit.connect(server.url, spool=spool, timeout=60) as rec:
        ids = []
        for n_steps, n_bytes in [(1, 10), (3_000, 10), (40, 60_000), (2, 3_000_000)]:
            a = rec.action("a", "t")
            for _ in range(n_steps):
                assert a.step("s", {"text": "x" * n_bytes})
            assert a.complete({})
            ids.append((a.id, n_steps))
        for action_id, n_steps in ids:
            assert rec.get_action(action_id)["step_count"] == n_steps
        assert own(rec)["refused"] == {}
