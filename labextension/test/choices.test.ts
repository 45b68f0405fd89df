import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, test } from 'vitest';

import { accessOf, choices, means, whoOf, type Choice } from '../src/choices';
import cases from './choices.json';

const trans = nullTranslator.load('');
const KINDS = new Map<string, Choice>(
  choices('ana', trans).map(([choice, label]) => [label, choice])
);

/** Return the choice that Python calls by a label. */
function kindOf(label: string): Choice {
  const kind = KINDS.get(label);
  if (kind === undefined) {
    throw new Error(`There is no choice ${label}`);
  }
  return kind;
}

describe('who can open a port is the same as in Python', () => {
  test.each(cases.told)('$choice, "$people", for $me', ({ choice, people, me, ...told }) => {
    const who = { choice: kindOf(choice), people };
    expect(means(who, me, trans)).toBe(told.means);
    expect(accessOf(who, me)).toEqual(told.access);
  });

  test.each(cases.shown)('$access is shown to $me as $choice', ({ access, me, choice, people }) => {
    expect(whoOf(access, me)).toEqual({ choice: kindOf(choice), people });
  });

  test('without a name of mine "only me" is no choice', () => {
    expect(choices(null, trans).map(([choice]) => choice)).toEqual([
      'people',
      'signed-in',
      'public'
    ]);
  });

  test('a mapping that says nothing is what the cluster says', () => {
    expect(whoOf(undefined, 'ana', true).choice).toBe('signed-in');
    expect(whoOf({}, 'ana', false).choice).toBe('public');
  });
});
