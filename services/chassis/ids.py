"""UUIDv7 (RFC 9562): sortable by time of birth, so that indexes grow at one end."""

import itertools
import secrets
from uuid import UUID

from services.chassis.clock import Clock

_SEQUENCE_BITS = 26
_RANDOM_BITS = 48
# Ids born in the same millisecond of one process stay in order: a counter follows the time. It is state of the
# process and not of a clock, because two clocks in one process must not hand out the same id either.
_SEQUENCE = itertools.count()


def uuid7(milliseconds: int, sequence: int, random: int) -> UUID:
    """Assemble a UUIDv7 from Unix time in milliseconds, a 26-bit sequence and 48 random bits."""
    sequence &= (1 << _SEQUENCE_BITS) - 1
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 7 << 76  # version
    value |= (sequence >> 14) << 64
    value |= 0b10 << 62  # variant
    value |= (sequence & ((1 << 14) - 1)) << _RANDOM_BITS
    value |= random & ((1 << _RANDOM_BITS) - 1)
    return UUID(int=value)


def new_id(clock: Clock) -> str:
    """Return a new id: lower case hex with dashes, 36 characters, sortable by the clock's time."""
    milliseconds = int(clock.now().timestamp() * 1000)
    return str(uuid7(milliseconds, next(_SEQUENCE), secrets.randbits(_RANDOM_BITS)))
