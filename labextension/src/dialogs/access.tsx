/**
 * The dialog with the rules of all ports.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type ReactElement } from 'react';

import type { Api } from '../api';
import { SchemaField } from '../form/field';
import { draftOf, fieldOf, readForm, valueAt, withValue, type Json } from '../form/schema';
import type { ClusterAccess } from '../wire';
import { showForm, type Host } from './dialog';
import { Form, More, useForm, useSteps } from './form';
import { Question, useQuestion } from './question';

const FORM = 'ClusterAccess';
const SIGN_IN = 'default_authentication';
const LIMITS = ['rate_limiting.global_limit', 'rate_limiting.per_user_limit'] as const;
const SIMPLE = [
  SIGN_IN,
  'session_timeout_minutes',
  'max_concurrent_sessions',
  'ip_whitelist',
  'blocked_ips'
] as const;
const HEADERS = [
  'security_headers.hsts_enabled',
  'security_headers.x_frame_options',
  'security_headers.content_security_policy'
] as const;
const PATHS = [...SIMPLE, ...LIMITS.map(limit => `${limit}.requests_per_minute`), ...HEADERS];

/** What the form has to know. */
export interface AccessContext {
  readonly api: Api;
  readonly trans: TranslationBundle;
  readonly rules: ClusterAccess;
}

/** Show the dialog; true once the rules were changed. */
export function showAccess(context: AccessContext): Promise<boolean> {
  const { trans } = context;
  return showForm({
    title: trans.__('Access to All Ports'),
    accept: trans.__('Save'),
    trans,
    body: host => <AccessForm {...context} host={host} />
  });
}

/** The form itself. */
export function AccessForm(context: AccessContext & { readonly host: Host }): ReactElement {
  const { api, trans, rules, host } = context;
  const [before] = useState(() => draftOf(FORM, PATHS, rules));
  const form = useForm(before);
  const question = useQuestion(host, trans.__('Save'), trans.__('Make public'));
  const opens = before[SIGN_IN] === true && form.draft[SIGN_IN] === false;

  const submit = async (): Promise<boolean> => {
    const { json, problems } = readForm(FORM, form.draft, before, trans);
    if (Object.keys(problems).length > 0) {
      form.show(problems);
      return false;
    }
    if (opens && !question.asked) {
      question.ask(true);
      return false;
    }
    const changes = withDefaults(json);
    if (Object.keys(changes).length === 0) {
      return true;
    }
    const sent = await form.send(() => api.call('PUT', 'access', { body: changes }), PATHS);
    if (sent === undefined) {
      question.ask(false);
    }
    return sent !== undefined;
  };
  useSteps(host, { submit, back: question.back });

  if (question.asked) {
    return (
      <Question about={trans.__('Ports that do not say otherwise')}>
        {trans.__(
          'Anyone who has the address of one of them can use it, without signing in. Make public?'
        )}
      </Question>
    );
  }
  const field = (path: string, label?: string): ReactElement => (
    <SchemaField
      key={path}
      form={FORM}
      path={path}
      value={form.draft[path] ?? ''}
      problem={form.problems[path]}
      onChange={form.set}
      trans={trans}
      {...(label === undefined ? {} : { label })}
    />
  );
  return (
    <Form state={form}>
      {SIMPLE.map(path => field(path))}
      {LIMITS.map(limit =>
        field(
          `${limit}.requests_per_minute`,
          trans.__('%1: requests a minute', trans.__(fieldOf(FORM, limit).title ?? limit))
        )
      )}
      <More open={false} trans={trans}>
        {HEADERS.map(path => field(path))}
      </More>
    </Form>
  );
}

/** An emptied field is back at its default: no addresses, no limit. */
function withDefaults(json: Json): Json {
  let whole = json;
  for (const path of PATHS) {
    if (valueAt(json, path) !== null) {
      continue;
    }
    const schema = fieldOf(FORM, path);
    const limit = LIMITS.find(one => path.startsWith(one));
    if (limit) {
      whole = withValue(whole, limit, null);
    } else if (schema.type === 'array') {
      whole = withValue(whole, path, []);
    } else if (schema.default !== undefined) {
      whole = withValue(whole, path, schema.default);
    }
  }
  return whole;
}
