"""What the embedded stack raises: always a sentence that says what to do."""

from dataclasses import dataclass

from services.errors import FactoryError, Reason


@dataclass(eq=False)
class StackError(FactoryError):
    """The stack cannot do what was asked. The message names the cause and the way out; it is meant for people."""

    reason: Reason = Reason.FAILED_PRECONDITION
