"""Computes something for a workflow, which reads it as `<as>.out.<name>`: parameters in, values out."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.types import (
    Attribute,
    Failure_BadInput,
    StepAnswer,
    StepRequest,
    Value_Boolean,
    Value_Integer,
)

I64_MAX = 2**63 - 1


def integer(bag: list[Attribute], key: str, otherwise: int | None = None) -> int:
    for one in bag:
        if one.key == key:
            if not isinstance(one.value, Value_Integer):
                raise Err(Failure_BadInput(f"{key} is no integer"))
            return one.value.value
    if otherwise is None:
        raise Err(Failure_BadInput(f"parameter {key} is missing"))
    return otherwise


class Step(exports.Step):
    def run(self, r: StepRequest) -> StepAnswer:
        over = integer(r.args, "days") - integer(r.args, "most", 14)
        over = min(max(over, 0), I64_MAX)
        provides = [Attribute("late", Value_Boolean(over > 0)), Attribute("days_over", Value_Integer(over))]
        return StepAnswer(provides=provides, reasons=[])
