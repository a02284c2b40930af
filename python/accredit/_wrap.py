"""Runs functions of every kind inside a scope: what is entered before and left after, whatever happens between."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import AsyncGenerator, Generator
from typing import Any, Callable, Optional

from accredit._recorder import Action, enter, leave


class Scope:
    """One call that is recorded. Its methods never raise, unless the recorder is strict."""

    #: Whether ending it waits for the disk.
    waits = True

    def __init__(self, action: Action) -> None:
        self.action = action

    def done(self, result: Any) -> None:
        """The call returned."""

    def failed(self, error: BaseException) -> None:
        """The call raised."""


#: Begins a scope for a call with these arguments, or answers ``None`` where nothing is recorded.
Begin = Callable[[tuple[Any, ...], dict[str, Any]], Optional[Scope]]


def wrap(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """The function, recorded."""
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, begin)
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, begin)
    if inspect.isgeneratorfunction(function):
        return _generator(function, begin)
    return _plain(function, begin)


def _plain(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        scope = begin(args, kwargs)
        if scope is None:
            return function(*args, **kwargs)
        token = enter(scope.action)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            scope.failed(error)
            raise
        finally:
            leave(token)
        scope.done(result)
        return result

    return wrapped


def _coroutine(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        scope = begin(args, kwargs)
        if scope is None:
            return await function(*args, **kwargs)
        token = enter(scope.action)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            await _end(scope, scope.failed, error)
            raise
        finally:
            leave(token)
        await _end(scope, scope.done, result)
        return result

    return wrapped


async def _end(scope: Scope, end: Callable[[Any], None], with_: Any) -> None:
    """Ends a scope; what waits for the disk does so in a thread, and the loop goes on."""
    if not scope.waits:
        return end(with_)
    try:
        loop = asyncio.get_running_loop()
        ending = loop.run_in_executor(None, contextvars.copy_context().run, end, with_)
    except RuntimeError:
        # Another library's loop, or one whose threads have ended.
        return end(with_)
    # Cancelled while waiting, the task leaves, and the thread ends the scope nevertheless.
    await asyncio.shield(ending)


def _generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        scope = begin(args, kwargs)
        inner = function(*args, **kwargs)
        if scope is None:
            return (yield from inner)
        resume: Callable[[], Any] = functools.partial(next, inner)
        while True:
            # Entered only while the generator runs: between two values its caller is somewhere else.
            token = enter(scope.action)
            try:
                item = resume()
            except StopIteration as stop:
                result = stop.value
                break
            except BaseException as error:
                scope.failed(error)
                raise
            finally:
                leave(token)
            try:
                sent = yield item
            except GeneratorExit as closed:
                _close(inner, scope, closed)
                raise
            except BaseException as thrown:
                resume = functools.partial(inner.throw, thrown)
            else:
                resume = functools.partial(inner.send, sent)
        scope.done(result)
        return result

    return wrapped


def _close(inner: Generator[Any, Any, Any], scope: Scope, closed: GeneratorExit) -> None:
    token = enter(scope.action)
    try:
        inner.close()
    except BaseException as error:
        scope.failed(error)
        raise
    finally:
        leave(token)
    scope.failed(closed)


def _async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapped(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        scope = begin(args, kwargs)
        inner: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        resume: Callable[[], Any] = inner.__anext__
        while True:
            token = enter(scope.action) if scope else None
            try:
                item = await resume()
            except StopAsyncIteration:
                break
            except BaseException as error:
                if scope:
                    await _end(scope, scope.failed, error)
                raise
            finally:
                if token:
                    leave(token)
            try:
                sent = yield item
            except GeneratorExit as closed:
                await _aclose(inner, scope, closed)
                raise
            except BaseException as thrown:
                resume = functools.partial(inner.athrow, thrown)
            else:
                resume = functools.partial(inner.asend, sent)
        if scope:
            await _end(scope, scope.done, None)

    return wrapped


async def _aclose(inner: AsyncGenerator[Any, Any], scope: Optional[Scope], closed: GeneratorExit) -> None:
    token = enter(scope.action) if scope else None
    try:
        await inner.aclose()
    except BaseException as error:
        if scope:
            scope.failed(error)
        raise
    finally:
        if token:
            leave(token)
    if scope:
        scope.failed(closed)
