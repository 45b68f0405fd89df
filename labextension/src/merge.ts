/**
 * Keep what did not change: views compare by identity, so an equal answer must be the same object.
 */
import { JSONExt, type ReadonlyPartialJSONValue } from '@lumino/coreutils';

/**
 * Return the new items, each replaced by the old one of its key where both are equal; the old list
 * itself if nothing changed at all.
 */
export function merged<T extends object>(
  before: readonly T[],
  now: readonly T[],
  keyOf: (item: T) => string | number
): readonly T[] {
  const known = new Map(before.map(item => [keyOf(item), item]));
  const kept = now.map(item => {
    const old = known.get(keyOf(item));
    return old && isEqual(old, item) ? old : item;
  });
  const same = kept.length === before.length && kept.every((item, i) => item === before[i]);
  return same ? before : kept;
}

/** Say whether two JSON values are equal. */
export function isEqual(one: unknown, other: unknown): boolean {
  return JSONExt.deepEqual(one as ReadonlyPartialJSONValue, other as ReadonlyPartialJSONValue);
}
