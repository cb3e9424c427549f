"""Computes something for a workflow, which reads it as `<as>.out.<name>`: parameters in, values out."""

from sdk.params import arg
from wit_world import exports
from wit_world.imports.types import Attribute, StepAnswer, StepRequest, Value_Boolean, Value_Integer

I64_MAX = 2**63 - 1


class Step(exports.Step):
    def run(self, r: StepRequest) -> StepAnswer:
        over = arg(r.args, "days", "integer") - arg(r.args, "most", "integer")
        over = min(max(over, 0), I64_MAX)
        provides = [Attribute("late", Value_Boolean(over > 0)), Attribute("days_over", Value_Integer(over))]
        return StepAnswer(provides=provides, reasons=[])
