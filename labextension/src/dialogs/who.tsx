/**
 * The part of a form that says who can open a port.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, type ReactElement } from 'react';

import { choices, type Who } from '../choices';
import { Frame } from '../form/field';

/** Four choices, and a line for names under the second. */
export function WhoField(props: {
  readonly who: Who;
  readonly me: string | null;
  readonly problem?: string | undefined;
  readonly onChange: (who: Who) => void;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { who, me, problem, onChange, trans } = props;
  const name = useId();
  return (
    <fieldset className="jp-TensorOne-choice">
      <legend>{trans.__('Who can open it')}</legend>
      {choices(me, trans).map(([choice, label]) => (
        <label key={choice}>
          <input
            type="radio"
            name={name}
            checked={who.choice === choice}
            onChange={() => onChange({ ...who, choice })}
          />
          {label}
        </label>
      ))}
      {who.choice === 'people' && (
        <Frame
          label={trans.__('People')}
          help={trans.__('Names, separated by commas. They sign in by a link that you share.')}
          problem={problem}
        >
          {tie => (
            <input
              {...tie}
              className="jp-mod-styled"
              type="text"
              autoComplete="off"
              spellCheck={false}
              aria-required={true}
              placeholder={trans.__('such as %1', 'ana, ben')}
              value={who.people}
              onChange={event => onChange({ ...who, people: event.target.value })}
            />
          )}
        </Frame>
      )}
    </fieldset>
  );
}
