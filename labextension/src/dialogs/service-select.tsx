/**
 * Which of the detected services is meant, or a port by its number.
 */
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Frame } from '../form/field';
import type { DetectedPort } from '../wire';
import { originText, readable } from '../words';

const OTHER = '';

/** A choice of services; nothing where none was detected. */
export function ServiceSelect(props: {
  readonly detected: readonly DetectedPort[];
  /** The port, as it was typed. */
  readonly port: string;
  /** Undefined for a port by its number. */
  readonly onChange: (found: DetectedPort | undefined) => void;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { detected, port, onChange, trans } = props;
  const find = (text: string): DetectedPort | undefined =>
    detected.find(one => String(one.port) === text);
  if (detected.length === 0) {
    return null;
  }
  return (
    <Frame label={trans.__('Service')}>
      {tie => (
        <HTMLSelect
          {...tie}
          value={find(port) ? port : OTHER}
          onChange={event => onChange(find(event.target.value))}
        >
          {detected.map(one => (
            <option key={one.port} value={String(one.port)}>
              {[readable(one.name), trans.__('port %1', String(one.port)), originText(one, trans)]
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
