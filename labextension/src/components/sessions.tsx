/**
 * Who is signed in to one service, each with a way to sign them out.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { Session } from '../answers';
import { usePart } from '../hooks';
import { useSurroundings } from '../surroundings';
import { CommandIDs } from '../tokens';
import { ago, readable } from '../words';
import { IconButton } from './controls';

interface SessionsProps {
  readonly portId: string;
  readonly now: number;
}

export function Sessions({ portId, now }: SessionsProps): ReactElement {
  const { model, trans } = useSurroundings();
  const all = usePart(model, m => m.sessions);
  const sessions = all.filter(session => session.port_id === portId);
  if (sessions.length === 0) {
    return <p className="jp-TensorOne-note">{trans.__('Nobody is signed in.')}</p>;
  }
  return (
    <ul className="jp-TensorOne-people" aria-label={trans.__('Signed in')}>
      {sessions.map(session => (
        <SessionRow key={session.id} session={session} now={now} />
      ))}
    </ul>
  );
}

function SessionRow({ session, now }: { session: Session; now: number }): ReactElement {
  const { model, commands, trans } = useSurroundings();
  const me = usePart(model, m => m.info?.me);
  const user = session.user === me ? trans.__('you') : readable(session.user);
  const facts = [viaText(session.via, trans), ago(session.created_at, now, trans)].filter(Boolean);
  return (
    <li>
      <span className="jp-TensorOne-person" title={readable(session.client_ip ?? '')}>
        <bdi>{user}</bdi> <span className="jp-TensorOne-faint">({facts.join(', ')})</span>
      </span>
      <IconButton
        icon={closeIcon}
        label={trans.__('Sign out %1', user)}
        onClick={() => void commands.execute(CommandIDs.signOut, { session: session.id })}
      />
    </li>
  );
}

/** Say how somebody came in. */
function viaText(via: string | null | undefined, trans: TranslationBundle): string {
  switch (via) {
    case 'open':
      return trans.__('from Jupyter');
    case 'link':
      return trans.__('by a link');
    case 'token':
      return trans.__('by a token');
    default:
      return readable(via ?? '');
  }
}
