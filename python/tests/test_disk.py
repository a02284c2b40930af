"""A disk that is full, read-only or gone: recording never raises, each failure is counted, strict mode raises."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import run

import accredit

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts as Linux has them")

#: No file of the process may grow beyond 300 KB: for SQLite that is a full disk.
LIMIT = """
import logging, resource
logging.getLogger("accredit").disabled = True
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
"""


def test_a_full_disk_is_counted_and_over_when_there_is_room(tmp_path: Path) -> None:
    ended = run(
        LIMIT
        + """
rec = accredit.open(path)
with rec.action("a", "t") as action:
    answers = {action.step(f"{n}", state={"text": os.urandom(2_000).hex()}) for n in range(300)}
    rec.flush()
    # Small ones might still find room.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    more = [rec.action("a", "t").step("s"), rec.record_step(action.id, "s"), rec.record_observation(action.id, "o")]
    completed = action.complete({"success": True})
    rec.flush()
stats = rec.stats()["recorder"]
say(answers=list(answers), kinds=[type(answer).__name__ for answer in more], completed=completed,
    refused=stats["refused"], last_error=stats["last_error"])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
with rec.action("b", "t") as action:
    say(step=action.step("s"), completed=action.complete({"success": True}))
rec.close()
""",
        tmp_path / "runs.db",
    )
    full, room = ended.quiet().said
    assert full["answers"] == [True]
    assert full["kinds"] == ["bool"] * 3
    assert full["completed"] is False
    assert sum(full["refused"].values()) > 0
    assert full["last_error"]
    assert room == {"step": True, "completed": True}
    with accredit.open(tmp_path / "runs.db") as rec:
        assert rec.actions(agent_id="b")[0]["status"] == "completed"


def test_strict_raises_on_a_full_disk(tmp_path: Path) -> None:
    ended = run(
        LIMIT
        + """
rec = accredit.open(path, strict=True)
action = rec.action("a", "t")
try:
    for n in range(300):
        action.step(f"{n}", state={"text": os.urandom(2_000).hex()})
    say(raised=None)
except accredit.AccreditError as error:
    say(raised=type(error).__name__, code=error.code, said=str(error))
""",
        tmp_path / "runs.db",
    )
    said = ended.said[0]
    assert (said["raised"], said["code"]) == ("UnavailableError", "store_unavailable"), said
    assert "full" in said["said"] or "disk" in said["said"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_a_small_disk(tmp_path: Path) -> None:
    """A real file system with 2 MB, filled by somebody else while it is recorded to."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=2m tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip("no mounting here")
    try:
        ended = run(
            """
import logging
logging.getLogger("accredit").disabled = True
rec = accredit.open(path)
action = rec.action("a", "t")
early = action.step("early")
rec.flush()
with open(path + ".other", "wb") as other:
    try:
        other.write(bytes(4 << 20))
    except OSError:
        pass
full = {action.step("late", state={"text": os.urandom(2_000).hex()}) for _ in range(100)}
completed = action.complete({"success": True})
refused = rec.stats()["recorder"]["refused"]
os.remove(path + ".other")
again = rec.action("b", "t")
say(early=early, full=sorted(full), refused=sum(refused.values()) > 0, completed=completed, again=again.complete({}))
rec.close()
""",
            disk / "runs.db",
        )
        said = ended.quiet().said[0]
        assert said == {"early": True, "full": [True], "refused": True, "completed": False, "again": True}
        with accredit.open(disk / "runs.db") as rec:
            open_one = rec.actions(agent_id="a")[0]
            assert (open_one["status"], rec.chain(open_one["action_id"])[0]["description"]) == ("open", "early")
    finally:
        os.system(f"umount -l {disk}")  # a recorder that is closed still holds the file until it is dropped


def test_a_store_that_is_deleted_under_it(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    ended = run(
        """
import logging, shutil
logging.getLogger("accredit").disabled = True
rec = accredit.open(path)
action = rec.action("a", "t")
action.step("s")
rec.flush()
shutil.rmtree(os.path.dirname(path))
said = [action.step("s"), rec.action("a", "t").step("s"), rec.record_step("01890000-0000-7000-8000-000000000001", "s")]
rec.flush()
said.append(action.complete({}))
say(kinds=[type(answer).__name__ for answer in said], stats=sorted(rec.stats()["recorder"]))
rec.close()
""",
        folder / "runs.db",
    )
    said = ended.quiet().said[0]
    assert said["kinds"] == ["bool"] * 4


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    def opens(path: Path, **options: Any) -> str:
        with pytest.raises(accredit.AccreditError) as raised:
            accredit.open(path, **options).close()
        return str(raised.value.code)  # type: ignore[attr-defined]

    assert opens(tmp_path / "no" / "folder" / "runs.db").startswith("store_")
    assert opens(tmp_path) == "store_unusable"
    assert opens(tmp_path / "none.db", read_only=True) == "no_store"
    (tmp_path / "text.db").write_text("no store at all " * 100)
    assert opens(tmp_path / "text.db") == "store_unusable"
    accredit.open(tmp_path / "runs.db").close()
    (tmp_path / "runs.db").chmod(0o444)
    assert opens(tmp_path / "runs.db") == "store_unusable"


def test_reading_only_records_nothing_and_counts_it(tmp_path: Path) -> None:
    with accredit.open(tmp_path / "runs.db") as rec:
        action_id = rec.begin_action("a", "t")
    with accredit.open(tmp_path / "runs.db", read_only=True) as rec:
        rec.record_step(action_id, "s")
        rec.action("a", "t").step("s")
        rec.flush()
        assert rec.complete_action(action_id) is False
        assert rec.stats()["recorder"]["refused"]["read_only"] >= 3
        assert rec.chain(action_id) == []
    with accredit.open(tmp_path / "runs.db", read_only=True, strict=True) as rec:
        with pytest.raises(accredit.RefusedError) as raised:
            rec.record_step(action_id, "s")
        assert raised.value.code == "read_only"  # type: ignore[attr-defined]
