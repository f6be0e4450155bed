"""Time that work gets whatever its caller allowed."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace

from services.chassis.call import call_scope, current_call


class CallBudget:
    """A `Budget` over the call that is being served: the same person, another deadline."""

    @contextlib.contextmanager
    def lend(self, seconds: float) -> Iterator[None]:
        """Give calls to neighbours inside the block this long."""
        with call_scope(replace(current_call(), deadline=time.monotonic() + seconds)):
            yield
