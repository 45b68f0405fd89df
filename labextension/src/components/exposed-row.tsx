/**
 * One exposed service: a line to recognise it by, and on demand everything about it.
 */
import { ellipsesIcon, launchIcon, caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { memo, useId, type MouseEvent, type ReactElement } from 'react';

import type { ConnectionInfo, DetectedPort, PortMapping } from '../answers';
import { usePart } from '../hooks';
import { audienceIcons } from '../icons';
import { openRowMenu } from '../row-menu';
import { useSurroundings } from '../surroundings';
import { CommandIDs } from '../tokens';
import {
  audienceOf,
  clock,
  downSince,
  healthOf,
  isPage,
  nameOf,
  originText,
  type Health
} from '../words';
import { IconButton, Name } from './controls';
import { Details } from './details';

interface ExposedRowProps {
  readonly mapping: PortMapping;
  readonly origin: DetectedPort | undefined;
  readonly isOpen: boolean;
  readonly onToggle: (id: string) => void;
}

/** It is drawn again only when its mapping is another object. */
export const ExposedRow = memo(function ExposedRow(props: ExposedRowProps): ReactElement {
  const { mapping, origin, isOpen, onToggle } = props;
  const { commands, model, trans } = useSurroundings();
  const id = useId();
  const name = nameOf(mapping, trans);
  const health = healthOf(mapping, trans);
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const open = commands.hasCommand(CommandIDs.open) ? CommandIDs.open : CommandIDs.openInBrowser;
  const showMenu = (event: MouseEvent<HTMLElement>): void => {
    event.preventDefault();
    openRowMenu(commands, { id: mapping.id }, event.currentTarget);
  };
  return (
    <li className="jp-TensorOne-row" data-port-id={mapping.id} onContextMenu={showMenu}>
      <div className="jp-TensorOne-line">
        <button
          type="button"
          className="jp-TensorOne-toggle"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          title={name}
          onClick={() => onToggle(mapping.id)}
        >
          <Caret.react tag="span" className="jp-TensorOne-caret" elementSize="normal" />
          <HealthDot health={health} />
          <Name text={name} />
          <PortNumber mapping={mapping} />
        </button>
        {isPage(mapping) && (
          <IconButton
            icon={launchIcon}
            label={trans.__('Open %1', name)}
            onClick={() => void commands.execute(open, { id: mapping.id })}
          />
        )}
        <IconButton
          icon={ellipsesIcon}
          label={trans.__('More for %1', name)}
          hasMenu
          onClick={showMenu}
        />
      </div>
      <SecondLine mapping={mapping} origin={origin} info={usePart(model, m => m.info)} />
      {isOpen && (
        <div id={id}>
          <Details mapping={mapping} origin={origin} />
        </div>
      )}
    </li>
  );
});

function HealthDot({ health }: { health: Health }): ReactElement {
  return (
    <span
      className={`jp-TensorOne-dot jp-mod-${health.tone}`}
      role="img"
      aria-label={health.word}
      title={health.word}
    >
      {health.shape}
    </span>
  );
}

function PortNumber({ mapping }: { mapping: PortMapping }): ReactElement {
  const { trans } = useSurroundings();
  const more = mapping.replicas?.length ?? 0;
  const count = String(more + 1);
  return (
    <span className="jp-TensorOne-port">
      {mapping.internal_port ?? ''}
      {more > 0 && (
        <span aria-label={trans.__('%1 replicas', count)} title={trans.__('%1 replicas', count)}>
          {` ×${count}`}
        </span>
      )}
    </span>
  );
}

interface SecondLineProps {
  readonly mapping: PortMapping;
  readonly origin: DetectedPort | undefined;
  readonly info: ConnectionInfo | null;
}

function SecondLine({ mapping, origin, info }: SecondLineProps): ReactElement {
  const { trans } = useSurroundings();
  const audience = audienceOf(mapping, info, trans);
  const since = downSince(mapping);
  const from = originText(origin, trans);
  const Icon = audienceIcons[audience.kind];
  return (
    <p className="jp-TensorOne-second">
      <span className={`jp-TensorOne-audience jp-mod-${audience.kind}`}>
        <Icon.react tag="span" className="jp-TensorOne-small-icon" aria-hidden="true" />
        {audience.text}
      </span>
      {from && (
        <bdi className="jp-TensorOne-origin" title={origin?.notebook}>
          {from}
        </bdi>
      )}
      {since !== null && (
        <span className="jp-TensorOne-trouble">
          {trans.__('not answering since %1', clock(since))}
        </span>
      )}
      {mapping.expires_at && (
        <span className="jp-TensorOne-until">
          {trans.__('until %1', clock(mapping.expires_at))}
        </span>
      )}
    </p>
  );
}
