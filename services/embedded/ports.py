"""Standard ports where they are free, others where they are not."""

import contextlib
import errno
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from services.embedded.failure import StackError
from services.embedded.table import ADMIN_PORT, EDGE_PORT, HEALTH_OFFSET, METRICS_OFFSET, SIX

# We listen on the first. The second must be nobody else's either: clients try it first for "localhost".
_ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_TRIES = 200
_OF_A_SERVICE = (0, HEALTH_OFFSET, METRICS_OFFSET)


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one stack. `moved` tells, for people, which are not the standard ones."""

    edge: int
    admin: int
    services: Mapping[str, int]
    moved: tuple[str, ...] = ()


def all_free(ports: Ports) -> bool:
    """Whether nobody listens on any of them."""
    groups = (_group(port, _OF_A_SERVICE) for port in ports.services.values())
    return all(_free(port) for port in (ports.edge, ports.admin, *chain.from_iterable(groups)))


def choose() -> Ports:
    """Find a free port for everything that listens. Raises StackError when there are none."""
    taken: set[int] = set()
    moved: list[str] = []

    def one(name: str, standard: int, offsets: tuple[int, ...]) -> int:
        for port in _candidates(standard):
            group = _group(port, offsets)
            if not group & taken and all(_free(each) for each in group):
                taken.update(group)
                if port != standard:
                    moved.append(f"{name}: port {standard} is taken, using {port}")
                return port
        raise StackError(f"There is no free port near {standard} for {name}. Stop what listens there.")

    edge = one("envoy", EDGE_PORT, (0,))
    admin = one("envoy admin", ADMIN_PORT, (0,))
    services = {row.name: one(row.name, row.port, _OF_A_SERVICE) for row in SIX}
    return Ports(edge, admin, services, tuple(moved))


def _candidates(standard: int) -> Iterator[int]:
    """Yield the standard port, then others that keep clear of the standard ports of the rest."""
    yield standard
    yield from range(standard + 101, standard + 101 + _TRIES)


def _group(port: int, offsets: tuple[int, ...]) -> set[int]:
    return {port + offset for offset in offsets}


def _free(port: int) -> bool:
    return not any(_taken(family, host, port) for family, host in _ADDRESSES)


def _taken(family: socket.AddressFamily, host: str, port: int) -> bool:
    # Without SO_REUSEPORT, which would let two stacks share a port and each get half of the calls.
    try:
        with contextlib.closing(socket.socket(family)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as refused:
        return refused.errno in (errno.EADDRINUSE, errno.EACCES)  # anything else: no such address here
    return False
