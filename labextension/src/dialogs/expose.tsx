/**
 * The dialog in which a port is exposed, and the one in which that is changed: one form.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type ReactElement } from 'react';

import type { Api } from '../api';
import { means, publicWarning } from '../choices';
import { SchemaField } from '../form/field';
import type { Draft } from '../form/schema';
import type { DetectedPort, PortMapping, ServiceEntry } from '../wire';
import { readable } from '../words';
import { showForm, type Host } from './dialog';
import { Form, More, useForm, useSteps, type FormState } from './form';
import { ends, endsInWords, type Life } from './life';
import { LifeField } from './life-field';
import { Question, useQuestion } from './question';
import * as request from './request';
import { ServiceSelect } from './service-select';
import { WhoField } from './who';

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

type ExposeProps = ExposeContext & { readonly host: Host };

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
export function ExposeForm(props: ExposeProps): ReactElement {
  const { trans, host } = props;
  const exposing = useExposing(props);
  const { said, form, question } = exposing;
  useSteps(host, { submit: exposing.submit, back: question.back });
  const port = trans.__('port %1', String(said.draft[request.PORT]) || '…');
  if (question.asked) {
    return (
      <Question about={`${readable(String(said.draft[request.NAME]))} · ${port}`}>
        {publicWarning(trans)} {trans.__('Make public?')}
      </Question>
    );
  }
  return (
    <Form state={form}>
      <Fields {...props} exposing={exposing} />
      <p className="jp-TensorOne-sentence" role="status">
        {`${addressOf(props, said.draft)} → ${port}. `}
        {means(said.who, props.me, trans)} {endsInWords(said.life, Date.now(), trans)}
      </p>
    </Form>
  );
}

/** A form that exposes or changes a port, and what it says now. */
interface Exposing {
  readonly form: FormState;
  readonly question: ReturnType<typeof useQuestion>;
  readonly said: request.Said;
  /** The kernel that the mapping could go with. */
  readonly kernel: string | null;
  setWho(who: request.Said['who']): void;
  setLife(life: Life): void;
  submit(): Promise<boolean>;
}

function useExposing(props: ExposeProps): Exposing {
  const { api, trans, me, mapping, host } = props;
  const [first] = useState(() => firstSaid(props));
  const form = useForm(first.draft);
  const [who, setWho] = useState(first.who);
  const [life, setLife] = useState(first.life);
  const question = useQuestion(host, acceptLabel(props), trans.__('Make public'));
  const kernel = kernelOf(props, form.draft);
  // Another service may have been chosen since.
  const possible: Life = life.end === 'kernel' && kernel === null ? { ...life, end: 'ever' } : life;
  const said = { draft: form.draft, who, life: possible };

  const submit = async (): Promise<boolean> => {
    const before = mapping ? first : null;
    const now = Date.now();
    const { json, problems } = request.readRequest(said, { before, me, kernel, now, trans });
    if (Object.keys(problems).length > 0) {
      form.show(problems);
      return false;
    }
    if (who.choice === 'public' && first.who.choice !== 'public' && !question.asked) {
      question.ask(true);
      return false;
    }
    if (mapping && Object.keys(json).length === 0) {
      return true; // nothing was changed
    }
    const made = await form.send(
      () => (mapping ? api.updatePort(mapping.id, json) : api.createPort(json)),
      request.SHOWN
    );
    if (made === undefined) {
      question.ask(false);
    }
    return made !== undefined;
  };
  return { form, question, said, kernel, setWho, setLife, submit };
}

/** The fields, from what everybody needs to what few do. */
function Fields(props: ExposeContext & { readonly exposing: Exposing }): ReactElement {
  const { trans, mapping, detected, services, exposing } = props;
  const { form, said, kernel } = exposing;
  const port = String(said.draft[request.PORT]);
  const isDetected = detected.some(one => String(one.port) === port);
  const field = (path: string): ReactElement => (
    <SchemaField
      key={path}
      form={request.FORM}
      path={path}
      value={said.draft[path] ?? ''}
      problem={form.problems[path]}
      isPlain={path === request.PORT || path === request.NAME}
      onChange={form.set}
      trans={trans}
    />
  );
  return (
    <>
      {!mapping && (
        <ServiceSelect
          {...{ detected, port, trans }}
          onChange={found =>
            form.fill(found ? request.suggested(found, services) : request.UNKNOWN_SERVICE)
          }
        />
      )}
      {(mapping ?? !isDetected) && field(request.PORT)}
      {field(request.NAME)}
      <WhoField
        who={said.who}
        me={props.me}
        problem={form.problems[request.PEOPLE]}
        onChange={who => {
          exposing.setWho(who);
          form.show({});
        }}
        trans={trans}
      />
      <LifeField
        life={said.life}
        choices={ends({ kernel: kernel !== null, expiry: props.expiry }, trans)}
        problem={form.problems[request.UNTIL]}
        onChange={exposing.setLife}
        trans={trans}
      />
      <More open={mapping !== undefined && request.hasAdvanced(said.draft)} trans={trans}>
        {request.ADVANCED.map(field)}
      </More>
    </>
  );
}

function firstSaid(context: ExposeContext): request.Said {
  const { mapping, me, port, detected, services, choice = 'me' } = context;
  if (mapping) {
    return request.saidOf(mapping, me, context.signInByDefault);
  }
  const found = detected.find(one => one.port === port) ?? (port ? undefined : detected[0]);
  const empty = request.newDraft(port);
  return {
    draft: found ? { ...empty, ...request.suggested(found, services) } : empty,
    who: { choice: me === null && choice === 'me' ? 'people' : choice, people: '' },
    life: { end: 'ever', date: '' }
  };
}

/** Return the kernel of the service; null if there is none, or the server would not keep it. */
function kernelOf({ mapping, detected, kernels }: ExposeContext, draft: Draft): string | null {
  const origin = detected.find(({ port }) => String(port) === draft[request.PORT]);
  return kernels ? (mapping?.kernel_id ?? origin?.kernel_id ?? null) : null;
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
