"""Says of each line whether it may come back: so many units at once and no more."""

from sdk.params import arg
from wit_world import exports
from wit_world.imports.types import (
    Attribute,
    Disposition,
    LineVerdict,
    Reason,
    Remedy,
    Request,
    Tier,
    Value_Integer,
    Verdict,
)


def judge(line, most: int) -> LineVerdict:
    if line.quantity <= most:
        return LineVerdict(line.index, Remedy.ALLOW, line.quantity, [], Disposition.QUARANTINE, Tier.GOODWILL, [])
    # A reason teaches: a code, what it looked at, and the number that would have changed it.
    params = [Attribute("most", Value_Integer(most))]
    reason = Reason(code="too_many", cites=None, used=["line.quantity", "args.most"], params=params)
    return LineVerdict(line.index, Remedy.DENY, 0, [], None, Tier.GOODWILL, [reason])


class Eligibility(exports.Eligibility):
    def evaluate(self, r: Request) -> Verdict:
        most = arg(r.args, "most", "integer")
        return Verdict(lines=[judge(line, most) for line in r.lines], reasons=[], duties=[], provides=[])
