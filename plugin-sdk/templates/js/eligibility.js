// Says of each line whether it may come back: so many units at once and no more.
import { arg } from './sdk/params.js';

export const eligibility = {
  evaluate(request) {
    const most = arg(request.args, 'most', 'integer');
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
