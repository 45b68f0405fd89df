/**
 * One port that something listens on, and that could be exposed.
 */
import { memo, type ReactElement } from 'react';

import type { DetectedPort } from '../answers';
import { useSurroundings } from '../surroundings';
import { CommandIDs } from '../tokens';
import { originText, readable } from '../words';
import { Name, TextButton } from './controls';

export const DetectedRow = memo(function DetectedRow({
  port
}: {
  port: DetectedPort;
}): ReactElement {
  const { commands, trans } = useSurroundings();
  const name = readable(port.name);
  const from = originText(port, trans);
  return (
    <li className="jp-TensorOne-row" data-port={port.port}>
      <div className="jp-TensorOne-line">
        <div className="jp-TensorOne-found" title={readable(port.because ?? name)}>
          <Name text={name} />
          <span className="jp-TensorOne-port">{port.port}</span>
        </div>
        <TextButton
          className="jp-mod-accept"
          label={trans.__('Expose %1 on port %2', name, String(port.port))}
          onClick={() => void commands.execute(CommandIDs.expose, { port: port.port })}
        >
          {trans.__('Expose')}
        </TextButton>
      </div>
      {from && (
        <p className="jp-TensorOne-second">
          <bdi className="jp-TensorOne-origin" title={port.notebook}>
            {from}
          </bdi>
        </p>
      )}
    </li>
  );
});
