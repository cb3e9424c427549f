"""Parameters of a call: what the workflow gives in `with`, else the default that plugin.json declares.

The functions give a `str`, an `int`, a `bool`, or a record of the contract; what is of another type ends with a person.
"""

from build.params import DEFAULTS
from componentize_py_types import Err
from wit_world.imports import types

TYPES = {
    types.Value_Text: "text",
    types.Value_Integer: "integer",
    types.Value_Decimal: "decimal",
    types.Value_Boolean: "boolean",
    types.Value_Timestamp: "timestamp",
    types.Value_Money: "money",
}


def arg(args: list[types.Attribute], name: str, kind: str):
    """The value of a parameter; where it is not there, a person decides."""
    value = optional(args, name, kind)
    if value is None:
        raise Err(types.Failure_BadInput(f"parameter `{name}` is missing"))
    return value


def optional(args: list[types.Attribute], name: str, kind: str):
    """As `arg`, and `None` where the parameter is not there."""
    value = next((one.value for one in args if one.key == name), DEFAULTS.get(name))
    if value is None:
        return None
    if kind == "decimal" and isinstance(value, types.Value_Integer):
        # The host hands every whole number over as an integer.
        return types.Decimal(value.value, 0)
    if TYPES[type(value)] != kind:
        raise Err(types.Failure_BadInput(f"`{name}` is {TYPES[type(value)]}, expected {kind}"))
    return value.value
