// Computes something for a workflow, which reads it as `<as>.out.<name>`: parameters in, values out.
import { arg } from './sdk/params.js';

const I64_MAX = 2n ** 63n - 1n;

export const step = {
  run(request) {
    const over = arg(request.args, 'days', 'integer') - arg(request.args, 'most', 'integer');
    const daysOver = over < 0n ? 0n : over > I64_MAX ? I64_MAX : over;
    return {
      provides: [
        { key: 'late', value: { tag: 'boolean', val: daysOver > 0n } },
        { key: 'days_over', value: { tag: 'integer', val: daysOver } },
      ],
      reasons: [],
    };
  },
};
