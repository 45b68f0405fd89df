/**
 * Arguments of commands, which come from anywhere: a menu, a key binding, a notebook's output.
 */
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { PortArgs } from './tokens';

const LAST_PORT = 65_535;

/** Return which port is meant, and nothing else that the arguments say. */
export function portArgs(args: ReadonlyPartialJSONObject): PortArgs {
  const { id, port } = args;
  return {
    ...(typeof id === 'string' ? { id } : {}),
    ...(isPort(port) ? { port } : {})
  };
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LAST_PORT;
}
