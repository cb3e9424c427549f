"""Says what safety asks of each line: what was recalled comes back, into quarantine; what nobody knows of is a person's to say."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.types import (
    Disposition,
    Failure_BadInput,
    LineVerdict,
    Reason,
    Remedy,
    Request,
    Tier,
    Value_Boolean,
    Verdict,
)


def judge(line) -> LineVerdict:
    recalled = None
    for one in line.attributes:
        if one.key == "recalled":
            if not isinstance(one.value, Value_Boolean):
                raise Err(Failure_BadInput("`recalled` is no boolean"))
            recalled = one.value.value
    if recalled is None:
        # Never guess: a fact that is missing is a question for a person.
        reason = Reason(code="recall_unknown", cites=None, used=["line.recalled"], params=[])
        return LineVerdict(line.index, Remedy.REVIEW, 0, [], None, Tier.GOODWILL, [reason])
    if not recalled:
        return LineVerdict(line.index, Remedy.ALLOW, line.quantity, [], Disposition.QUARANTINE, Tier.GOODWILL, [])
    reason = Reason(code="recalled", cites=None, used=["line.recalled"], params=[])
    return LineVerdict(line.index, Remedy.ALLOW, line.quantity, [], Disposition.QUARANTINE, Tier.RECALL, [reason])


class Compliance(exports.Compliance):
    def check(self, r: Request) -> Verdict:
        return Verdict(lines=[judge(line) for line in r.lines], reasons=[], duties=[], provides=[])
