/**
 * Who can open a port, as one choice of four: the words and the fields of the contract that each
 * stands for. The same as Python's `commands/choices.py`; a test compares the two.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { AccessControl } from './wire';
import { readable } from './words';

/** The four choices, the most private first. */
export type Choice = 'me' | 'people' | 'signed-in' | 'public';

/** What a form says about who can open a port. */
export interface Who {
  readonly choice: Choice;
  /** Names, separated by commas; counts with `people` only. */
  readonly people: string;
}

/** Return what people choose from; without a name of mine, "only me" cannot be meant. */
export function choices(
  me: string | null,
  trans: TranslationBundle
): readonly (readonly [Choice, string])[] {
  const others = [
    ['people', trans.__('People I choose')],
    ['signed-in', trans.__('Anyone who signs in')],
    ['public', trans.__('Anyone with the link')]
  ] as const;
  return me === null ? others : [['me', trans.__('Only me')], ...others];
}

/** Return what anything public means, in one sentence. */
export function publicWarning(trans: TranslationBundle): string {
  return trans.__('Anyone who has this address can use it, without signing in.');
}

/** Return the names that a person typed. */
export function namesIn(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map(name => name.trim())
    .filter(name => name !== '');
}

/** Return the fields of a choice; null if it does not say for whom. */
export function accessOf({ choice, people }: Who, me: string | null): AccessControl | null {
  if (choice === 'public') {
    return { authentication_required: false, public_access: true, allowed_users: [] };
  }
  const names = choice === 'me' && me !== null ? [me] : namesIn(people);
  if (choice !== 'signed-in' && names.length === 0) {
    return null;
  }
  const allowed = choice === 'signed-in' ? [] : names;
  return { authentication_required: true, public_access: false, allowed_users: allowed };
}

/**
 * Return which choice the fields of a mapping are.
 *
 * @param access - The mapping's own.
 * @param me - My name at exposed services.
 * @param signInByDefault - What the cluster asks for where the mapping is silent.
 */
export function whoOf(
  access: AccessControl | null | undefined,
  me: string | null,
  signInByDefault = true
): Who {
  const asked = access?.authentication_required;
  const opened = access?.public_access;
  if (!(asked ?? (opened == null ? signInByDefault : !opened))) {
    return { choice: 'public', people: '' };
  }
  const users = access?.allowed_users ?? [];
  if (users.length === 0) {
    return { choice: 'signed-in', people: '' };
  }
  const mine = users.length === 1 && users[0] === me;
  return mine ? { choice: 'me', people: '' } : { choice: 'people', people: users.join(', ') };
}

/** Say in a sentence what a choice means. */
export function means(
  { choice, people }: Who,
  me: string | null,
  trans: TranslationBundle
): string {
  switch (choice) {
    case 'public':
      return publicWarning(trans);
    case 'signed-in':
      return trans.__('Anyone who signs in can open it.');
    case 'me':
      return trans.__('Only you can open it.');
    case 'people':
      return meansPeople(namesIn(people), me, trans);
  }
}

function meansPeople(
  names: readonly string[],
  me: string | null,
  trans: TranslationBundle
): string {
  const mine = names.filter(name => name === me).map(() => trans.__('you'));
  const told = [...mine, ...names.filter(name => name !== me).map(readable)];
  const last = told.at(-1);
  if (last === undefined) {
    return trans.__('Say who: names, separated by commas.');
  }
  const others = told.slice(0, -1).join(', ');
  return others
    ? trans.__('Only %1 and %2 can open it.', others, last)
    : trans.__('Only %1 can open it.', last);
}
