/**
 * Exposed services in words and shapes, the same as in terminals and cells (`commands/rows.py`).
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ConnectionInfo, DetectedPort, PortMapping } from './answers';

/** How something does: a word, a shape and a tone that differ together. */
export interface Health {
  readonly word: string;
  readonly shape: string;
  readonly tone: 'good' | 'bad' | 'neutral';
}

/** Who may open a mapping. */
export interface Audience {
  readonly kind: 'me' | 'people' | 'signed-in' | 'public';
  readonly text: string;
}

/** All that is no sign of its own, but the joiner that holds emoji together. */
const CONTROLS = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const LONGEST = 300;

/** Return text that cannot turn the direction, hide, or fill the screen. */
export function readable(text: string): string {
  const plain = text.replace(CONTROLS, '');
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}

/** Return what people call a mapping. */
export function nameOf(mapping: PortMapping, trans: TranslationBundle): string {
  const name = readable(mapping.description ?? '').trim();
  return name || trans.__('Port %1', String(mapping.internal_port ?? '?'));
}

/** Return how the service behind a mapping does. */
export function healthOf(mapping: PortMapping, trans: TranslationBundle): Health {
  if (mapping.status === 'disabled') {
    return { word: trans.__('closed: the proxy is disabled'), shape: '■', tone: 'bad' };
  }
  switch (mapping.health_status) {
    case 'healthy':
      return { word: trans.__('healthy'), shape: '●', tone: 'good' };
    case 'unhealthy':
      return { word: trans.__('not answering'), shape: '▲', tone: 'bad' };
    case 'unknown':
      return { word: trans.__('checking'), shape: '○', tone: 'neutral' };
    case 'disabled':
    case null:
    case undefined:
      return { word: trans.__('not checked'), shape: '◌', tone: 'neutral' };
    default: // a status that is newer than this
      return { word: readable(mapping.health_status), shape: '○', tone: 'neutral' };
  }
}

/**
 * Return who may open a mapping.
 *
 * @param info - It has my name at exposed services, and the cluster's rule where a mapping is silent.
 */
export function audienceOf(
  mapping: PortMapping,
  info: ConnectionInfo | null,
  trans: TranslationBundle
): Audience {
  const access = mapping.access_control ?? {};
  const open = access.public_access ?? !(info?.access_control?.default_authentication ?? true);
  const mustSignIn = access.authentication_required ?? !open;
  if (!mustSignIn) {
    return { kind: 'public', text: trans.__('Anyone with the link') };
  }
  const users = access.allowed_users ?? [];
  if (users.length === 0) {
    return { kind: 'signed-in', text: trans.__('Anyone who signs in') };
  }
  if (users.length === 1 && users[0] === info?.me) {
    return { kind: 'me', text: trans.__('Only me') };
  }
  return { kind: 'people', text: trans._n('%1 person', '%1 people', users.length) };
}

/** Say whether a browser can open it. */
export function isPage(mapping: PortMapping): boolean {
  return mapping.protocol !== 'udp' && mapping.app_protocol !== 'tcp';
}

/** Return where a port comes from: the document, the terminal or the process. */
export function originText(origin: DetectedPort | undefined, trans: TranslationBundle): string {
  if (!origin) {
    return '';
  }
  if (origin.notebook) {
    return readable(origin.notebook.split('/').at(-1) ?? origin.notebook);
  }
  if (origin.terminal) {
    return trans.__('terminal %1', readable(origin.terminal));
  }
  return readable(origin.process ?? '');
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Return a length of time, rounded down to what matters of it. */
export function span(seconds: number, trans: TranslationBundle): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 2 * DAY) {
    return trans.__('%1 days', String(Math.floor(whole / DAY)));
  }
  if (whole >= HOUR) {
    return trans.__('%1 h', String(Math.floor(whole / HOUR)));
  }
  return whole >= MINUTE
    ? trans.__('%1 min', String(Math.floor(whole / MINUTE)))
    : trans.__('%1 s', String(whole));
}

/** Say how long ago a moment was, or how soon it will be; empty if it is none. */
export function ago(
  moment: string | null | undefined,
  now: number,
  trans: TranslationBundle
): string {
  const at = Date.parse(moment ?? '');
  if (Number.isNaN(at)) {
    return '';
  }
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 1) {
    return trans.__('just now');
  }
  return seconds > 0
    ? trans.__('%1 ago', span(seconds, trans))
    : trans.__('in %1', span(-seconds, trans));
}

/** Return a moment on the clock of this browser: the time, with the date if it was another day. */
export function clock(moment: number | string, now: number = Date.now()): string {
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) {
    return '';
  }
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const sameDay = at.toDateString() === new Date(now).toDateString();
  return sameDay ? time : `${at.toLocaleDateString()} ${time}`;
}

/** Return when a service stopped answering; its checks in a row say so. Null if it answers. */
export function downSince(mapping: PortMapping): number | null {
  const check = mapping.health_check;
  const last = Date.parse(check?.last_check ?? '');
  if (mapping.health_status !== 'unhealthy' || Number.isNaN(last)) {
    return null;
  }
  const before = Math.max(0, (check?.consecutive_failures ?? 1) - 1);
  return last - before * (check?.interval_seconds ?? 0) * 1000;
}

/** Return a duration of an answer. */
export function milliseconds(value: number | null | undefined): string {
  if (typeof value !== 'number') {
    return '';
  }
  return value >= 10_000 ? `${Math.round(value / 1000)} s` : `${Math.round(value)} ms`;
}
