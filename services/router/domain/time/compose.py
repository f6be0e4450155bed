"""Puts pieces of time together: 어제 + 오전, 8월 1일 + 15일까지, since + Monday. Gives the periods of an utterance."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.router.domain.catalogue import Shift
from services.router.domain.lexicon import Mention
from services.router.domain.shifts import around
from services.router.domain.time.atoms import Atom, Clock, Part
from services.router.domain.time.english import english_atoms
from services.router.domain.time.korean import korean_atoms
from services.router.domain.time.spans import Calendar, Now, Span, Unit, day_span, iso, named

_ATTACHED = re.compile(r"[ ,의에\[\]()]{0,3}(?:날 )?|(?: (?:in|at|on|during|from|between|of))? (?:the )?")
_RANGE = re.compile(r" ?(?:부터|에서|~|–|-|—) ?(?:for )?(?:the )?| (?:to|until|till|through|thru|up to)(?: the)? ?")
_BETWEEN_AND = re.compile(r" and (?:the )?|[와과] ?|하고 ?")
_LIST = re.compile(
    r" ?(?:,|와|과|랑|이랑|하고|및|&|/|대비|vs\.?|versus|보다)[ ]?(?:의 )?|(?:[ ,]+(?:and|vs\.?|versus|or|with"
    r"|against|to|than|compared to|compared with|from))(?: the| in)? "
)
_SINCE_AFTER = re.compile(r" ?(?:부터|이후|이래|들어서?|이후로)(?!는? ?(?:며칠|얼마))")
_SINCE_BEFORE = re.compile(
    r"\b(?:since|after|starting|starting from|as of|from)(?: the)?(?: start of| beginning of)? $"
)
_FROM_BEFORE = re.compile(r"\b(?:from|between)(?: the)? $")
_BETWEEN_BEFORE = re.compile(r"\bbetween(?: the)? $")
_UNTIL_AFTER = re.compile(r" ?까지")
_UNTIL_BEFORE = re.compile(r"\b(?:until|till|by|through|before)(?: the)?(?: end of)? $")
_AFTER_CLOCK = re.compile(r" ?(?:이후|넘어서|지나서)")
_LOOK_BACK = 24
_DAY = timedelta(days=1)
# A calendar span of one of these may take a part, a clock time or a shift.
_DAY_UNITS = frozenset({Unit.DAY})


@dataclass(frozen=True, slots=True)
class Period:
    """A period at `start:end` of the reading. `compared` says that "대비", "보다" or "than" follows it."""

    span: Span
    start: int
    end: int
    compared: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    span: Span
    start: int
    end: int
    said: Calendar | Clock | None = None


_COMPARED_AFTER = re.compile(r"(?:['’]s)? ?(?:에 비해|과 비교|와 비교|하고 비교|랑 비교|이랑 비교|대비|보다|에 비하면)")
_COMPARED_BEFORE = re.compile(
    r"\b(?:than|versus|vs\.?|compared to|compared with|against|relative to|over|from)(?: the)? $"
)


def find_periods(text: str, mentions: Sequence[Mention], now: Now, shifts: Sequence[Shift]) -> list[Period]:
    """Return the periods of a reading from left to right, each once, as local spans."""
    pieces = list(_pieces(text, _longest(_atoms(text, mentions, now, shifts)), now))
    periods: list[Period] = []
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        after = pieces[at + 1] if at + 1 < len(pieces) else None
        if after is not None and _is_range(text, piece, after):
            periods.append(Period(_range(piece, after, now), piece.start, _with_until(text, after.end)))
            at += 2
            continue
        periods.append(_single(text, piece, now))
        at += 1
    once: dict[str, Period] = {}
    for period in periods:
        once.setdefault(period.span.label, period)
    return list(once.values())


def _atoms(text: str, mentions: Sequence[Mention], now: Now, shifts: Sequence[Shift]) -> Iterator[Atom]:
    for mention in mentions:
        if mention.kind == "period":
            span = around(mention.value, shifts, now) or named(mention.value, now)
            yield Atom(mention.start, mention.end, span)
    # The morning of "every morning" is no period, nor are Monday and the morning of "매주 월요일 아침".
    schedules = [(m.start, m.end) for m in mentions if m.kind == "schedule"]
    for atom in sorted((*korean_atoms(text, now), *english_atoms(text, now)), key=lambda a: (a.start, -a.end)):
        if any(atom.start <= end + 1 and start < atom.end for start, end in schedules):
            schedules.append((atom.start, atom.end))
        else:
            yield atom


def _longest(atoms: Iterable[Atom]) -> list[Atom]:
    taken: list[Atom] = []
    for atom in sorted(atoms, key=lambda a: (a.start - a.end, a.start)):
        if all(atom.end <= t.start or t.end <= atom.start for t in taken):
            taken.append(atom)
    return sorted(taken, key=lambda a: a.start)


def _pieces(text: str, atoms: list[Atom], now: Now) -> Iterator[_Piece]:
    """Resolve each atom, hanging parts and clock times on the day beside them."""
    atoms = _years_shared(text, atoms)
    ready: list[_Piece] = []
    for i, atom in enumerate(atoms):
        what = atom.what
        if isinstance(what, Span):
            ready.append(_Piece(what, atom.start, atom.end))
        elif isinstance(what, Calendar):
            span = _resolved(what, now)
            if span is not None:
                ready.append(_Piece(span, atom.start, atom.end, what))
        else:
            day, start, joined = _day_beside(text, atom, ready, atoms[i + 1 :], now)
            if joined:
                ready.pop()
            if isinstance(what, Part):
                ready.append(_Piece(_part(what, day, now, stated=joined), start, atom.end))
            else:
                ready.append(_Piece(_clock(what, day, ready, text, atom), start, atom.end, what))
    yield from ready


def _resolved(said: Calendar, now: Now) -> Span | None:
    try:
        return said.resolve(now)
    except ValueError:  # 2월 30일
        return None


def _years_shared(text: str, atoms: list[Atom]) -> list[Atom]:
    """Let a date without a year or month take its neighbour's: 2018년 1월부터 3월, 1 March to 15 March 2018."""
    shared = list(atoms)
    order = [*range(1, len(atoms)), *range(len(atoms) - 2, -1, -1)]
    for i in order:
        for j in (i - 1, i + 1):
            if not 0 <= j < len(shared):
                continue
            here, there = shared[i].what, shared[j].what
            gap = text[min(shared[i].end, shared[j].end) : max(shared[i].start, shared[j].start)]
            if isinstance(here, Calendar) and isinstance(there, Calendar) and _joined(gap):
                if here.year is None and there.year is not None:
                    # "2025년 11월부터 1월까지" ends in the year after.
                    next_year = j < i and _RANGE.fullmatch(gap) and (here.month or 12) < (there.month or 0)
                    here = replace(here, year=there.year + bool(next_year))
                if j < i and here.month is None and here.day and there.month and there.day:
                    here = replace(here, month=there.month)
                shared[i] = replace(shared[i], what=here)
    return shared


