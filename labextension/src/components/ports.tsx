/**
 * Everything in the sidebar.
 */
import { addIcon, refreshIcon } from '@jupyterlab/ui-components';
import {
  useCallback,
  useDeferredValue,
  useId,
  useState,
  type KeyboardEvent,
  type ReactElement
} from 'react';

import type { DetectedPort, PortMapping } from '../answers';
import { usePart } from '../hooks';
import { InSight, SurroundingsContext, useSurroundings, type Surroundings } from '../surroundings';
import { CommandIDs } from '../tokens';
import { nameOf } from '../words';
import { ConnectionLine } from './connection-line';
import { IconButton, TextButton } from './controls';
import { DetectedRow } from './detected-row';
import { ExposedRow } from './exposed-row';

/** From this many rows on there is a field to look for one. */
const MANY = 10;

interface PortsProps {
  readonly surroundings: Surroundings;
  readonly inSight: boolean;
}

export default function Ports({ surroundings, inSight }: PortsProps): ReactElement {
  return (
    <SurroundingsContext.Provider value={surroundings}>
      <InSight.Provider value={inSight}>
        <Header />
        <ConnectionLine />
        <Lists />
      </InSight.Provider>
    </SurroundingsContext.Provider>
  );
}

function Header(): ReactElement {
  const { commands, trans } = useSurroundings();
  return (
    <header className="jp-TensorOne-header">
      <h2>{trans.__('Ports')}</h2>
      <IconButton
        icon={refreshIcon}
        label={trans.__('Refresh')}
        onClick={() => void commands.execute(CommandIDs.refresh)}
      />
      {commands.hasCommand(CommandIDs.expose) && (
        <IconButton
          icon={addIcon}
          label={trans.__('Expose a port…')}
          onClick={() => void commands.execute(CommandIDs.expose)}
        />
      )}
    </header>
  );
}

function Lists(): ReactElement {
  const { model, trans } = useSurroundings();
  const exposed = usePart(model, m => m.exposed);
  const detected = usePart(model, m => m.detected);
  const { state } = usePart(model, m => m.connection);
  const [wanted, setWanted] = useState('');
  const sought = useDeferredValue(wanted.trim().toLowerCase());
  const isMany = exposed.length + detected.length > MANY;
  const fits = (name: string, port: unknown): boolean =>
    !isMany || name.toLowerCase().includes(sought) || String(port).includes(sought);
  return (
    <div className={state === 'ready' ? '' : 'jp-mod-stale'} onKeyDown={moveByKey}>
      {isMany && (
        <input
          type="search"
          className="jp-TensorOne-search"
          placeholder={trans.__('Name or port')}
          aria-label={trans.__('Show only ports with this name or number')}
          value={wanted}
          onChange={event => setWanted(event.target.value)}
        />
      )}
      <Exposed
        all={exposed}
        shown={exposed.filter(m => fits(nameOf(m, trans), m.internal_port))}
        isKnown={state !== 'loading'}
      />
      <Detected all={detected} shown={detected.filter(({ name, port }) => fits(name, port))} />
    </div>
  );
}

interface ListProps<T> {
  readonly all: readonly T[];
  readonly shown: readonly T[];
}

function Exposed({
  all,
  shown,
  isKnown
}: ListProps<PortMapping> & { readonly isKnown: boolean }): ReactElement {
  const { model, commands, trans } = useSurroundings();
  const origins = usePart(model, m => m.origins);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const id = useId();
  const toggle = useCallback((port: string): void => {
    setOpen(before => {
      const now = new Set(before);
      if (!now.delete(port)) {
        now.add(port);
      }
      return now;
    });
  }, []);
  return (
    <section aria-labelledby={id}>
      <ListTitle id={id} text={trans.__('Exposed')} count={all.length} />
      <ul className="jp-TensorOne-list">
        {shown.map(mapping => (
          <ExposedRow
            key={mapping.id}
            mapping={mapping}
            origin={origins.get(mapping.internal_port ?? 0)}
            isOpen={open.has(mapping.id)}
            onToggle={toggle}
          />
        ))}
      </ul>
      {isKnown && all.length === 0 && (
        <div className="jp-TensorOne-empty">
          <p>{trans.__('Nothing is exposed.')}</p>
          <p>
            {trans.__(
              'Start TensorBoard, MLflow or any web app in a notebook and it appears here, or expose a port by its number.'
            )}
          </p>
          {commands.hasCommand(CommandIDs.expose) && (
            <TextButton
              className="jp-mod-accept"
              onClick={() => void commands.execute(CommandIDs.expose)}
            >
              {trans.__('Expose a port…')}
            </TextButton>
          )}
        </div>
      )}
      {all.length > 0 && shown.length === 0 && <NoMatch />}
    </section>
  );
}

function Detected({ all, shown }: ListProps<DetectedPort>): ReactElement {
  const { trans } = useSurroundings();
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <ListTitle id={id} text={trans.__('Detected')} count={all.length} />
      <ul className="jp-TensorOne-list">
        {shown.map(port => (
          <DetectedRow key={port.port} port={port} />
        ))}
      </ul>
      {all.length === 0 && (
        <p className="jp-TensorOne-empty">
          {trans.__(
            'What kernels and terminals start to serve is listed here, ready to be exposed.'
          )}
        </p>
      )}
      {all.length > 0 && shown.length === 0 && <NoMatch />}
    </section>
  );
}

interface ListTitleProps {
  readonly id: string;
  readonly text: string;
  readonly count: number;
}

function ListTitle({ id, text, count }: ListTitleProps): ReactElement {
  return (
    <h3 id={id} className="jp-TensorOne-title">
      {text} <span className="jp-TensorOne-count">{count > 0 ? count : ''}</span>
    </h3>
  );
}

function NoMatch(): ReactElement {
  const { trans } = useSurroundings();
  return <p className="jp-TensorOne-empty">{trans.__('None of them has this name or number.')}</p>;
}

const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: (at, count) => Math.min(at + 1, count - 1),
  ArrowUp: at => Math.max(at - 1, 0),
  Home: () => 0,
  End: (_, count) => count - 1
};

/** Go from row to row by the arrow keys. */
function moveByKey(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key];
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.jp-TensorOne-toggle')];
  const at = rows.indexOf(event.target as HTMLElement);
  if (step && at >= 0) {
    event.preventDefault();
    rows[step(at, rows.length)]?.focus();
  }
}
