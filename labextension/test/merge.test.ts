import { describe, expect, test } from 'vitest';

import { merged } from '../src/merge';

describe('merged', () => {
  const before = [
    { id: 'a', name: 'A' },
    { id: 'b', name: 'B' }
  ];

  test('an equal answer is the same list', () => {
    const now = before.map(item => ({ ...item }));
    expect(merged(before, now, item => item.id)).toBe(before);
  });

  test('an item that did not change is the same object beside one that did', () => {
    const now = merged(
      before,
      [
        { id: 'a', name: 'A' },
        { id: 'b', name: 'C' }
      ],
      i => i.id
    );
    expect(now).not.toBe(before);
    expect(now[0]).toBe(before[0]);
    expect(now[1]).toEqual({ id: 'b', name: 'C' });
  });

  test('another order is another list of the same objects', () => {
    const now = merged(
      before,
      [
        { id: 'b', name: 'B' },
        { id: 'a', name: 'A' }
      ],
      i => i.id
    );
    expect(now).not.toBe(before);
    expect(now).toEqual([before[1], before[0]]);
    expect(now[0]).toBe(before[1]);
  });
});
