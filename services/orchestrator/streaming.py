"""Progress and result of one piece of work as a stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

P = TypeVar("P")
R = TypeVar("R")


class Ended(Generic[R]):
    """The last event of a stream: what the work gave."""

    def __init__(self, result: R) -> None:
        self.result = result


async def events(work: Callable[[Callable[[P], None]], Awaitable[R]]) -> AsyncIterator[P | Ended[R]]:
    """Run the work and yield what it reports, then its result; its error is raised in its place.

    Closing the stream cancels the work, which decides for itself what that means.
    """
    reports: asyncio.Queue[P | None] = asyncio.Queue()
    task = asyncio.ensure_future(work(reports.put_nowait))
    task.add_done_callback(lambda _: reports.put_nowait(None))
    try:
        while (report := await reports.get()) is not None:
            yield report
        yield Ended(task.result())
    finally:
        task.cancel()
        await asyncio.wait({task})
