"""Opening a recorder."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from typing import Any, Optional, Union

from accredit import _native
from accredit._recorder import Recorder, register

PathLike = Union[str, "os.PathLike[str]"]


def open(  # noqa: A001
    path: PathLike = "accredit.db",
    *,
    strict: bool = False,
    read_only: bool = False,
    config: Optional[Union[str, dict[str, Any]]] = None,
) -> Recorder:
    """Open a store in this process.

    ``path`` is a file, made where there is none; ``":memory:"`` is a store of its own that is gone when the recorder is
    closed. ``strict`` raises what is refused, for tests; otherwise recording never raises. ``read_only`` looks into a store
    that another process writes to. ``config`` is the text of a configuration file (TOML), or a dict with its keys.

    Raises :class:`StoreError` or :class:`UnavailableError` where the store cannot be opened, and :class:`RefusedError` where
    the configuration does not fit.
    """
    text = config if isinstance(config, str) else _toml(config or {})
    if os.fspath(path) != ":memory:":
        return register(Recorder(_native.Recorder.open(path, text, strict, read_only)))
    folder = tempfile.mkdtemp(prefix="accredit-")
    try:
        recorder = Recorder(_native.Recorder.open(os.path.join(folder, "memory.db"), text, strict, False))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    recorder._at_close = weakref.finalize(recorder, _remove, folder, os.getpid())
    return register(recorder)


def _remove(folder: str, pid: int) -> None:
    """A forked child leaves its parent's folder alone."""
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


def _toml(keys: dict[str, Any], prefix: str = "") -> str:
    """A dict as TOML: strings, booleans, numbers, tables and lists of tables."""
    lines, tables = [], []
    for key, value in keys.items():
        if isinstance(value, dict):
            tables.append(f"[{prefix}{key}]\n{_toml(value, f'{prefix}{key}.')}")
        elif isinstance(value, list):
            tables.extend(f"[[{prefix}{key}]]\n{_toml(item, f'{prefix}{key}.')}" for item in value)
        else:
            lines.append(f"{key} = {_native.to_json(value)}")
    return "\n".join([*lines, *tables]) + "\n"
