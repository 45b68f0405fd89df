/**
 * The dialog that points an exposed service at another port: its address stays.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { Api } from '../api';
import { SchemaField } from '../form/field';
import { draftOf, readForm } from '../form/schema';
import type { DetectedPort, PortMapping } from '../wire';
import { nameOf, readable } from '../words';
import { showForm, type Host } from './dialog';
import { Form, useForm, useSteps } from './form';
import { ServiceSelect } from './service-select';

const FORM = 'PortRequest';
const PORT = 'internal_port';

/** What the form has to know. */
export interface RepointContext {
  readonly api: Api;
  readonly trans: TranslationBundle;
  readonly mapping: PortMapping;
  readonly detected: readonly DetectedPort[];
}

/** Show the dialog; true once the service is pointed elsewhere. */
export function showRepoint(context: RepointContext): Promise<boolean> {
  const { trans, mapping } = context;
  return showForm({
    title: trans.__('Re-point %1', nameOf(mapping, trans)),
    accept: trans.__('Re-point'),
    trans,
    body: host => <RepointForm {...context} host={host} />
  });
}

/** The form itself. */
export function RepointForm(context: RepointContext & { readonly host: Host }): ReactElement {
  const { api, trans, mapping, detected, host } = context;
  const first = detected[0];
  const form = useForm(draftOf(FORM, [PORT], first ? { [PORT]: first.port } : mapping));
  const submit = async (): Promise<boolean> => {
    const { json, problems } = readForm(FORM, form.draft, {}, trans);
    if (Object.keys(problems).length > 0) {
      form.show(problems);
      return false;
    }
    const sent = await form.send(() => api.updatePort(mapping.id, json), [PORT]);
    return sent !== undefined;
  };
  useSteps(host, { submit, back: () => false });
  const value = String(form.draft[PORT]);
  const isKnown = detected.some(({ port }) => String(port) === value);
  return (
    <Form state={form}>
      <ServiceSelect
        {...{ detected, port: value, trans }}
        onChange={found => form.set(PORT, found ? String(found.port) : '')}
      />
      {!isKnown && (
        <SchemaField
          form={FORM}
          path={PORT}
          value={value}
          problem={form.problems[PORT]}
          onChange={form.set}
          trans={trans}
        />
      )}
      <p className="jp-TensorOne-sentence" role="status">
        {trans.__(
          '%1 stays as it is, and leads to port %2 from then on.',
          readable(mapping.url ?? ''),
          value || '…'
        )}
      </p>
    </Form>
  );
}
