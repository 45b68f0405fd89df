/**
 * Forms as data: what the fields of a request are, what was typed, and what that is as JSON.
 *
 * `schema.json` is written from the Python models, so a form lets through what the server does.
 * (Lab's own `FormComponent` draws whole schemas; it neither ties an error to its field for a screen
 * reader nor takes the server's errors field by field, and its validator alone is larger than this
 * extension.)
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import schemas from '../schema.json';

/** One field of a request, or an object of fields. */
export interface FieldSchema {
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
  readonly items?: FieldSchema;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly 'x-unit'?: string;
  /** What holds if it is left empty. */
  readonly 'x-empty'?: string;
}

/** Which request a form is about. */
export type FormName = keyof typeof schemas;

/** What was typed, by the field's path with dots; texts as they stand in the inputs. */
export type Draft = Readonly<Record<string, string | boolean>>;

/** What is wrong, by the field's path. */
export type Problems = Readonly<Record<string, string>>;

/** JSON that is sent. */
export type Json = Readonly<Record<string, unknown>>;

/** Return the schema of a field; throws for one that there is not, which a type cannot tell. */
export function fieldOf(form: FormName, path: string): FieldSchema {
  let found: FieldSchema | undefined = schemas[form];
  for (const name of path.split('.')) {
    found = found?.properties?.[name];
  }
  if (!found) {
    throw new Error(`schema.json has no field ${path} in ${form}`);
  }
  return found;
}

/** Say whether a field must be given. */
export function isRequired(form: FormName, path: string): boolean {
  const schema: FieldSchema = schemas[form];
  return schema.required?.includes(path) ?? false;
}

/** Return the value at a path of JSON; undefined if there is none. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (found, name) =>
        typeof found === 'object' && found !== null
          ? (found as Record<string, unknown>)[name]
          : undefined,
      value
    );
}

/** Return JSON with a value at a path. */
export function withValue(json: Json, path: string, value: unknown): Json {
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0) {
    return { ...json, [first]: value };
  }
  const inner = json[first];
  const base = typeof inner === 'object' && inner !== null ? (inner as Json) : {};
  return { ...json, [first]: withValue(base, rest.join('.'), value) };
}

/** Return a value as it stands in an input. */
export function typed(value: unknown): string | boolean {
  if (typeof value === 'boolean') {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(String).join(', ');
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Return the draft that shows a value: a mapping that is edited, or nothing yet. */
export function draftOf(form: FormName, paths: readonly string[], value: unknown): Draft {
  return Object.fromEntries(
    paths.map(path => {
      const found = valueAt(value, path);
      const empty =
        fieldOf(form, path).type === 'boolean' ? fieldOf(form, path).default === true : '';
      return [path, found == null ? empty : typed(found)];
    })
  );
}

/** What an input says, read. */
export type Read = { readonly value: unknown } | { readonly problem: string };

/** Read what was typed into a field; an empty one is null, which is the server's default. */
export function read(schema: FieldSchema, text: string | boolean, trans: TranslationBundle): Read {
  if (typeof text === 'boolean') {
    return { value: text };
  }
  const plain = text.trim();
  if (plain === '') {
    return { value: null };
  }
  switch (schema.type) {
    case 'integer':
      return readInteger(schema, plain, trans);
    case 'array':
      return {
        value: plain
          .split(/[,\n]/)
          .map(part => part.trim())
          .filter(part => part !== '')
      };
    case 'boolean':
      return { value: plain === 'true' };
    default:
      return readText(schema, plain, trans);
  }
}

function readInteger(schema: FieldSchema, text: string, trans: TranslationBundle): Read {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema;
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) {
    return { value };
  }
  return {
    problem: trans.__('should be a whole number from %1 to %2', String(minimum), String(maximum))
  };
}

function readText(schema: FieldSchema, text: string, trans: TranslationBundle): Read {
  if (schema.enum && !schema.enum.includes(text)) {
    return { problem: trans.__('should be one of %1', schema.enum.join(', ')) };
  }
  const { maxLength = Number.MAX_SAFE_INTEGER } = schema;
  if (text.length > maxLength) {
    return { problem: trans.__('should have at most %1 characters', String(maxLength)) };
  }
  return { value: text };
}

/** Fields that were read, or what is wrong with them. */
export interface Reading {
  readonly json: Json;
  readonly problems: Problems;
}

/**
 * Read the fields of a form that differ from what it said at first.
 *
 * @param form - Which request it is about.
 * @param draft - What was typed.
 * @param before - What it said at first; null if everything is new, and empty fields are left out.
 */
export function readForm(
  form: FormName,
  draft: Draft,
  before: Draft | null,
  trans: TranslationBundle
): Reading {
  let json: Json = {};
  const problems: Record<string, string> = {};
  for (const [path, text] of Object.entries(draft)) {
    if (before !== null && before[path] === text) {
      continue;
    }
    const schema = fieldOf(form, path);
    const found = read(schema, text, trans);
    if ('problem' in found) {
      problems[path] = found.problem;
    } else if (found.value === null && isRequired(form, path)) {
      problems[path] = trans.__('is missing');
    } else if (before !== null || isNews(schema, found.value)) {
      json = withValue(json, path, found.value);
    }
  }
  return { json, problems };
}

/** What is the default anyway need not be said of something new. */
function isNews(schema: FieldSchema, value: unknown): boolean {
  return value !== null && value !== (schema.default ?? (schema.type === 'boolean' ? false : null));
}

/** Return the server's errors as problems of the fields a form shows, and those of none of them. */
export function placed(
  errors: readonly { readonly field: string; readonly message: string }[],
  shown: readonly string[]
): { readonly problems: Problems; readonly rest: readonly string[] } {
  const problems: Record<string, string> = {};
  const rest: string[] = [];
  for (const { field, message } of errors) {
    const path = shown.find(one => field === one || field.startsWith(`${one}.`));
    if (path === undefined) {
      rest.push(field === '(request)' ? message : `${field}: ${message}`);
    } else {
      problems[path] ??= message;
    }
  }
  return { problems, rest };
}
