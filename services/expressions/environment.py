"""Compiles and evaluates expressions with Google's CEL runtime (`cel-expr-python`)."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from cel_expr_python import cel

from services.expressions import limits, tree
from services.expressions.failure import EvaluationError, Fault, refused, shortened
from services.expressions.variable import VariableType

Result: TypeAlias = Any  # a plain Python value of the expression's type; bool where BOOLEAN was asked for

_TYPES: Final = {
    VariableType.NUMBER: cel.Type.DOUBLE,
    VariableType.INTEGER: cel.Type.INT,
    VariableType.TEXT: cel.Type.STRING,
    VariableType.BOOLEAN: cel.Type.BOOL,
    VariableType.LIST: cel.Type.LIST,
    VariableType.MAP: cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    VariableType.ANY: cel.Type.DYN,
}
_SCALARS: Final = frozenset({float, int, str, bool, type(None)})
# `ERROR: <input>:1:3: found no matching overload ...`, one line a fault, each followed by a picture of the place.
_COMPILE_FAULT: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_STATUS: Final = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
# What the runtime says, first match wins.
_FAULTS: Final = (
    ("No value with name", Fault.MISSING_VALUE),
    ("Key not found", Fault.MISSING_VALUE),
    ("divide by zero", Fault.DIVISION_BY_ZERO),
    ("modulus by zero", Fault.DIVISION_BY_ZERO),
    ("Iteration budget", Fault.TOO_MUCH_WORK),
    ("OUT_OF_RANGE", Fault.OUT_OF_RANGE),
    ("overflow", Fault.OUT_OF_RANGE),
    ("too big", Fault.OUT_OF_RANGE),
    ("Index error", Fault.OUT_OF_RANGE),
    ("out of bounds", Fault.OUT_OF_RANGE),
    ("No matching overload", Fault.WRONG_TYPE),
    ("Unexpected value type", Fault.WRONG_TYPE),
    ("Non-CEL value", Fault.WRONG_TYPE),
    ("cannot be interpreted", Fault.WRONG_TYPE),
)


class Values:
    """Values bound once and read by many expressions of one environment: half the cost of binding them each time."""

    __slots__ = ("activation", "raw")

    def __init__(self, raw: Mapping[str, object], activation: Any) -> None:
        self.raw = raw
        self.activation = activation


class Expression:
    """A checked expression. Immutable; about 4 us an evaluation over bound values, 7 us otherwise.

    `needs` are the variables without any one of which it certainly has no value.
    """

    __slots__ = ("_builds", "_evaluate", "needs", "source", "tree")

    def __init__(self, source: str, checked: Any, root: tree.Node) -> None:
        self.source = source
        self.tree = root
        self.needs = tree.needs(root)
        self._evaluate = checked.eval
        self._builds = limits.builds(root)

    def evaluate(self, values: Mapping[str, object] | Values) -> Result:
        """Return the value. A missing variable matters only where the result hangs on it (`x > 1.0 || true` is true).

        Raises EvaluationError.
        """
        raw = values.raw if isinstance(values, Values) else values
        _guard(raw, limits.MAX_BUILDING_COLLECTION if self._builds else limits.MAX_COLLECTION)
        try:
            value = self._evaluate(values.activation) if isinstance(values, Values) else self._evaluate(data=values)
        except RuntimeError as failure:  # how the runtime reports its iteration budget
            raise self._failed(str(failure)) from failure
        if value.type() == cel.Type.ERROR:
            raise self._failed(str(value.value()))
        return value.plain_value()

    def _failed(self, said: str) -> EvaluationError:
        fault = next((fault for words, fault in _FAULTS if words in said), Fault.INVALID_VALUE)
        return EvaluationError(_STATUS.sub("", said), metadata={"expression": shortened(self.source)}, fault=fault)


def _guard(values: Mapping[str, object], most: int) -> None:
    """Refuse collections that would take too long, and nesting that would overflow the stack of the runtime."""
    for name, value in values.items():
        if type(value) not in _SCALARS and limits.too_large(value, most):
            raise EvaluationError(
                f"{name} holds more than {most} elements at one place, or nests over {limits.MAX_VALUE_DEPTH} deep",
                fault=Fault.TOO_MUCH_WORK,
            )


class Environment:
    """The variables that expressions may read, with their types. Cheap to build (15 us), shared by many expressions."""

    def __init__(self, variables: Mapping[str, VariableType]) -> None:
        self._cel = cel.NewEnv(variables={name: _TYPES[kind] for name, kind in variables.items()})

    def compile(self, source: str, *, result: VariableType | None = None) -> Expression:
        """Parse, type-check and bound an expression; with `result` it has to be of that type.

        Raises Invalid (INVALID_EXPRESSION) whose message and metadata say line and column, from 1.
        """
        excess = limits.check_text(source)
        if excess is not None:
            raise _over(source, excess)
        try:
            checked = self._cel.compile(source)
        except RuntimeError as failure:
            raise _refusal(source, str(failure)) from failure
        if result is not None and not _fits(checked.return_type(), result):
            found = checked.return_type().name().lower()
            hint = "; compare it, as in `x == true`" if found == "dyn" and result is VariableType.BOOLEAN else ""
            raise refused(source, f"the result has to be {_TYPES[result].name().lower()}, this is {found}{hint}")
        root = tree.read(checked.serialize())
        excess = limits.check_tree(root)
        if excess is not None:
            raise _over(source, excess)
        self._try_patterns(source, root)
        return Expression(source, checked, root)

    def bind(self, values: Mapping[str, object]) -> Values:
        """Bind values for several expressions of this environment."""
        return Values(values, self._cel.Activation(values))

    @staticmethod
    def _try_patterns(source: str, root: tree.Node) -> None:
        """Run each pattern once: the checker takes a broken one as just a text."""
        for node in root.walk():
            if node.kind is tree.Kind.CALL and node.name == "matches":
                pattern = node.children[-1].name
                probe = cel.NewEnv(variables={"pattern": cel.Type.STRING}).compile("''.matches(pattern)")
                said = probe.eval(data={"pattern": pattern})
                if said.type() == cel.Type.ERROR:
                    raise refused(source, _STATUS.sub("", str(said.value())))


def compile_expression(
    source: str, variables: Mapping[str, VariableType], *, result: VariableType | None = None
) -> Expression:
    """Compile one expression in an environment of its own; see Environment."""
    return Environment(variables).compile(source, result=result)


def _fits(found: Any, wanted: VariableType) -> bool:
    if found == cel.Type.DYN:
        return wanted is VariableType.ANY
    return bool(found == _TYPES[wanted]) or wanted is VariableType.ANY


def _over(source: str, excess: limits.Excess) -> Exception:
    before = source[: excess.position]
    return refused(source, excess.description, line=before.count("\n") + 1, column=len(before.rpartition("\n")[2]) + 1)


def _refusal(source: str, said: str) -> Exception:
    fault = _COMPILE_FAULT.search(said)
    if fault is None:
        return refused(source, _STATUS.sub("", said))
    line, column, description = max(1, int(fault[1])), max(1, int(fault[2])), fault[3]
    if "(double, int)" in description or "(int, double)" in description:
        description += "; a number is written with a point, as 3.0"
    return refused(source, _STATUS.sub("", description), line=line, column=column)
