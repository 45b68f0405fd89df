/**
 * The dialog that lets one person in to one port, by a link that is shown once.
 */
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type ReactElement } from 'react';

import type { Api } from '../api';
import { whoOf } from '../choices';
import { Frame, SchemaField } from '../form/field';
import { draftOf, readForm } from '../form/schema';
import type { Link, PortMapping } from '../wire';
import { nameOf, readable } from '../words';
import { Address } from './address';
import { showForm, type Host } from './dialog';
import { Form, More, useForm, useSteps } from './form';

const FORM = 'LinkRequest';
const LIFE = 'expires_in_seconds';
const PATHS = ['user', 'one_time', 'path', 'allow'] as const;
const HOUR = 3600;
const LIFE_AT_FIRST = 8 * HOUR;

/** What the form has to know. */
export interface ShareContext {
  readonly api: Api;
  readonly trans: TranslationBundle;
  readonly me: string | null;
  readonly signInByDefault: boolean;
  readonly mapping: PortMapping;
}

/** Show the dialog; true once there is a link. */
export function showShare(context: ShareContext): Promise<boolean> {
  const { trans, mapping } = context;
  return showForm({
    title: trans.__('Share %1', nameOf(mapping, trans)),
    accept: isPublic(context) ? trans.__('Done') : trans.__('Make a link'),
    trans,
    body: host => <ShareForm {...context} host={host} />
  });
}

function isPublic({ mapping, me, signInByDefault }: ShareContext): boolean {
  return whoOf(mapping.access_control, me, signInByDefault).choice === 'public';
}

/** The form, and then the link. */
export function ShareForm(context: ShareContext & { readonly host: Host }): ReactElement {
  const { api, trans, mapping, host } = context;
  const form = useForm({ ...draftOf(FORM, PATHS, {}), one_time: false });
  const [life, setLife] = useState(LIFE_AT_FIRST);
  const [link, setLink] = useState<Link | null>(null);
  const user = String(form.draft.user).trim();
  const allowed = mapping.access_control?.allowed_users ?? [];
  const mustAllow = user !== '' && allowed.length > 0 && !allowed.includes(user);

  const submit = async (): Promise<boolean> => {
    if (link || isPublic(context)) {
      return true;
    }
    const { json, problems } = readForm(FORM, form.draft, null, trans);
    if (Object.keys(problems).length > 0) {
      form.show(problems);
      return false;
    }
    const body = {
      ...json,
      port_id: mapping.id,
      one_time: form.draft.one_time === true,
      allow: mustAllow && form.draft.allow === true,
      [LIFE]: life,
      ends_sessions: true
    };
    const made = await form.send(() => api.call<Link>('POST', 'links', { body }), [...PATHS, LIFE]);
    if (made) {
      setLink(made);
      host.label(trans.__('Done'), 'last');
    }
    return false;
  };
  useSteps(host, { submit, back: () => false });

  if (link) {
    return <Address url={link.url ?? ''} says={promise(link, trans)} trans={trans} />;
  }
  if (isPublic(context)) {
    const says = trans.__('Anyone who has this address can use it, without signing in.');
    return <Address url={mapping.url ?? ''} says={says} trans={trans} />;
  }
  const field = (path: (typeof PATHS)[number]): ReactElement => (
    <SchemaField
      form={FORM}
      path={path}
      value={form.draft[path] ?? ''}
      problem={form.problems[path]}
      isPlain={path !== 'path'}
      onChange={form.set}
      trans={trans}
    />
  );
  return (
    <Form state={form}>
      {field('user')}
      {mustAllow && field('allow')}
      <Frame label={trans.__('For how long')} problem={form.problems[LIFE]}>
        {tie => (
          <HTMLSelect
            {...tie}
            value={String(life)}
            onChange={event => setLife(Number(event.target.value))}
          >
            {lives(trans).map(([seconds, label]) => (
              <option key={seconds} value={String(seconds)}>
                {label}
              </option>
            ))}
          </HTMLSelect>
        )}
      </Frame>
      {field('one_time')}
      <More open={false} trans={trans}>
        {field('path')}
      </More>
      <p className="jp-TensorOne-sentence" role="status">
        {user === ''
          ? trans.__('Whoever has the link is signed in under this name.')
          : trans.__(
              'Whoever has the link is signed in as %1, to this port alone.',
              readable(user)
            )}
      </p>
    </Form>
  );
}

function lives(trans: TranslationBundle): readonly (readonly [number, string])[] {
  return [
    [HOUR / 2, trans.__('30 minutes')],
    [HOUR, trans.__('1 hour')],
    [LIFE_AT_FIRST, trans.__('8 hours')],
    [24 * HOUR, trans.__('1 day')],
    [7 * 24 * HOUR, trans.__('7 days')],
    [30 * 24 * HOUR, trans.__('30 days')]
  ];
}

/** Say what a link does, as `%tensorone share` does. */
function promise(link: Link, trans: TranslationBundle): string {
  const until = new Date(link.expires_at).toLocaleString();
  const user = readable(link.user);
  const once = link.one_time ? trans.__('It works once.') : trans.__('It can be used again.');
  return `${trans.__('This link signs %1 in, until %2. Then whoever came in by it is out.', user, until)} ${once} ${trans.__('It is shown only now: copy it, and send it to that person alone.')}`;
}
