"""Opening a recorder."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from typing import Any, Optional, Union

from accredit import _native
from accredit._recorder import Recorder, close_in_children, register

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
    return open_with(path, strict, read_only, config, None)


def open_with(
    path: PathLike,
    strict: bool,
    read_only: bool,
    config: Optional[Union[str, dict[str, Any]]],
    block: Optional[float],
) -> Recorder:
    """The same; ``block`` is how many seconds a recording call waits for room."""
    text = config if isinstance(config, str) else _toml(config or {})
    if os.fspath(path) != ":memory:":
        recorder = Recorder(_native.Recorder.open(path, text, strict, read_only, block=block))
        recorder._path = os.path.abspath(path)
        return register(recorder)
    folder = tempfile.mkdtemp(prefix="accredit-")
    try:
        recorder = Recorder(_native.Recorder.open(os.path.join(folder, "memory.db"), text, strict, False, block=block))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    recorder._at_close = weakref.finalize(recorder, _remove, folder, os.getpid())
    return register(recorder)


def connect(
    url: str,
    *,
    key: Optional[str] = None,
    strict: bool = False,
    spool: Optional[PathLike] = None,
    spool_bytes_max: Optional[int] = None,
    timeout: float = 10.0,
) -> Recorder:
    """Record to a server, such as ``http://127.0.0.1:7117``; what it answers is as of a store in this process.

    The server need not be there: what is recorded while it is away waits on disk, below the folder ``spool`` (by default one
    for each server in the user's state folder), and is sent by itself, in order, once; also by the next process that
    connects to it. There it takes ``spool_bytes_max`` bytes at most (256 MiB unless said otherwise); beyond, recording is
    refused and counted. ``key`` is sent as a bearer token. ``timeout`` is how many seconds an answer may take before the
    server counts as away. ``strict`` raises what is refused, for tests; otherwise recording never raises.

    After a fork the child goes on by itself: it has its own buffer, connections and spool, and nothing is sent twice.

    Raises :class:`RefusedError` where an argument cannot be used, and :class:`UnavailableError` where the spool cannot.
    """
    return connect_with(url, key, strict, spool, spool_bytes_max, timeout, None)


def connect_with(
    url: str,
    key: Optional[str],
    strict: bool,
    spool: Optional[PathLike],
    spool_bytes_max: Optional[int],
    timeout: float,
    block: Optional[float],
) -> Recorder:
    """The same; ``block`` is how many seconds a recording call waits for room."""
    native = _native.Recorder.connect(url, key, strict, spool, spool_bytes_max, timeout, block=block)
    recorder = register(Recorder(native))
    close_in_children()
    return recorder


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
