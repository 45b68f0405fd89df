import { nullTranslator } from '@jupyterlab/translation';
import { expect, test } from 'vitest';

import { ago, audienceOf, downSince, milliseconds, originText, readable, span } from '../src/words';
import { mapping } from './fixtures/server';

const trans = nullTranslator.load('');
const ME = { cluster_id: 'local', me: 'ana' };
const NOW = Date.parse('2026-01-15T14:30:00Z');

test.each([
  ['Tensor\u001b[31mBoard\u202e', 'Tensor[31mBoard'],
  ['\u{1F469}\u200d\u{1F52C} lab', '\u{1F469}\u200d\u{1F52C} lab'],
  ['a\u2028b\u0000', 'ab'],
  ['מודל', 'מודל']
])('%j is shown as %j', (text, shown) => {
  expect(readable(text)).toBe(shown);
});

test.each([
  [{ allowed_users: ['ana'] }, 'me', 'Only me'],
  [{ allowed_users: ['ben'] }, 'people', '1 person'],
  [{ allowed_users: ['ana', 'ben'] }, 'people', '2 people'],
  [{ authentication_required: true }, 'signed-in', 'Anyone who signs in'],
  [{ authentication_required: false }, 'public', 'Anyone with the link'],
  [{ public_access: true }, 'public', 'Anyone with the link'],
  [{ authentication_required: false, allowed_users: ['ana'] }, 'public', 'Anyone with the link'],
  [null, 'signed-in', 'Anyone who signs in']
])('%j can be opened by: %s', (access_control, kind, text) => {
  expect(audienceOf(mapping('a', { access_control }), ME, trans)).toEqual({ kind, text });
});

test('where a mapping is silent the rule of all ports says who can open it', () => {
  const silent = mapping('a', { access_control: {} });
  const open = { ...ME, access_control: { default_authentication: false } };
  expect(audienceOf(silent, open, trans).kind).toBe('public');
  expect(audienceOf(silent, ME, trans).kind).toBe('signed-in');
});

test.each([
  [-3, '0 s'],
  [59, '59 s'],
  [90, '1 min'],
  [5400, '1 h'],
  [200_000, '2 days']
])('%i seconds are %s', (seconds, text) => {
  expect(span(seconds, trans)).toBe(text);
});

test('moments are told from now', () => {
  expect(ago('2026-01-15T14:25:00Z', NOW, trans)).toBe('5 min ago');
  expect(ago('2026-01-15T22:30:00Z', NOW, trans)).toBe('in 8 h');
  expect(ago('2026-01-15T14:30:00Z', NOW, trans)).toBe('just now');
  expect(ago('soon', NOW, trans)).toBe('');
  expect(ago(null, NOW, trans)).toBe('');
});

test('a service is down since the first check in a row that failed', () => {
  const check = {
    last_check: '2026-01-15T14:30:00Z',
    consecutive_failures: 4,
    interval_seconds: 10
  };
  const down = mapping('a', { health_status: 'unhealthy', health_check: check });
  expect(downSince(down)).toBe(NOW - 30_000);
  expect(downSince(mapping('a', { health_check: check }))).toBeNull();
  expect(downSince(mapping('a', { health_status: 'unhealthy', health_check: null }))).toBeNull();
});

test('where a port comes from is told by its notebook, terminal or process', () => {
  expect(originText({ port: 1, name: 'x', notebook: 'a/b.ipynb', process: 'p' }, trans)).toBe(
    'b.ipynb'
  );
  expect(originText({ port: 1, name: 'x', terminal: '2' }, trans)).toBe('terminal 2');
  expect(originText({ port: 1, name: 'x', process: 'python' }, trans)).toBe('python');
  expect(originText(undefined, trans)).toBe('');
});

test('response times are short', () => {
  expect([18.4, 10_000, null].map(milliseconds)).toEqual(['18 ms', '10 s', '']);
});
