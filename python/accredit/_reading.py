"""What a recorder answers."""

from __future__ import annotations

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

        action: dict[str, Any] = {}
        steps: list[dict[str, Any]] = []
        if self._recorder is not None:
            try:
                action = self._recorder.get_action(self["action_id"])
                steps = [entry for entry in self._recorder.chain(self["action_id"]) if entry["kind"] == "step"]
            except Exception:
                # The recorder is closed: then the numbers stand without their words.
                steps = []
        return picture(self, action, steps)