def _joined(gap: str) -> bool:
    return bool(_RANGE.fullmatch(gap) or _LIST.fullmatch(gap) or _BETWEEN_AND.fullmatch(gap) or gap == " ")


def _day_beside(text: str, atom: Atom, before: list[_Piece], after: list[Atom], now: Now) -> tuple[Span, int, bool]:
    if before and before[-1].span.unit in _DAY_UNITS and _ATTACHED.fullmatch(text, before[-1].end, atom.start):
        return before[-1].span, before[-1].start, True
    if after and text[atom.end : after[0].start] in {" of ", " on ", " "}:
        what = after[0].what
        span = _resolved(what, now) if isinstance(what, Calendar) else what
        if isinstance(span, Span) and span.unit in _DAY_UNITS:
            return span, atom.start, False
    for piece in reversed(before):
        if isinstance(piece.said, Clock) or piece.span.unit in {Unit.DAY, Unit.CLOCK, Unit.PART}:
            return day_span(datetime.combine(piece.span.day, datetime.min.time())), atom.start, False
    return day_span(now.midnight, "today"), atom.start, False


def _part(part: Part, day: Span, now: Now, *, stated: bool) -> Span:
    start = day.start + timedelta(hours=part.start_hour)
    end = day.start + timedelta(hours=part.end_hour)
    if not stated and not now.future and start >= now.local:
        start, end = start - _DAY, end - _DAY
    return Span(start, end, iso(start, end), Unit.PART)


