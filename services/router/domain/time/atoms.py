"""The smallest pieces of time that can be said: a span, a date, or a part of a day that waits for its day."""

from dataclasses import dataclass

from services.router.domain.time.spans import Calendar, Span


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day. `said_half` is True when it was said which half of the day is meant."""

    hour: int
    minute: int = 0
    said_half: bool = True
    whole_hour: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a day, from and to an hour; 24 and more belong to the next day."""

    start_hour: int
    end_hour: int


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece of time at `start:end` of the reading."""

    start: int
    end: int
    what: Span | Calendar | Clock | Part
