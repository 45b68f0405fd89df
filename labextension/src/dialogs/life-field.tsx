/**
 * The part of a form that says for how long a port is exposed.
 */
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Frame } from '../form/field';
import type { End, Life } from './life';

/** How it ends, and the date where that is one. */
export function LifeField(props: {
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
