"""CEL conditions: parsed, type-checked and bounded before they run. Pure; shared by rule and workflow.

    environment = Environment({"defect_rate": VariableType.NUMBER})
    condition = environment.compile("defect_rate > 0.05", result=VariableType.BOOLEAN)
    condition.evaluate({"defect_rate": 0.07})  # True

Google's runtime parses, checks and evaluates; `limits` refuses what would take too long or too much memory.
"""

from services.expressions.environment import Environment, Expression, Result, compile_expression
from services.expressions.failure import EvaluationError, Fault
from services.expressions.variable import VariableType

__all__ = ["Environment", "EvaluationError", "Expression", "Fault", "Result", "VariableType", "compile_expression"]
