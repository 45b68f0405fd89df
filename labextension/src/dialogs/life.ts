/**
 * For how long a port is exposed: what a form says of it, and the fields that it stands for.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { PortMapping } from '../wire';

/** How an exposed port ends. */
export type End = 'ever' | 'kernel' | 'hours' | 'date';

/** What a form says about it; `date` is local, as an input has it. */
export interface Life {
  readonly end: End;
  readonly date: string;
}

const HOURS = 8;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Return what people choose from; only what the server can do. */
export function ends(
  can: { readonly kernel: boolean; readonly expiry: boolean },
  trans: TranslationBundle
): readonly (readonly [End, string])[] {
  const all: readonly (readonly [End, string, boolean])[] = [
    ['ever', trans.__('Until I stop it'), true],
    ['kernel', trans.__('Until the kernel stops'), can.kernel],
    ['hours', trans.__('For %1 hours', String(HOURS)), can.expiry],
    ['date', trans.__('Until a date'), can.expiry]
  ];
  return all.filter(([, , possible]) => possible).map(([end, label]) => [end, label] as const);
}

/** Return how a mapping ends. */
export function lifeOf(mapping: PortMapping | undefined): Life {
  const at = Date.parse(mapping?.expires_at ?? '');
  if (!Number.isNaN(at)) {
    return { end: 'date', date: localDate(at) };
  }
  return { end: mapping?.kernel_id ? 'kernel' : 'ever', date: '' };
}

/** Return a moment as an input of the browser has it: local, to the minute. */
export function localDate(moment: number): string {
  const offset = new Date(moment).getTimezoneOffset() * MINUTE_MS;
  return new Date(moment - offset).toISOString().slice(0, 16);
}

/** The fields that say how it ends, or what is wrong with the date. */
export type LifeFields =
  | { readonly fields: { readonly expires_at: string | null; readonly kernel_id: string | null } }
  | { readonly problem: string };

/** Return the fields of what a form says. */
export function fieldsOf(
  { end, date }: Life,
  kernel: string | null,
  now: number,
  trans: TranslationBundle
): LifeFields {
  const kernelId = end === 'kernel' ? kernel : null;
  if (end === 'ever' || end === 'kernel') {
    return { fields: { expires_at: null, kernel_id: kernelId } };
  }
  const at = end === 'hours' ? now + HOURS * HOUR_MS : Date.parse(date);
  if (Number.isNaN(at)) {
    return { problem: trans.__('should be a date and a time') };
  }
  if (at <= now) {
    return { problem: trans.__('is in the past') };
  }
  const whole = new Date(Math.floor(at / 1000) * 1000);
  return { fields: { expires_at: whole.toISOString().replace('.000', ''), kernel_id: kernelId } };
}

/** Say when it ends, for the sentence at the bottom; empty if somebody has to stop it. */
export function endsInWords(life: Life, now: number, trans: TranslationBundle): string {
  switch (life.end) {
    case 'ever':
      return '';
    case 'kernel':
      return trans.__('It stops when the kernel does.');
    case 'hours':
    case 'date': {
      const at = life.end === 'hours' ? now + HOURS * HOUR_MS : Date.parse(life.date);
      return Number.isNaN(at) ? '' : trans.__('It stops at %1.', new Date(at).toLocaleString());
    }
  }
}
