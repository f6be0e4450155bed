"""How published files write times: a small, strict subset of strftime's directives."""

import re
from collections.abc import Sequence
from datetime import datetime

_DIRECTIVES = {
    "%Y": r"(?P<year>\d{4})",
    "%m": r"(?P<month>\d{1,2})",
    "%d": r"(?P<day>\d{1,2})",
    "%H": r"(?P<hour>\d{1,2})",
    "%M": r"(?P<minute>\d{2})",
    "%S": r"(?P<second>\d{2})",
}
# What databases, zone rules and people agree on.
_YEARS = range(1970, 2101)


def compile_format(written: str) -> re.Pattern[str]:
    """Compile a format such as `%d/%m/%Y %H:%M`. Raises ValueError where it is not understood or names no date.

    Strict where strptime is generous (any run of blanks, any digits), and several times faster.
    """
    parts = re.split(r"(%.?)", written)
    try:
        pattern = "".join(_DIRECTIVES[part] if part.startswith("%") else re.escape(part) for part in parts)
        compiled = re.compile(pattern, re.ASCII)
    except KeyError as unknown:
        raise ValueError(f"{written!r}: {unknown.args[0]} is none of {', '.join(_DIRECTIVES)}") from None
    except re.error:
        raise ValueError(f"{written!r} names the same part twice") from None
    if not {"year", "month", "day"} <= set(compiled.groupindex):
        raise ValueError(f"{written!r} needs %Y, %m and %d")
    return compiled


def read(written: str, formats: Sequence[re.Pattern[str]]) -> datetime | None:
    """Read a wall time (without a zone) by the first format that fits; None where none does or no such time exists."""
    for pattern in formats:
        match = pattern.fullmatch(written)
        if match is None:
            continue
        try:
            found = datetime(**{name: int(digits) for name, digits in match.groupdict().items()})  # type: ignore[arg-type] # noqa: DTZ001 - a wall time
        except ValueError:
            return None
        return found if found.year in _YEARS else None
    return None
