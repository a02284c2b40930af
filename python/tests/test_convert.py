"""What becomes of values: each row of the table in ``src/convert.rs``, and objects that mean harm."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import io
import itertools
import json
import math
import pathlib
import types
import uuid
from typing import Any, NamedTuple, Optional

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pydantic.v1
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accredit._native import to_json


def converted(value: Any) -> Any:
    return json.loads(to_json(value))


class Colour(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Named(str, enum.Enum):
    A = "a"


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Data:
    a: int
    b: Any = None


@attrs.define
class Attrs:
    a: int
    _b: int = 2


class Model(pydantic.BaseModel):
    a: int
    b: Optional[dt.date] = None
    secret: pydantic.SecretStr = pydantic.SecretStr("hush")


class OldModel(pydantic.v1.BaseModel):
    a: int


class Text(str):
    def __str__(self) -> str:
        return "lies"


class Int(int):
    def __int__(self) -> int:
        return 7

    __index__ = __int__


class Tensor:
    """As torch has it: ``size`` is a method."""

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values)

    @property
    def dtype(self) -> str:
        return "torch.float32"

    @property
    def shape(self) -> tuple[int, ...]:
        return self._values.shape

    def size(self) -> tuple[int, ...]:
        return self.shape

    def tolist(self) -> Any:
        return self._values.tolist()

    def __getitem__(self, index: int) -> "Tensor":
        return Tensor(self._values[index])

    def __len__(self) -> int:
        return len(self._values)


class Mapped(collections.abc.Mapping):  # type: ignore[type-arg]
    def __getitem__(self, key: str) -> int:
        return {"a": 1, "b": 2}[key]

    def __iter__(self) -> Any:
        return iter(("a", "b"))

    def __len__(self) -> int:
        return 2


ROWS: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (-5, -5),
    (2**64 - 1, 2**64 - 1),
    (2**64, str(2**64)),
    (-(2**63) - 1, str(-(2**63) - 1)),
    (0.1, 0.1),
    (1e300, 1e300),
    (math.nan, "NaN"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    ('quo"te\n\0é', 'quo"te\n\0é'),
    (Text("stored"), "stored"),
    (Int(3), 3),
    ({"a": [1, (2, 3)]}, {"a": [1, [2, 3]]}),
    (
        {1: "int", 2.5: "float", None: "none", True and (1, 2): "tuple"},
        {"1": "int", "2.5": "float", "null": "none", "(1, 2)": "tuple"},
    ),
    ({False: 0}, {"false": 0}),
    ({Named.A: 1, Number.ONE: 2}, {"a": 1, "1": 2}),
    (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (collections.defaultdict(list, a=[1]), {"a": [1]}),
    (collections.Counter("aab"), {"a": 2, "b": 1}),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    (collections.ChainMap({"a": 1}, {"b": 2}), {"b": 2, "a": 1}),
    (Mapped(), {"a": 1, "b": 2}),
    ({"b", "a", "c"}, ["a", "b", "c"]),
    (frozenset({3, 1, 2}), [1, 2, 3]),
    ({frozenset({2, 1}), "x"}, ["x", [1, 2]]),
    (collections.deque([1, 2], maxlen=3), [1, 2]),
    (range(3), [0, 1, 2]),
    (range(10**15), {"$array": {"shape": [10**15], "dtype": "range", "first": list(range(10))}}),
    ({"a": 1}.keys(), ["a"]),
    ({"a": 1}.values(), [1]),
    ({"a": 1}.items(), [["a", 1]]),
    (array.array("d", [1.5]), [1.5]),
    (Point(1, 2), {"x": 1, "y": 2}),
    (Data(1, Data(2)), {"a": 1, "b": {"a": 2, "b": None}}),
    (Attrs(1), {"a": 1, "_b": 2}),
    (Model(a=1, b=dt.date(2024, 1, 2)), {"a": 1, "b": "2024-01-02", "secret": {"$repr": "SecretStr('**********')"}}),
    (OldModel(a=1), {"a": 1}),
    (np.float64(0.5), 0.5),
    (np.float32(0.5), 0.5),
    (np.int8(-3), -3),
    (np.uint64(2**64 - 1), 2**64 - 1),
    (np.bool_(True), True),
    (np.str_("s"), "s"),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([1.0, np.nan]), [1.0, "NaN"]),
    (np.array(7), 7),
    (np.array([], dtype=float), []),
    (np.array(["2024-01-02T03:04:05.000000006"], dtype="M8[ns]"), ["2024-01-02T03:04:05.000000006"]),
    (np.datetime64("2024-01-02"), "2024-01-02"),
    (np.array([{"a": 1}, None], dtype=object), [{"a": 1}, None]),
    (np.zeros((200, 100)), {"$array": {"shape": [200, 100], "dtype": "float64", "first": [0.0] * 10}}),
    (Tensor([[1.0, 2.0]]), [[1.0, 2.0]]),
    (Tensor(3.0), 3.0),
    (Tensor(np.zeros((101, 100))), {"$array": {"shape": [101, 100], "dtype": "torch.float32", "first": [0.0] * 10}}),
    (pd.Series([1, 2]), [1, 2]),
    (pd.Series(range(20_000)), {"$array": {"shape": [20_000], "dtype": "int64", "first": list(range(10))}}),
    (pd.Timestamp("2024-01-02"), "2024-01-02T00:00:00"),
    (pd.NaT, None),
    (pd.NA, None),
    (pd.DataFrame({"a": [1, 2], "b": [3, 4]}), {"$table": {"rows": 2, "columns": ["a", "b"]}}),
    (pl.DataFrame({"a": [1, 2]}), {"$table": {"rows": 2, "columns": ["a"]}}),
    (pl.Series([1, 2]), [1, 2]),
    (pa.table({"a": [1, 2]}), {"$table": {"rows": 2, "columns": ["a"]}}),
    (dt.datetime(2024, 1, 2, 3, tzinfo=dt.timezone.utc), "2024-01-02T03:00:00+00:00"),
    (dt.datetime(2024, 1, 2, 3), "2024-01-02T03:00:00"),
    (dt.date(2024, 1, 2), "2024-01-02"),
    (dt.time(3, 4), "03:04:00"),
    (dt.timedelta(minutes=1.5), 90.0),
    (decimal.Decimal("1.10"), "1.10"),
    (fractions.Fraction(1, 3), "1/3"),
    (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    (pathlib.PurePosixPath("/a/b"), "/a/b"),
    (Colour.RED, "red"),
    (Number.ONE, 1),
    (Named.A, "a"),
    (1 + 2j, {"real": 1.0, "imag": 2.0}),
    (b"\x00\xff", {"$bytes": "AP8="}),
    (bytearray(b"a"), {"$bytes": "YQ=="}),
    (memoryview(b"a"), {"$bytes": "YQ=="}),
    (bytes(49_152), {"$bytes": "A" * 65_536}),
    (bytes(49_153), {"$bytes": "A" * 65_536, "length": 49_153}),
    (ValueError("wrong"), {"type": "ValueError", "message": "wrong"}),
    (Data, f"{__name__}.Data"),
    (json.dumps, "json.dumps"),
    (len, "builtins.len"),
    ("a\ud800b", "a\ufffdb"),
    ({"\udfff": "\ud83d\ude00"}, {"\ufffd": "\U0001f600"}),
]


@pytest.mark.parametrize(("value", "expected"), ROWS, ids=lambda value: type(value).__name__)
def test_the_table(value: Any, expected: Any) -> None:
    assert converted(value) == expected


def test_the_old_row_of_keys_keeps_its_order() -> None:
    assert list(converted({"b": 1, "a": 2})) == ["b", "a"]


def test_nothing_is_consumed() -> None:
    lazy = (n for n in range(3))
    stream, mapped, file = itertools.count(), map(str, [1, 2]), io.StringIO("text")
    for value in (lazy, stream, mapped, file):
        assert list(converted({"it": value})["it"]) == ["$repr"]
    assert (list(lazy), next(stream), list(mapped), file.read()) == ([0, 1, 2], 0, ["1", "2"], "text")


plain_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(plain_json)
def test_json_comes_back_as_it_was(value: Any) -> None:
    assert converted(value) == value


@given(
    st.from_type(object)
    | st.text(st.characters())
    | st.binary()
    | st.complex_numbers()
    | st.decimals()
    | st.datetimes()
)
def test_anything_becomes_json(value: Any) -> None:
    converted(value)
