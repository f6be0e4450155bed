"""How sure a judgment is: 0.4 x match strength + 0.3 x data quality + 0.3 x history.

The weights are those of the design, not fitted on feedback: a judgment says `calibrated = false`. History has no
feedback to go by yet and counts as 0.75, which the design blends in for that case.

- Match strength, 0.5 to 1: how far the figures lie from where the verdict would turn. Against a target, 20 % of the
  target away from the nearest limit is full strength; side by side, a gap of 10 % between the two nearest to the
  decision. A rule either fires or not: full strength.
- Data quality, 0 to 1: 0.7 for stale data, 0.8 for a truncated table, the part of rows that have a figure, and from 0.6
  with no row of the data set behind the figures up to 1 with thirty.

Without any figure the confidence is 0.
"""

from collections.abc import Sequence

from services.judgment.domain.model import Figures, RuleVerdict
from services.judgment.domain.rows import Arranged
from services.judgment.domain.severity import bounds

HISTORY = 0.75
_FAR = 0.2
_APART = 0.1
_MANY_ROWS = 30


def confidence(arranged: Arranged, figures: Figures, rules: Sequence[RuleVerdict | None]) -> float:
    """Return the confidence, 0 to 1, rounded to three decimals."""
    values = [row.value for row in arranged.rows if row.value is not None]
    if not values:
        return 0.0
    quality = len(values) / len(arranged.rows)
    quality *= 0.7 if figures.stale else 1
    quality *= 0.8 if figures.truncated else 1
    quality *= 0.6 + 0.4 * min(1.0, arranged.row_count / _MANY_ROWS)
    return round(0.4 * _strength(arranged, values, rules) + 0.3 * quality + 0.3 * HISTORY, 3)


def _strength(arranged: Arranged, values: list[float], rules: Sequence[RuleVerdict | None]) -> float:
    if any(verdict is not None and verdict.hits for verdict in rules):
        return 1.0
    limits = bounds(arranged.metric)
    if limits is not None:
        scale = abs(limits[0]) or 1.0
        nearest = min(abs(value - limit) / scale for value in values for limit in limits)
        return 0.5 + 0.5 * min(1.0, nearest / _FAR)
    if len(values) > 1:
        first, second, *_ = values if len(values) == 2 else sorted(values, reverse=True)  # noqa: PLR2004 - a pair
        scale = max(abs(first), abs(second)) or 1.0
        return 0.5 + 0.5 * min(1.0, abs(first - second) / scale / _APART)
    return 0.5 if all(verdict is None for verdict in rules) else 1.0
