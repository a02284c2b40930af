"""Tables of what was recorded, for whatever reads Arrow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional, TypedDict, Union

if TYPE_CHECKING:
    import pandas as _pandas
    import polars as _polars
    import pyarrow as _pyarrow

    from accredit import _native

PathLike = Union[str, "os.PathLike[str]"]

#: More actions than any store has.
NO_LIMIT = 2**62

_FILTERS = ("agent_id", "action_type", "goal_id", "status", "verdict", "from_", "to")


class Filters(TypedDict, total=False):
    """What a list of actions may be filtered by."""

    agent_id: Optional[str]
    action_type: Optional[str]
    goal_id: Optional[str]
    #: ``open``, ``completed``, ``timed_out``, ``evicted`` or ``cancelled``.
    status: Optional[str]
    #: ``success``, ``partial``, ``failure`` or ``unknown``.
    verdict: Optional[str]
    #: Begun at or after: a ``datetime``, RFC 3339 or seconds since 1970.
    from_: Any
    #: Begun before.
    to: Any


#: Filters in the order in which the native module takes them.
Asked = tuple[Any, Any, Any, Any, Any, Any, Any]


def asked(filters: Filters) -> Asked:
    """Filters by name as the native module takes them."""
    unknown = sorted(set(filters) - set(_FILTERS))
    if unknown:
        raise TypeError(f"there is no filter {', '.join(unknown)}; there are {', '.join(_FILTERS)}")
    agent_id, action_type, goal_id, status, verdict, from_, to = map(filters.get, _FILTERS)
    return agent_id, action_type, goal_id, status, verdict, from_, to


class Frame:
    """A table in memory. It is an Arrow stream (``__arrow_c_stream__``), which pandas, Polars, pyarrow, DuckDB and others read
    without a copy, and needs none of them itself."""

    def __init__(self, native: "_native.Frame") -> None:
        self._native = native

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._native.columns

    def __len__(self) -> int:
        return len(self._native)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_pylist())

    def __arrow_c_schema__(self) -> object:
        return self._native.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._native.__arrow_c_stream__(requested_schema)

    def to_pydict(self) -> dict[str, list[Any]]:
        """The columns as lists."""
        return self._native.to_pydict()

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as dicts. Times are ``datetime`` in UTC."""
        columns = self.to_pydict()
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def to_pyarrow(self) -> "_pyarrow.Table":
        """A table of pyarrow; its memory is this frame's."""
        try:
            import pyarrow
        except ImportError as error:
            raise _missing("pyarrow", "to_pyarrow") from error
        return pyarrow.table(self)

    def to_polars(self) -> "_polars.DataFrame":
        """A frame of Polars."""
        try:
            import polars
        except ImportError as error:
            raise _missing("polars", "to_polars") from error
        return polars.DataFrame(self)

    def to_pandas(self) -> "_pandas.DataFrame":
        """A frame of pandas: by way of Arrow where pyarrow is installed, else column by column."""
        try:
            import pandas
        except ImportError as error:
            raise _missing("pandas", "to_pandas") from error
        try:
            table = self.to_pyarrow()
        except ImportError:
            return pandas.DataFrame(self.to_pydict(), columns=self.columns)
        return table.to_pandas()

    def __repr__(self) -> str:
        return f"<accredit.Frame of {len(self)} rows: {', '.join(self.columns)}>"


def _missing(name: str, method: str) -> ImportError:
    return ImportError(
        f"Frame.{method} needs {name}, which is not installed: pip install {name}; Frame.to_pylist works without it"
    )
