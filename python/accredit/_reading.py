"""What a recorder answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from accredit._recorder import Recorder


class Attribution(dict[str, Any]):
    """Score, verdict and credits of one action: a dict as the wire format has it."""

    def __init__(self, fields: dict[str, Any], recorder: Optional["Recorder"] = None) -> None:
        super().__init__(fields)
        self._recorder = recorder
