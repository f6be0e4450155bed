"""Why an expression was refused, or could not be evaluated."""

from dataclasses import dataclass
from enum import StrEnum

from services import errors
from services.errors import FieldViolation, Reason


class Fault(StrEnum):
    """What went wrong while a checked expression was evaluated."""

    MISSING_VALUE = "missing_value"  # a variable without a value, or a key that a map does not have
    DIVISION_BY_ZERO = "division_by_zero"
    OUT_OF_RANGE = "out_of_range"  # an overflow, or an index past the end
    WRONG_TYPE = "wrong_type"  # a value of another type than declared, or no operator for the types found
    TOO_MUCH_WORK = "too_much_work"  # the iteration budget, or a collection that is too large
    INVALID_VALUE = "invalid_value"  # such as a text that is no timestamp


@dataclass(eq=False)
class EvaluationError(errors.Invalid):
    """A checked expression has no value for these inputs."""

    reason: Reason = Reason.INVALID_EXPRESSION
    fault: Fault = Fault.INVALID_VALUE


def refused(source: str, description: str, *, line: int = 1, column: int = 1) -> errors.Invalid:
    """Build the error of an expression that does not compile; line and column count from 1."""
    return errors.Invalid(
        f"{line}:{column}: {description}",
        reason=Reason.INVALID_EXPRESSION,
        metadata={"expression": shortened(source), "line": str(line), "column": str(column)},
        violations=(FieldViolation("expression", f"{line}:{column}: {description}", "expression"),),
    )


def shortened(source: str, most: int = 200) -> str:
    """Cut an expression down to what fits into the metadata of an error."""
    return source if len(source) <= most else source[: most - 1] + "…"
