// Quotes what is refunded for the goods that a case takes back: what was paid for each unit.
// Money is a BigInt of minor units; there is no floating point near it.

// What earlier steps of the case agreed to take back of each line: nothing of a line that any of them denies or leaves to a person.
function agreed(earlier) {
  const takes = new Map();
  const refused = new Set();
  for (const { verdict } of earlier) {
    for (const line of verdict.lines) {
      if (line.remedy !== 'allow') refused.add(line.line);
      if (line.takes.length > 0) takes.set(line.line, line.takes);
    }
  }
  refused.forEach((line) => takes.delete(line));
  return takes;
}

function cannotDecide(code, used, params = []) {
  // What is thrown is the `failure` of the contract, and ends with a person.
  throw { tag: 'cannot-decide', val: [{ code, cites: undefined, used, params }] };
}

// Quantity times price, in minor units, a half rounded away from zero. A currency has `places` decimal places.
function minor({ mantissa, scale }, quantity, places) {
  const exact = mantissa * BigInt(quantity) * 10n ** BigInt(places);
  const unit = 10n ** BigInt(scale);
  const half = exact < 0n ? -unit / 2n : unit / 2n;
  return (exact + half) / unit;
}

const PLACES = { BHD: 3, ISK: 0, JOD: 3, JPY: 0, KRW: 0, KWD: 3, OMR: 3, TND: 3, VND: 0 };
const I64_MAX = 2n ** 63n - 1n;

export const refund = {
  quote(request) {
    const takes = agreed(request.earlier);
    const purchases = new Map(request.purchases.map((one) => [`${one.line} ${one.order}`, one]));
    const open = new Map();
    const lines = [];
    for (const line of request.lines) {
      for (const take of takes.get(line.index) ?? []) {
        const key = `${take.line} ${take.order}`;
        const bought = purchases.get(key);
        if (!bought) cannotDecide('purchase_unknown', ['purchases']);
        const currency = bought.paid.currency;
        const amount = minor(bought.unitPrice, take.quantity, PLACES[currency] ?? 2);
        const left = (open.get(key) ?? bought.paid.minor - bought.refunded.minor) - amount;
        // No more than was paid and is not refunded yet: else a person decides.
        if (left < 0n || amount < 0n || amount > I64_MAX) cannotDecide('more_than_paid', ['purchases.paid', 'purchases.refunded']);
        open.set(key, left);
        lines.push({ line: line.index, take, parts: [{ kind: 'goods', amount: { minor: amount, currency } }] });
      }
    }
    return { lines, reasons: [], provides: [] };
  },
};
