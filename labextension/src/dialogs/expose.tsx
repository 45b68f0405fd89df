/**
 * The dialog in which a port is exposed, and the one in which that is changed: one form.
 */
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type ReactElement } from 'react';

import type { Api } from '../api';
import { accessOf, means, publicWarning, whoOf, type Who } from '../choices';
import { Frame, SchemaField } from '../form/field';
import { draftOf, readForm, withValue, type Json, type Problems } from '../form/schema';
import type { DetectedPort, PortMapping, ServiceEntry } from '../wire';
import { originText, readable } from '../words';
import { showForm, type Host } from './dialog';
import { Form, More, useForm, useSteps } from './form';
import { Question, useQuestion } from './question';
import { ends, endsInWords, fieldsOf, lifeOf, type End, type Life } from './life';
import { PEOPLE, WhoField } from './who';

const FORM = 'PortRequest';
const PORT = 'internal_port';
const NAME = 'description';
const HEALTH = 'health_check.path';
const UNTIL = 'expires_at';
const ADVANCED = [
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
const SHOWN = [...PATHS, PEOPLE, UNTIL];
const OTHER = '';

/** What the form has to know. */
export interface ExposeContext {
  readonly api: Api;
  readonly trans: TranslationBundle;
  /** My name at exposed services. */
  readonly me: string | null;
  /** What the proxy's addresses begin with. */
  readonly proxyUrl: string;
  /** Whether the server keeps which kernel a mapping goes with. */
  readonly kernels: boolean;
  /** Whether the server ends mappings by itself. */
  readonly expiry: boolean;
  /** Whether the cluster asks for sign-in where a mapping is silent. */
  readonly signInByDefault: boolean;
  readonly detected: readonly DetectedPort[];
  readonly services: readonly ServiceEntry[];
  /** Who can open something new, unless somebody chooses; never the public. */
  readonly choice?: 'me' | 'signed-in' | undefined;
  /** The port to begin with. */
  readonly port?: number | undefined;
  /** What is changed; undefined for something new. */
  readonly mapping?: PortMapping | undefined;
}

/** Show the dialog; true once the port is exposed, or changed. */
export function showExpose(context: ExposeContext): Promise<boolean> {
  const { trans, mapping } = context;
  return showForm({
    title: mapping
      ? trans.__('Edit %1', readable(mapping.description ?? ''))
      : trans.__('Expose a Port'),
    accept: acceptLabel(context),
    trans,
    body: host => <ExposeForm {...context} host={host} />
  });
}

function acceptLabel({ trans, mapping }: ExposeContext): string {
  return mapping ? trans.__('Save') : trans.__('Expose');
}

/** The form itself. */
export function ExposeForm(context: ExposeContext & { readonly host: Host }): ReactElement {
  const { api, trans, me, mapping, host } = context;
  const [before] = useState(() => firstDraft(context));
  const [whoBefore] = useState(() => firstWho(context));
  const [lifeBefore] = useState(() => lifeOf(mapping));
  const form = useForm(before);
  const [who, setWho] = useState(whoBefore);
  const [life, setLife] = useState(lifeBefore);
  const number = Number(form.draft[PORT]);
  const origin = context.detected.find(({ port }) => port === number);
  const kernel = mapping?.kernel_id ?? origin?.kernel_id ?? null;

  const question = useQuestion(host, acceptLabel(context), trans.__('Make public'));

  const submit = async (): Promise<boolean> => {
    const read = readAll();
    if (Object.keys(read.problems).length > 0) {
      question.ask(false);
      form.show(read.problems);
      return false;
    }
    if (who.choice === 'public' && whoBefore.choice !== 'public' && !question.asked) {
      question.ask(true);
      return false;
    }
    if (mapping && Object.keys(read.json).length === 0) {
      return true; // nothing was changed
    }
    const made = await form.send(
      () => (mapping ? api.updatePort(mapping.id, read.json) : api.createPort(read.json)),
      SHOWN
    );
    if (made === undefined) {
      question.ask(false);
    }
    return made !== undefined;
  };
  const readAll = (): { json: Json; problems: Problems } => {
    const { json, problems } = readForm(FORM, form.draft, mapping ? before : null, trans);
    const told = { json, problems: { ...problems } };
    readWho(told);
    readLife(told);
    return told;
  };
  const readWho = (told: { json: Json; problems: Record<string, string> }): void => {
    const isRaw = rawOf(form.draft);
    if (mapping && who.choice === whoBefore.choice && who.people === whoBefore.people) {
      return;
    }
    const access = accessOf(who, me);
    if (access === null) {
      told.problems[PEOPLE] = trans.__('is missing: name at least one person');
      return;
    }
    for (const [field, value] of Object.entries(access)) {
      if (!(isRaw && field === 'allowed_users')) {
        told.json = withValue(told.json, `access_control.${field}`, value);
      }
    }
  };
  const readLife = (told: { json: Json; problems: Record<string, string> }): void => {
    if (life.end === lifeBefore.end && life.date === lifeBefore.date) {
      return;
    }
    const found = fieldsOf(life, kernel, Date.now(), trans);
    if ('problem' in found) {
      told.problems[UNTIL] = found.problem;
      return;
    }
    for (const [field, value] of Object.entries(found.fields)) {
      if (value !== null || mapping) {
        told.json = withValue(told.json, field, value);
      }
    }
  };
  useSteps(host, { submit, back: question.back });

  const field = (path: string): ReactElement => (
    <SchemaField
      key={path}
      form={FORM}
      path={path}
      value={form.draft[path] ?? ''}
      problem={form.problems[path]}
      isPlain={path === PORT || path === NAME}
      onChange={form.set}
      trans={trans}
    />
  );
  if (question.asked) {
    return (
      <Question about={`${String(form.draft[NAME])} · ${trans.__('port %1', String(number))}`}>
        {publicWarning(trans)} {trans.__('Make public?')}
      </Question>
    );
  }
  return (
    <Form state={form}>
      {mapping ? null : <ServiceField {...context} form={form} />}
      {!mapping && origin ? null : field(PORT)}
      {field(NAME)}
      <WhoField
        who={who}
        me={me}
        problem={form.problems[PEOPLE]}
        onChange={changed => {
          setWho(changed);
          form.show({});
        }}
        trans={trans}
      />
      <LifeField
        {...{ life, trans, problem: form.problems[UNTIL], onChange: setLife }}
        choices={ends(
          { kernel: kernel !== null && context.kernels, expiry: context.expiry },
          trans
        )}
      />
      <More open={mapping !== undefined && hasAdvanced(before)} trans={trans}>
        {ADVANCED.map(field)}
      </More>
      <p className="jp-TensorOne-sentence" role="status">
        {`${addressOf(context, form.draft)} → ${trans.__('port %1', String(form.draft[PORT]) || '…')}. `}
        {means(who, me, trans)} {endsInWords(life, Date.now(), trans)}
      </p>
    </Form>
  );
}

type Draft = ReturnType<typeof useForm>['draft'];

function firstDraft({ mapping, port, detected, services }: ExposeContext): Draft {
  if (mapping) {
    return draftOf(FORM, PATHS, mapping);
  }
  const found = detected.find(one => one.port === port) ?? (port ? undefined : detected[0]);
  const empty = draftOf(FORM, PATHS, {});
  return found
    ? { ...empty, ...suggested(found, services) }
    : { ...empty, [PORT]: port ? String(port) : '' };
}

function firstWho({ mapping, me, signInByDefault, choice = 'me' }: ExposeContext): Who {
  if (mapping) {
    return whoOf(mapping.access_control, me, signInByDefault);
  }
  return { choice: me === null && choice === 'me' ? 'people' : choice, people: '' };
}

/** Return what a detected service brings with it. */
function suggested(found: DetectedPort, services: readonly ServiceEntry[]): Draft {
  const service = services.find(({ id }) => id === found.service);
  return {
    [PORT]: String(found.port),
    [NAME]: readable(found.name),
    [HEALTH]: service?.health_path ?? '',
    app_protocol: service && service.app_protocol !== 'http' ? service.app_protocol : ''
  };
}

function rawOf(draft: Draft): boolean {
  return draft.protocol === 'udp' || draft.app_protocol === 'tcp';
}

function hasAdvanced(draft: Draft): boolean {
  const shown = ['custom_domain', 'access_control.ip_whitelist', 'access_control.blocked_ips'];
  return shown.some(path => draft[path] !== '');
}

/** Return where people will reach it, as far as that is known. */
function addressOf({ mapping, proxyUrl }: ExposeContext, draft: Draft): string {
  const domain = String(draft.custom_domain ?? '').trim();
  const port = String(draft.external_port ?? '').trim();
  if (mapping?.url && !domain && port === String(mapping.external_port ?? '')) {
    return readable(mapping.url);
  }
  const base = domain ? `https://${readable(domain)}` : proxyUrl;
  return `${base}:${port || '…'}`;
}

/** Which of the detected services, or another port. */
function ServiceField(
  props: ExposeContext & { readonly form: ReturnType<typeof useForm> }
): ReactElement | null {
  const { detected, services, form, trans } = props;
  if (detected.length === 0) {
    return null;
  }
  const value = String(form.draft[PORT]);
  const known = detected.some(({ port }) => String(port) === value);
  return (
    <Frame label={trans.__('Service')}>
      {tie => (
        <HTMLSelect
          {...tie}
          value={known ? value : OTHER}
          onChange={event => {
            const found = detected.find(({ port }) => String(port) === event.target.value);
            form.fill(
              found ? suggested(found, services) : { [PORT]: '', [NAME]: '', [HEALTH]: '' }
            );
          }}
        >
          {detected.map(port => (
            <option key={port.port} value={String(port.port)}>
              {[
                readable(port.name),
                trans.__('port %1', String(port.port)),
                originText(port, trans)
              ]
                .filter(Boolean)
                .join(' · ')}
            </option>
          ))}
          <option value={OTHER}>{trans.__('A port by its number…')}</option>
        </HTMLSelect>
      )}
    </Frame>
  );
}

/** For how long, and the date where that is one. */
function LifeField(props: {
  readonly life: Life;
  readonly choices: readonly (readonly [End, string])[];
  readonly problem?: string | undefined;
  readonly onChange: (life: Life) => void;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { life, choices, problem, onChange, trans } = props;
  return (
    <>
      <Frame label={trans.__('For how long')}>
        {tie => (
          <HTMLSelect
            {...tie}
            value={life.end}
            onChange={event => onChange({ ...life, end: event.target.value as End })}
          >
            {choices.map(([end, label]) => (
              <option key={end} value={end}>
                {label}
              </option>
            ))}
          </HTMLSelect>
        )}
      </Frame>
      {life.end === 'date' && (
        <Frame label={trans.__('Until')} problem={problem}>
          {tie => (
            <input
              {...tie}
              className="jp-mod-styled"
              type="datetime-local"
              value={life.date}
              onChange={event => onChange({ ...life, date: event.target.value })}
            />
          )}
        </Frame>
      )}
    </>
  );
}
