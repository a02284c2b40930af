"""Takes values apart that JSON has no word for, one level at a time.

The native module calls :func:`plain` for whatever is none of ``None``, ``bool``, ``int``, ``float``, ``str``, ``dict``,
``list`` and ``tuple`` themselves. Answering the value itself means that it is not known; then its ``repr`` stands for it.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import os
import uuid
from collections.abc import Iterable, Mapping, Set
from typing import Any

#: Elements of an array that are written out; of a larger one its shape and its first elements are.
ARRAY_ELEMENTS_MAX = 10_000


def plain(value: Any) -> Any:
    """The value as something plainer, or itself where it is not known."""
    if isinstance(value, enum.Enum):
        return value.value
    # Subclasses of the plain types, and numpy's scalars that are ones.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (uuid.UUID, decimal.Decimal)):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(os.fspath(value))
    if isinstance(value, complex):
        return {"real": value.real, "imag": value.imag}
    if isinstance(value, BaseException):
        return {"type": type(value).__name__, "message": str(value)}
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return _structure(value)


def _structure(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if hasattr(value, "_asdict") and isinstance(value, tuple):
        return dict(value._asdict())
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return _in_order(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    kind = type(value)
    if callable(getattr(kind, "model_dump", None)):
        return value.model_dump()
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name, None) for field in kind.__attrs_attrs__}
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _array(value)
    if hasattr(value, "to_dict") and callable(value.to_dict) and hasattr(value, "columns"):
        return {"$table": {"rows": len(value), "columns": [str(name) for name in value.columns]}}
    if isinstance(value, range) and len(value) > ARRAY_ELEMENTS_MAX:
        return repr(value)
    if isinstance(value, Iterable) and type(value).__name__ in ("deque", "dict_keys", "dict_values", "range"):
        return list(value)
    return value


def _in_order(values: Iterable[Any]) -> list[Any]:
    """The members of a set in an order that does not change from run to run."""
    from accredit._native import to_json

    return [member for _, member in sorted(((to_json(member), member) for member in values), key=lambda pair: pair[0])]


def _array(value: Any) -> Any:
    """A numpy scalar or array, a tensor, a series."""
    size = getattr(value, "size", 1)
    size = size() if callable(size) else size
    if isinstance(size, int) and size > ARRAY_ELEMENTS_MAX:
        shape = [int(length) for length in value.shape]
        first = value.reshape(-1)[:10].tolist()
        return {"$array": {"shape": shape, "dtype": str(value.dtype), "first": first}}
    made = value.tolist()
    # A scalar of a type that Python lacks answers itself.
    return made if made is not value else str(value)


def loads(text: str) -> Any:
    """The value of JSON text that the native module wrote."""
    return json.loads(text)
