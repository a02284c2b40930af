"""What a recorder answers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from accredit._recorder import Recorder


class Attribution(dict[str, Any]):
    """Score, verdict and credits of one action: a dict as the wire format has it. In a notebook it shows itself as a picture."""

    def __init__(self, fields: dict[str, Any], recorder: Optional["Recorder"] = None) -> None:
        super().__init__(fields)
        self._recorder = recorder

    def _repr_html_(self) -> str:
        """A small picture, for notebooks: HTML and SVG without scripts, with nothing from elsewhere."""
        from accredit._picture import picture

        told: tuple[dict[str, Any], list[dict[str, Any]]] = ({}, [])
        if self._recorder is not None:
            try:
                told = self._told(self._recorder)
            except Exception:
                # It is closed. Its file can be read again, or else the numbers stand without their words.
                with contextlib.suppress(Exception):
                    told = self._told_by_file(self._recorder._path)
        action, steps = told
        return picture(self, action, steps)

    def _told(self, recorder: Recorder) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        chain = recorder.chain(self["action_id"])
        return recorder.get_action(self["action_id"]), [entry for entry in chain if entry["kind"] == "step"]

    def _told_by_file(self, path: Optional[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        from accredit import open as open_store

        if path is None:
            return {}, []
        with open_store(path, read_only=True) as recorder:
            return self._told(recorder)
