/**
 * Where ports are exposed, and what is wrong if they are not: what happened, and what to do.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { settingsIcon } from '@jupyterlab/ui-components';
import { useState, type ReactElement } from 'react';

import { ApiError } from '../errors';
import { usePart } from '../hooks';
import { useSurroundings } from '../surroundings';
import { CommandIDs } from '../tokens';
import { problemOf, type Problem } from '../problems';
import { readable } from '../words';
import { IconButton, TextButton } from './controls';

export function ConnectionLine(): ReactElement {
  const { model, commands, trans } = useSurroundings();
  const connection = usePart(model, m => m.connection);
  const info = usePart(model, m => m.info);
  const problem = problemOf(connection, info, trans);
  return (
    <section className="jp-TensorOne-connection" aria-label={trans.__('Connection')}>
      <div className="jp-TensorOne-line">
        <Place />
        {commands.hasCommand(CommandIDs.access) && (
          <IconButton
            icon={settingsIcon}
            label={trans.__('Access to all ports…')}
            onClick={() => void commands.execute(CommandIDs.access)}
          />
        )}
      </div>
      <Clusters />
      <div role="status">{problem && <ProblemNote problem={problem} />}</div>
    </section>
  );
}

/** Say which API it is, by words and by a shape for how it does. */
function Place(): ReactElement {
  const { model, trans } = useSurroundings();
  const { state } = usePart(model, m => m.connection);
  const info = usePart(model, m => m.info);
  const isWell = state === 'ready' && info?.proxy_status !== 'restarting';
  const tone = isWell ? 'good' : state === 'failed' ? 'bad' : 'neutral';
  const shape = { good: '●', bad: '▲', neutral: '○' }[tone];
  const where = readable(info?.proxy_url ?? info?.api_url ?? '');
  return (
    <p className="jp-TensorOne-place" title={readable(info?.api_url ?? '')}>
      <span className={`jp-TensorOne-dot jp-mod-${tone}`} aria-hidden="true">
        {shape}
      </span>
      <span>{placeText(info?.kind, trans)}</span>
      <bdi className="jp-TensorOne-faint">{where}</bdi>
    </p>
  );
}

function placeText(kind: string | undefined, trans: TranslationBundle): string {
  if (kind === undefined) {
    return trans.__('Looking for the proxy…');
  }
  return kind === 'gateway' ? trans.__('Local gateway') : trans.__('TensorOne');
}

/** Where the account has several clusters, which of them is meant; the only one by its name. */
function Clusters(): ReactElement | null {
  const { model, trans } = useSurroundings();
  const info = usePart(model, m => m.info);
  const [refusal, setRefusal] = useState('');
  const clusters = info?.clusters ?? [];
  if (info?.kind !== 'api') {
    return null;
  }
  const choose = async (id: string): Promise<void> => {
    setRefusal('');
    try {
      await model.chooseCluster(id);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      setRefusal(error.message);
    }
  };
  const isListed = clusters.some(({ id }) => id === info.cluster_id);
  return (
    <div className="jp-TensorOne-clusters">
      {clusters.length > 1 || !isListed ? (
        <label>
          {trans.__('Cluster')}{' '}
          <select
            value={info.cluster_id}
            onChange={event => void choose(event.target.value)}
            disabled={clusters.length === 0}
          >
            {!isListed && (
              <option value={info.cluster_id}>
                {info.cluster_id ? readable(info.cluster_id) : trans.__('Choose one…')}
              </option>
            )}
            {clusters.map(({ id, name }) => (
              <option key={id} value={id}>
                {readable(name ?? id)}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <bdi className="jp-TensorOne-faint">
          {trans.__('Cluster %1', readable(clusters[0]?.name ?? info.cluster_id))}
        </bdi>
      )}
      {refusal && <p role="alert">{refusal}</p>}
    </div>
  );
}

function ProblemNote({ problem }: { problem: Problem }): ReactElement {
  const { model, commands, trans } = useSurroundings();
  return (
    <div className={`jp-TensorOne-problem jp-mod-${problem.tone}`}>
      <p>
        <strong>{problem.what}</strong>
      </p>
      {problem.todo && <p>{problem.todo}</p>}
      {problem.action === 'retry' && (
        <TextButton onClick={() => void model.refresh()}>{trans.__('Try again')}</TextButton>
      )}
      {problem.action === 'switch-on' && (
        <TextButton onClick={() => void commands.execute(CommandIDs.switchOn)}>
          {trans.__('Switch on')}
        </TextButton>
      )}
    </div>
  );
}
