"""Quotes what is refunded for the goods that a case takes back: what was paid for each unit.

Whole numbers only: there is no floating point near money.
"""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.types import Failure_CannotDecide, LineQuote, Money, Part, Quote, Reason, Remedy, Request

PLACES = {"BHD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "OMR": 3, "TND": 3, "VND": 0}


def cannot_decide(code: str, used: list[str]) -> Err:
    """What ends with a person."""
    return Err(Failure_CannotDecide([Reason(code=code, cites=None, used=used, params=[])]))


def agreed(request: Request) -> dict:
    """What earlier steps agreed to take back of each line: nothing of a line that any of them denies or leaves to a person."""
    takes, refused = {}, set()
    for opinion in request.earlier:
        for line in opinion.verdict.lines:
            if line.remedy != Remedy.ALLOW:
                refused.add(line.line)
            if line.takes:
                takes[line.line] = line.takes
    return {line: taken for line, taken in takes.items() if line not in refused}


def minor(price, quantity: int, places: int) -> int:
    """Quantity times price in minor units, a half rounded away from zero."""
    exact, unit = price.mantissa * quantity * 10**places, 10**price.scale
    rounded = (abs(exact) + unit // 2) // unit
    return -rounded if exact < 0 else rounded


class Refund(exports.Refund):
    def quote(self, r: Request) -> Quote:
        takes = agreed(r)
        bought = {(one.order, one.line): one for one in r.purchases}
        spent: dict = {}
        lines = []
        for line in r.lines:
            for take in takes.get(line.index, []):
                key = (take.order, take.line)
                if key not in bought:
                    raise cannot_decide("purchase_unknown", ["purchases"])
                one = bought[key]
                amount = minor(one.unit_price, take.quantity, PLACES.get(one.paid.currency, 2))
                spent[key] = spent.get(key, 0) + amount
                # No more than was paid and is not refunded yet: else a person decides.
                if amount < 0 or spent[key] > one.paid.minor - one.refunded.minor:
                    raise cannot_decide("more_than_paid", ["purchases.paid", "purchases.refunded"])
                part = Part(kind="goods", amount=Money(minor=amount, currency=one.paid.currency))
                lines.append(LineQuote(line=line.index, take=take, parts=[part]))
        return Quote(lines=lines, reasons=[], provides=[])