def _clock(clock: Clock, day: Span, before: list[_Piece], text: str, atom: Atom) -> Span:
    hour = clock.hour
    previous = before[-1] if before else None
    if (
        not clock.said_half
        and previous is not None
        and isinstance(previous.said, Clock)
        and previous.span.start.hour >= 12 > hour  # noqa: PLR2004 - noon
        and previous.said.hour - 12 < hour
        and _RANGE.fullmatch(text, previous.end, atom.start)
    ):
        hour += 12  # "오후 1시부터 5시까지"
    start = day.start + timedelta(hours=hour, minutes=clock.minute)
    end = start + timedelta(hours=1)
    return Span(start, end, iso(start, end), Unit.CLOCK)


def _is_range(text: str, left: _Piece, right: _Piece) -> bool:
    if _RANGE.fullmatch(text, left.end, right.start):
        return True
    return bool(
        (_BETWEEN_BEFORE.search(text, max(0, left.start - _LOOK_BACK), left.start))
        and _BETWEEN_AND.fullmatch(text, left.end, right.start)
        and not _of_kind(left, right)
    ) or bool(
        re.match(r" ?(?:사이|동안)", text[right.end : right.end + 4])
        and _BETWEEN_AND.fullmatch(text, left.end, right.start)
    )


def _of_kind(left: _Piece, right: _Piece) -> bool:
    """Say whether "between X and Y" compares rather than spans: names of weeks and months do, dates and times span."""
    return left.said is None and right.said is None


def _range(left: _Piece, right: _Piece, now: Now) -> Span:
    start = left.span.start
    end = right.span.start if isinstance(right.said, Clock) else right.span.end
    if right.span.unit is Unit.ROLLING:
        end = right.span.end
    if isinstance(left.said, Clock) and isinstance(right.said, Clock) and end <= start:
        end += _DAY
    if end <= start and isinstance(right.said, Calendar) and right.said.year is None:
        # "12월부터 2월까지": the first end belongs to the year before.
        moved = _resolved(replace(right.said, year=start.year + 1), now)
        end = moved.end if moved is not None else end
    if end <= start:
        start, end = right.span.start, left.span.end
    if right.span.label == "today" and not now.future:
        end = max(min(end, now.local), start + timedelta(minutes=1))
    return Span(start, end, iso(start, end), Unit.RANGE)


def _single(text: str, piece: _Piece, now: Now) -> Period:
    span = piece.span
    head = max(0, piece.start - _LOOK_BACK)
    since_before = _SINCE_BEFORE.search(text, head, piece.start)
    since_after = _SINCE_AFTER.match(text, piece.end)
    start = since_before.start() if since_before else piece.start
    if (since_before or since_after) and span.unit is not Unit.ROLLING:
        since = span.point or span.start
        if since < now.local:
            end = piece.end + (len(since_after[0]) if since_after else 0)
            return Period(Span(since, now.local, iso(since, now.local), Unit.RANGE), start, end)
    until_before = _UNTIL_BEFORE.search(text, head, piece.start)
    if (until_before or _UNTIL_AFTER.match(text, piece.end)) and span.end > now.local and now.future:
        begin = until_before.start() if until_before else piece.start
        return Period(
            Span(now.local, span.end, iso(now.local, span.end), Unit.RANGE), begin, _with_until(text, piece.end)
        )
    compared = bool(_COMPARED_AFTER.match(text, piece.end) or _COMPARED_BEFORE.search(text, head, piece.start))
    return Period(span, piece.start, piece.end, compared)


def _with_until(text: str, end: int) -> int:
    found = _UNTIL_AFTER.match(text, end)
    return found.end() if found else end
