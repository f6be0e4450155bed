"""Holds the RPC to its caller's budget, and makes the call known to the servicer."""

import asyncio
import time
from typing import Any

from services import errors
from services.chassis.call import Call, enter_call, leave_call
from services.chassis.interceptors.rpc import Rpc

# What cannot be answered within a millisecond is refused unread.
LEAST_S = 0.001
# The part of the budget kept back so that our own DEADLINE_EXCEEDED, with its details, still arrives.
RESERVE = 0.05
MAX_RESERVE_S = 0.02


class Deadline:
    """Ends the servicer's work when the budget is spent. A unary call without a budget gets the service's default."""

    def __init__(self, default_s: float) -> None:
        self._default_s = default_s

    def enter(self, rpc: Rpc) -> None:
        """Start the clock and make the call current. Raises DeadlineExceeded when the budget is spent already."""
        budget: float | None = rpc.context.time_remaining()
        if budget is None and not rpc.method.streams:
            budget = self._default_s
        if budget is not None:
            if budget < LEAST_S:
                raise errors.DeadlineExceeded("the deadline had passed when the call arrived")
            rpc.deadline = time.monotonic() + budget - min(MAX_RESERVE_S, budget * RESERVE)
            task = asyncio.current_task()
            rpc.timer = asyncio.get_running_loop().call_at(rpc.deadline, _expire, rpc, task)
        rpc.call_token = enter_call(
            Call(
                rpc.tenant,
                rpc.plant,
                rpc.principal,
                rpc.request_id,
                rpc.language,
                rpc.deadline,
                rpc.headers.get("authorization", ""),
                rpc.traceparent,
            )
        )

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:
        """Stop the clock; what it ended is DeadlineExceeded."""
        if rpc.call_token is not None:
            leave_call(rpc.call_token)
        if rpc.timer is not None:
            rpc.timer.cancel()
        if not rpc.expired:
            return error
        task = asyncio.current_task()
        others = task.uncancel() if task is not None else 0
        if isinstance(error, asyncio.CancelledError) and not others:
            return errors.DeadlineExceeded("the work did not end in time")
        return error


def _expire(rpc: Rpc, task: asyncio.Task[Any] | None) -> None:
    rpc.expired = True
    if task is not None:
        task.cancel()
