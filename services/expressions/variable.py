"""Types that a variable of an expression may have."""

from enum import StrEnum


class VariableType(StrEnum):
    """CEL's types, by the words of the contract."""

    NUMBER = "number"  # double
    INTEGER = "integer"  # int, 64 bit
    TEXT = "text"  # string
    BOOLEAN = "boolean"  # bool
    LIST = "list"  # list of anything
    MAP = "map"  # text keys to anything
    ANY = "any"  # checked when it is read: outputs of nodes, whose shape is the user's own
