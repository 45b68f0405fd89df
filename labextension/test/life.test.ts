import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, test } from 'vitest';

import { ends, fieldsOf, lifeOf, localDate } from '../src/dialogs/life';

const trans = nullTranslator.load('');
const NOW = Date.parse('2026-01-15T14:30:00.250Z');

describe('for how long a port is exposed', () => {
  test('a server without expiry is not offered what it cannot do', () => {
    const offered = ends({ kernel: true, expiry: false }, trans).map(([end]) => end);
    expect(offered).toEqual(['ever', 'kernel']);
  });

  test('eight hours are a moment in UTC, on whole seconds', () => {
    expect(fieldsOf({ end: 'hours', date: '' }, null, NOW, trans)).toEqual({
      fields: { expires_at: '2026-01-15T22:30:00Z', kernel_id: null }
    });
  });

  test('a date is on the clock of the browser', () => {
    const date = localDate(NOW + 3_600_000);
    expect(fieldsOf({ end: 'date', date }, null, NOW, trans)).toEqual({
      fields: { expires_at: '2026-01-15T15:30:00Z', kernel_id: null }
    });
    expect(lifeOf({ id: 'port_1', expires_at: '2026-01-15T15:30:00Z' })).toEqual({
      end: 'date',
      date
    });
  });

  test.each([
    ['', 'should be a date and a time'],
    ['2026-01-15T00:00', 'is in the past']
  ])('%j is told to be wrong', (date, problem) => {
    expect(fieldsOf({ end: 'date', date }, null, NOW, trans)).toEqual({ problem });
  });

  test('until the kernel stops is its id, and no moment', () => {
    expect(fieldsOf({ end: 'kernel', date: '' }, 'k1', NOW, trans)).toEqual({
      fields: { expires_at: null, kernel_id: 'k1' }
    });
    expect(lifeOf({ id: 'port_1', kernel_id: 'k1' }).end).toBe('kernel');
  });
});
