// Says of each line whether it may come back: so many units at once and no more.

const MOST = 10n;

function integer(bag, key, otherwise) {
  const value = bag.find((one) => one.key === key)?.value;
  if (value === undefined) return otherwise;
  if (value.tag !== 'integer') throw { tag: 'bad-input', val: `${key} is ${value.tag}, expected integer` };
  return value.val;
}

export const eligibility = {
  evaluate(request) {
    const most = integer(request.args, 'most', MOST);
    const lines = request.lines.map(({ index: line, quantity }) => {
      if (BigInt(quantity) <= most) {
        return { line, remedy: 'allow', quantity, takes: [], disposition: 'quarantine', tier: 'goodwill', reasons: [] };
      }
      // A reason teaches: a code, what it looked at, and the number that would have changed it.
      const params = [{ key: 'most', value: { tag: 'integer', val: most } }];
      const reason = { code: 'too_many', cites: undefined, used: ['line.quantity', 'args.most'], params };
      return { line, remedy: 'deny', quantity: 0, takes: [], disposition: undefined, tier: 'goodwill', reasons: [reason] };
    });
    return { lines, reasons: [], duties: [], provides: [] };
  },
};
