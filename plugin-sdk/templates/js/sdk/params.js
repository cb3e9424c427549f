// Parameters of a call: what the workflow gives in `with`, else the default that plugin.json declares.
import { DEFAULTS } from '../build/params.js';

// The value of a parameter: `type` is one that plugin.json names (`text`, `integer`, `decimal`, `boolean`, `timestamp`, `money`), and an
// integer is a BigInt. What is not there, or is of another type, ends with a person.
export function arg(args, name, type) {
  const value = optional(args, name, type);
  if (value === undefined) throw { tag: 'bad-input', val: `parameter \`${name}\` is missing` };
  return value;
}

// As `arg`, and `undefined` where the parameter is not there.
export function optional(args, name, type) {
  const value = args.find((one) => one.key === name)?.value ?? DEFAULTS.get(name);
  if (value === undefined) return undefined;
  // The host hands every whole number over as an integer.
  if (type === 'decimal' && value.tag === 'integer') return { mantissa: value.val, scale: 0 };
  if (value.tag !== type) throw { tag: 'bad-input', val: `\`${name}\` is ${value.tag}, expected ${type}` };
  return value.val;
}
