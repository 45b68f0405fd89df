/**
 * What the forms of all dialogs share: drafts, problems at their fields, and what went wrong besides.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useRef, useState, type ReactElement, type ReactNode } from 'react';

import { ApiError } from '../errors';
import { placed, type Draft, type Problems } from '../form/schema';
import type { Host, Steps } from './dialog';

/** What a form keeps while people fill it in. */
export interface FormState {
  readonly draft: Draft;
  readonly problems: Problems;
  /** What is wrong besides fields, each a sentence. */
  readonly failures: readonly string[];
  /** Change one field; its problem is gone then. */
  set(path: string, value: string | boolean): void;
  /** Change several at once. */
  fill(values: Draft): void;
  /** Show problems, and go to the first. */
  show(problems: Problems, failures?: readonly string[]): void;
  /**
   * Make a request.
   *
   * @param request - Makes it.
   * @param shown - The fields that the form shows, for problems that the server finds.
   * @returns What it answers; undefined if it failed, which then is shown.
   */
  send<T>(request: () => Promise<T>, shown: readonly string[]): Promise<T | undefined>;
}

/** Keep a form. */
export function useForm(first: Draft): FormState {
  const [draft, setDraft] = useState(first);
  const [problems, setProblems] = useState<Problems>({});
  const [failures, setFailures] = useState<readonly string[]>([]);
  const show: FormState['show'] = (found, others = []) => {
    setProblems(found);
    setFailures(others);
  };
  const fill: FormState['fill'] = values => {
    setDraft(before => ({ ...before, ...values }));
    setProblems(before => without(before, Object.keys(values)));
  };
  return {
    draft,
    problems,
    failures,
    show,
    fill,
    set: (path, value) => fill({ [path]: value }),
    send: async (request, shown) => {
      show({});
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof ApiError)) {
          throw error;
        }
        const found = placed(error.fields, shown);
        const told = Object.keys(found.problems).length > 0 && found.rest.length === 0;
        show(found.problems, told ? [] : [sentence(error), ...found.rest]);
        return undefined;
      }
    }
  };
}

/** Hand the steps of this drawing to the dialog, so that they know what stands in the form now. */
export function useSteps(host: Host, steps: Steps): void {
  useEffect(() => host.attach(steps));
}

function without(problems: Problems, paths: readonly string[]): Problems {
  return Object.fromEntries(Object.entries(problems).filter(([path]) => !paths.includes(path)));
}

function sentence(error: ApiError): string {
  return error.suggestion ? `${error.message} ${error.suggestion}` : error.message;
}

/** A form with what went wrong at its top; it goes to the first field that is wrong. */
export function Form(props: {
  readonly state: FormState;
  readonly children: ReactNode;
}): ReactElement {
  const { problems, failures } = props.state;
  const node = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (Object.keys(problems).length > 0) {
      const wrong = node.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
      const fold = wrong?.closest('details');
      if (fold) {
        fold.open = true;
      }
      wrong?.focus();
      wrong?.closest('.jp-TensorOne-field')?.scrollIntoView({ block: 'nearest' });
    }
  }, [problems]);
  return (
    <div className="jp-TensorOne-form" ref={node}>
      {failures.map(failure => (
        <div className="jp-TensorOne-problem" role="alert" key={failure}>
          <span aria-hidden="true">▲ </span>
          {failure}
        </div>
      ))}
      {props.children}
    </div>
  );
}

/** What is seldom needed; open from the start if something of it is set. */
export function More(props: {
  readonly open: boolean;
  readonly trans: TranslationBundle;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <details className="jp-TensorOne-more" open={props.open}>
      <summary>{props.trans.__('More')}</summary>
      {props.children}
    </details>
  );
}
