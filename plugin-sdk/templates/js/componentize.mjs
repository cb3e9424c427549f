// Written by `redress plugin build`. Every feature that would need something of the host is off: a plugin has no clock, randomness or network.
import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [source, world, target] = process.argv.slice(2);
const disableFeatures = ['stdio', 'random', 'clocks', 'http', 'fetch-event'];
const { component } = await componentize({ sourcePath: source, witPath: 'wit', worldName: world, disableFeatures });
await writeFile(target, component);
