"""Ways to a neighbour: in process or over a socket, behind the one interface that generated stubs accept."""

from typing import Protocol

import grpc


class Channels(Protocol):
    """Where a composition root gets its neighbours."""

    def channel(self, service: str) -> grpc.aio.Channel:
        """Return the way to a service by its short name, such as "router"; stubs take it as they take any channel."""
        ...
