// Computes something for a workflow, which reads it as `<as>.out.<name>`: parameters in, values out.

function integer(bag, key, otherwise) {
  const value = bag.find((one) => one.key === key)?.value ?? otherwise;
  if (value === undefined) throw { tag: 'bad-input', val: `parameter ${key} is missing` };
  if (value.tag !== 'integer') throw { tag: 'bad-input', val: `${key} is ${value.tag}, expected integer` };
  return value.val;
}

const I64_MAX = 2n ** 63n - 1n;

export const step = {
  run(request) {
    const days = integer(request.args, 'days');
    const over = days - integer(request.args, 'most', { tag: 'integer', val: 14n });
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
