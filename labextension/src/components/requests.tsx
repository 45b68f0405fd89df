/**
 * The last requests to one service, all of them or those of one class of statuses.
 */
import { useCallback, useId, useState, type ReactElement } from 'react';

import type { LogEntry } from '../answers';
import { useAsked } from '../hooks';
import { useSurroundings } from '../surroundings';
import { clock, milliseconds, readable } from '../words';

const SHOWN = 10;
const CLASSES = [2, 3, 4, 5] as const;

export function Requests({ portId }: { portId: string }): ReactElement {
  const { model, trans } = useSurroundings();
  const [status, setStatus] = useState(0);
  const id = useId();
  const ask = useCallback(
    () => model.api.logs({ port_id: portId, limit: SHOWN, ...(status > 0 ? { status } : {}) }),
    [model, portId, status]
  );
  const { value, error } = useAsked(ask);
  return (
    <section aria-labelledby={id}>
      <div className="jp-TensorOne-subheader">
        <h4 id={id}>{trans.__('Recent requests')}</h4>
        <select
          aria-label={trans.__('Which requests')}
          value={status}
          onChange={event => setStatus(Number(event.target.value))}
        >
          <option value={0}>{trans.__('all')}</option>
          {CLASSES.map(number => (
            <option key={number} value={number}>{`${number}xx`}</option>
          ))}
        </select>
      </div>
      {error && <p className="jp-TensorOne-note">{error.message}</p>}
      {value && <Lines entries={value} />}
    </section>
  );
}

function Lines({ entries }: { entries: readonly LogEntry[] }): ReactElement {
  const { trans } = useSurroundings();
  if (entries.length === 0) {
    return <p className="jp-TensorOne-note">{trans.__('There was none.')}</p>;
  }
  return (
    <ul className="jp-TensorOne-log">
      {entries.map((entry, i) => (
        <Line key={entry.id ?? `line-${i}`} entry={entry} />
      ))}
    </ul>
  );
}

function Line({ entry }: { entry: LogEntry }): ReactElement {
  const status = entry.status_code ?? 0;
  const path = readable(entry.path ?? '');
  const who = readable(entry.user ?? entry.client_ip ?? '');
  const title = [clock(entry.timestamp ?? ''), who, path].filter(Boolean).join(' · ');
  return (
    <li title={title}>
      <span className={status >= 400 ? 'jp-TensorOne-refused' : undefined}>
        {status >= 400 ? '✕ ' : ''}
        {status > 0 ? status : '–'}
      </span>
      <span>{readable(entry.method ?? '')}</span>
      <bdi className="jp-TensorOne-path">{path}</bdi>
      <span className="jp-TensorOne-faint">{milliseconds(entry.response_time_ms)}</span>
    </li>
  );
}
