// Says what safety asks of each line: what was recalled comes back, into quarantine; what nobody knows of is a person's to say.

function boolean(bag, key) {
  const value = bag.find((one) => one.key === key)?.value;
  if (value !== undefined && value.tag !== 'boolean') throw { tag: 'bad-input', val: `\`${key}\` is ${value.tag}, expected boolean` };
  return value?.val;
}

function judge(line) {
  const reason = (code) => ({ code, cites: undefined, used: ['line.recalled'], params: [] });
  const allow = { line: line.index, remedy: 'allow', quantity: line.quantity, takes: [], disposition: 'quarantine', tier: 'goodwill', reasons: [] };
  switch (boolean(line.attributes, 'recalled')) {
    case true:
      return { ...allow, tier: 'recall', reasons: [reason('recalled')] };
    case false:
      return allow;
    default:
      // Never guess: a fact that is missing is a question for a person.
      return { ...allow, remedy: 'review', quantity: 0, disposition: undefined, reasons: [reason('recall_unknown')] };
  }
}

export const compliance = {
  check(request) {
    return { lines: request.lines.map(judge), reasons: [], duties: [], provides: [] };
  },
};
