"""Takes values apart that JSON has no word for, one level at a time.

The native module calls :func:`plain` for whatever is none of ``None``, ``bool``, ``int``, ``float``, ``str``, ``dict``,
``list``, ``tuple``, ``set`` and ``frozenset``. Answering the value itself means that it is not known; then its ``repr`` stands
for it. What is asked of a value is asked of its class, so that objects which have every attribute, as mocks do, are not taken
for something they are not.
"""

from __future__ import annotations

import array
import base64
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import itertools
import json
import os
import pathlib
import types
import uuid
from collections.abc import Iterable, Mapping, Set
from typing import Any

#: Elements of an array that are written out; of a larger one its shape and its first elements are.
ARRAY_ELEMENTS_MAX = 10_000
#: Bytes that are written out: more than is kept of a text.
BYTES_MAX = 48 << 10
#: Members of a mapping or set of an unknown class that are looked at.
MEMBERS_MAX = 1_000_000

_TEXT = (uuid.UUID, decimal.Decimal, fractions.Fraction)
_TIMES = (datetime.datetime, datetime.date, datetime.time)
_NAMED: tuple[Any, ...] = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_VIEWS: tuple[type[Iterable[Any]], ...] = (type({}.keys()), type({}.values()), type({}.items()), collections.deque)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(value: Any) -> Any:
    """The value as something plainer, or itself where it is not known."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(value)
    if isinstance(value, _TIMES):
        # pandas' "not a time" is one.
        return value.isoformat() if value == value else None
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, _TEXT):
        return str(value)
    if isinstance(value, (pathlib.PurePath, os.DirEntry)):
        return os.fsdecode(value)
    if isinstance(value, complex):
        return {"real": value.real, "imag": value.imag}
    if isinstance(value, BaseException):
        return {"type": type(value).__name__, "message": _said(value)}
    if isinstance(value, _NAMED):
        return f"{value.__module__}.{value.__qualname__}"
    return _structure(value)


def _structure(value: Any) -> Any:
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        return _fields(value, (field.name for field in dataclasses.fields(kind)))
    if isinstance(value, tuple):
        return _fields(value, kind._fields) if hasattr(kind, "_fields") else list(tuple.__iter__(value))
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    if (
        callable(getattr(kind, "model_dump", None))
        or hasattr(kind, "__pydantic_model__")
        or hasattr(kind, "__fields__")
    ):
        return _model(value)
    if hasattr(kind, "__attrs_attrs__"):
        return _fields(value, (field.name for field in kind.__attrs_attrs__))
    if hasattr(kind, "__struct_fields__"):
        return _fields(value, kind.__struct_fields__)
    if isinstance(value, _VIEWS):
        return list(value)
    if isinstance(value, range):
        return list(value) if len(value) <= ARRAY_ELEMENTS_MAX else _large((len(value),), "range", value)
    return _container(value)


def _container(value: Any) -> Any:
    kind = type(value)
    if hasattr(kind, "dtype") and (hasattr(kind, "tolist") or hasattr(kind, "to_list") or hasattr(kind, "numpy")):
        return _array(value)
    if isinstance(value, array.array):
        return value.tolist() if len(value) <= ARRAY_ELEMENTS_MAX else _large((len(value),), value.typecode, value)
    if hasattr(kind, "column_names") and hasattr(kind, "num_rows"):
        return {"$table": {"rows": value.num_rows, "columns": list(value.column_names)}}
    if hasattr(kind, "columns") and hasattr(kind, "to_dict"):
        return {"$table": {"rows": len(value), "columns": [str(name) for name in value.columns]}}
    if isinstance(value, Mapping):
        return {key: value[key] for key in itertools.islice(iter(value), MEMBERS_MAX)}
    if isinstance(value, Set):
        return frozenset(itertools.islice(iter(value), MEMBERS_MAX))
    if kind.__name__ in ("NAType", "NaTType"):
        return None
    return value


def _fields(value: Any, names: Any) -> dict[str, Any]:
    return {name: getattr(value, name, None) for name in names}


def _model(value: Any) -> Any:
    """A pydantic model of either version; where its own code fails, what it stores."""
    dump = getattr(value, "model_dump", None) or getattr(value, "dict", None)
    try:
        return dump()  # type: ignore[misc]
    except Exception:
        return dict(vars(value))


def _bytes(value: Any) -> Any:
    length = value.nbytes if isinstance(value, memoryview) else len(value)
    if length <= BYTES_MAX:
        return {"$bytes": base64.b64encode(bytes(value)).decode("ascii")}
    first = value[:1].tobytes() if isinstance(value, memoryview) and value.ndim != 1 else bytes(value[:BYTES_MAX])
    return {"$bytes": base64.b64encode(first[:BYTES_MAX]).decode("ascii"), "length": length}


def _array(value: Any) -> Any:
    """A numpy scalar or array, a tensor, a series."""
    dtype = value.dtype
    shape = tuple(int(length) for length in getattr(value, "shape", ()))
    size = 1
    for length in shape:
        size *= length
    if size > ARRAY_ELEMENTS_MAX:
        return _large(shape, dtype, value)
    if getattr(dtype, "kind", "") in ("m", "M") and hasattr(value, "astype"):
        # Python's own times lack nanoseconds, and numpy answers a bare number in their place.
        value = value.astype(str)
    kind = type(value)
    if hasattr(kind, "tolist"):
        made = value.tolist()
    elif hasattr(kind, "to_list"):
        made = value.to_list()
    else:
        made = value.numpy().tolist()
    # A scalar of a type that Python lacks answers itself.
    return made if type(made) is not kind else str(value)


def _large(shape: tuple[int, ...], dtype: Any, value: Any) -> Any:
    """What stands for an array that is not written out."""
    first = value
    for _ in shape[1:]:
        first = first[0]
    return {"$array": {"shape": list(shape), "dtype": str(dtype), "first": list(itertools.islice(iter(first), 10))}}


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as other:
        return f"<{type(other).__name__} in __str__>"


def loads(text: str) -> Any:
    """The value of JSON text that the native module wrote."""
    return json.loads(text)


def instant(micros: int) -> datetime.datetime:
    """The moment this many microseconds after 1970 began."""
    return _EPOCH + datetime.timedelta(microseconds=micros)
