/**
 * What the form of an exposed port says, and the request that it stands for.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { accessOf, whoOf, type Who } from '../choices';
import { draftOf, readForm, withValue, type Draft, type Json, type Problems } from '../form/schema';
import type { DetectedPort, PortMapping, ServiceEntry } from '../wire';
import { readable } from '../words';
import { fieldsOf, lifeOf, type Life } from './life';

export const FORM = 'PortRequest';
export const PORT = 'internal_port';
export const NAME = 'description';
export const UNTIL = 'expires_at';
export const PEOPLE = 'access_control.allowed_users';
const HEALTH = 'health_check.path';

/** What is seldom needed, in the order of the form. */
export const ADVANCED = [
  HEALTH,
  'health_check.interval_seconds',
  'access_control.rate_limit.requests_per_minute',
  'access_control.session_timeout_minutes',
  'access_control.ip_whitelist',
  'access_control.blocked_ips',
  'custom_domain',
  'external_port',
  'app_protocol',
  'protocol',
  'force'
] as const;
const PATHS = [PORT, NAME, ...ADVANCED];

/** Every field that the form shows, for what the server finds wrong. */
export const SHOWN = [...PATHS, PEOPLE, UNTIL];

/** What a form says. */
export interface Said {
  readonly draft: Draft;
  readonly who: Who;
  readonly life: Life;
}

/** What a request is read with. */
export interface Reader {
  /** What the form said at first; null for something new. */
  readonly before: Said | null;
  readonly me: string | null;
  /** The kernel that the service is of. */
  readonly kernel: string | null;
  readonly now: number;
  readonly trans: TranslationBundle;
}

/** Return what a form says of a mapping. */
export function saidOf(mapping: PortMapping, me: string | null, signInByDefault: boolean): Said {
  return {
    draft: draftOf(FORM, PATHS, mapping),
    who: whoOf(mapping.access_control, me, signInByDefault),
    life: lifeOf(mapping)
  };
}

/** Return what an empty form says of a port. */
export function newDraft(port: number | undefined): Draft {
  return { ...draftOf(FORM, PATHS, {}), [PORT]: port === undefined ? '' : String(port) };
}

/** Return what a detected service brings with it. */
export function suggested(found: DetectedPort, services: readonly ServiceEntry[]): Draft {
  const service = services.find(({ id }) => id === found.service);
  return {
    [PORT]: String(found.port),
    [NAME]: readable(found.name),
    [HEALTH]: service?.health_path ?? '',
    app_protocol: service && service.app_protocol !== 'http' ? service.app_protocol : ''
  };
}

/** What a port by its number brings with it: nothing. */
export const UNKNOWN_SERVICE: Draft = { [PORT]: '', [NAME]: '', [HEALTH]: '', app_protocol: '' };

/** Say whether something is set that is not seen before the fold is opened. */
export function hasAdvanced(draft: Draft): boolean {
  const telling = ['custom_domain', 'access_control.ip_whitelist', 'access_control.blocked_ips'];
  return telling.some(path => draft[path] !== '');
}

/** Return the request, with what was changed and no more; and what is wrong, by field. */
export function readRequest(said: Said, reader: Reader): { json: Json; problems: Problems } {
  const read = readForm(FORM, said.draft, reader.before?.draft ?? null, reader.trans);
  const who = readWho(said, reader);
  const life = readLife(said, reader);
  let { json } = read;
  for (const [path, value] of [...who.fields, ...life.fields]) {
    json = withValue(json, path, value);
  }
  return { json, problems: { ...read.problems, ...who.problems, ...life.problems } };
}

/** Values by their paths, or what is wrong. */
interface Part {
  readonly fields: readonly (readonly [string, unknown])[];
  readonly problems: Problems;
}

const NOTHING: Part = { fields: [], problems: {} };

function readWho({ who, draft }: Said, { before, me, trans }: Reader): Part {
  if (before?.who.choice === who.choice && before.who.people === who.people) {
    return NOTHING;
  }
  const access = accessOf(who, me);
  if (access === null) {
    const missing = trans.__('is missing: name at least one person');
    return { ...NOTHING, problems: { [PEOPLE]: missing } };
  }
  const isRaw = draft.protocol === 'udp' || draft.app_protocol === 'tcp'; // nobody signs in there
  const fields = Object.entries(access).filter(([name]) => !(isRaw && name === 'allowed_users'));
  return {
    ...NOTHING,
    fields: fields.map(([name, value]) => [`access_control.${name}`, value] as const)
  };
}

function readLife({ life }: Said, { before, kernel, now, trans }: Reader): Part {
  if (before?.life.end === life.end && before.life.date === life.date) {
    return NOTHING;
  }
  const found = fieldsOf(life, kernel, now, trans);
  if ('problem' in found) {
    return { ...NOTHING, problems: { [UNTIL]: found.problem } };
  }
  const fields = Object.entries(found.fields);
  return { ...NOTHING, fields: before ? fields : fields.filter(([, value]) => value !== null) };
}
