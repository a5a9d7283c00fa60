"""Calling asynchronous code from elsewhere: from a thread, from another event loop, from a program without one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from stead.adapters.errors import AdapterArgumentInvalid, AdapterClosed

T = TypeVar("T")


class HomeLoop:
    """The event loop that an adapter's connections belong to: no other may use them.

    Args:
        loop: The loop; it has to be running whenever something is called.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @classmethod
    def running(cls) -> HomeLoop:
        """The loop that runs here.

        Raises:
            AdapterArgumentInvalid: None does.
        """
        try:
            return cls(asyncio.get_running_loop())
        except RuntimeError:
            raise AdapterArgumentInvalid(
                "home: there is no event loop here, and none was given",
                hint="Make it in a coroutine, or open it with a loop of its own.",
            ) from None

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Awaits ``work``, there if this is another loop.

        Raises:
            AdapterClosed: The loop does not run any more.
        """
        if asyncio.get_running_loop() is self._loop:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._alive(work)))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Blocks this thread until ``work`` is done there.

        Raises:
            asyncio.InvalidStateError: This is that loop's own thread, which would wait for itself.
            AdapterClosed: The loop does not run any more.
        """
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            work.close()
            raise asyncio.InvalidStateError(
                "this would block the event loop that it waits for: await the method whose name begins with a, "
                "or call this one from another thread"
            )
        future = asyncio.run_coroutine_threadsafe(work, self._alive(work))
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _alive(self, work: Coroutine[Any, Any, Any]) -> asyncio.AbstractEventLoop:
        if not self._loop.is_running():
            work.close()
            raise AdapterClosed("the event loop that the connections belong to does not run any more")
        return self._loop


class LoopThread:
    """An event loop in a thread of its own, for programs that have none. Use it in a ``with`` block."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="stead-adapter", daemon=True)

    def __enter__(self) -> HomeLoop:
        started = threading.Event()
        self._loop.call_soon(started.set)
        self._thread.start()
        started.wait()
        return HomeLoop(self._loop)

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
