/**
 * The question before something becomes public: a step of its own in the dialog.
 */
import { useEffect, useRef, useState, type ReactElement, type ReactNode } from 'react';

import type { Host } from './dialog';

/** Whether a dialog asks now, and how it gets there and back. */
export interface QuestionState {
  readonly asked: boolean;
  ask(asked: boolean): void;
  /** Go back to the form; false if it is there already. */
  back(): boolean;
}

/** Keep whether a dialog asks; its button says what a yes does. */
export function useQuestion(host: Host, label: string, yes: string): QuestionState {
  const [asked, setAsked] = useState(false);
  const ask = (asks: boolean): void => {
    setAsked(asks);
    host.label(asks ? yes : label, asks ? 'warn' : 'default');
  };
  const back = (): boolean => {
    if (asked) {
      ask(false);
    }
    return asked;
  };
  return { asked, ask, back };
}

/** The question; Enter in it does nothing, so that nobody says yes by pressing it twice. */
export function Question(props: {
  readonly about: string;
  readonly children: ReactNode;
}): ReactElement {
  const node = useRef<HTMLDivElement>(null);
  useEffect(() => node.current?.focus(), []);
  return (
    <div className="jp-TensorOne-question" role="alert" tabIndex={-1} ref={node}>
      <p>
        <strong>{props.about}</strong>
      </p>
      <p>{props.children}</p>
    </div>
  );
}
