/**
 * What is wrong with the connection, in words: what happened, and what to do.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ConnectionInfo } from './answers';
import type { ApiError } from './errors';
import type { Connection } from './tokens';

export interface Problem {
  readonly what: string;
  /** What to do next; empty if it comes right by itself. */
  readonly todo: string;
  readonly tone: 'bad' | 'neutral';
  /** What a button can do about it. */
  readonly action: 'retry' | 'switch-on' | null;
}

/** Return what is wrong; null if nothing is, or if that is not known yet. */
export function problemOf(
  connection: Connection,
  info: ConnectionInfo | null,
  trans: TranslationBundle
): Problem | null {
  switch (connection.state) {
    case 'loading':
      return null;
    case 'offline':
      return {
        what: trans.__('The Jupyter server does not answer.'),
        todo: trans.__('What is below may be out of date. It connects again by itself.'),
        tone: 'bad',
        action: 'retry'
      };
    case 'failed':
      return failure(connection.error, info, trans);
    case 'ready':
      return proxyProblem(info, trans);
  }
}

function failure(error: ApiError, info: ConnectionInfo | null, trans: TranslationBundle): Problem {
  const problem = {
    what: error.message,
    todo: error.suggestion,
    tone: 'bad',
    action: 'retry'
  } as const;
  switch (error.code) {
    case 'UNAUTHORIZED':
      return {
        ...problem,
        what: trans.__('The API key is refused: %1', error.message),
        todo: trans.__(
          'Set TENSORONE_API_KEY, or the file of TensorOneProxy.api_key_file, to a key that is valid. Then restart the Jupyter server.'
        )
      };
    case 'NOT_CONFIGURED':
      return info?.clusters && info.clusters.length > 0
        ? { ...problem, todo: trans.__('Choose a cluster above.') }
        : problem;
    case 'API_UNREACHABLE':
      return info?.kind === 'gateway'
        ? {
            ...problem,
            what: trans.__('The local gateway is down.'),
            todo: trans.__(
              'It is started again by itself; the Jupyter server’s log says why it ended.'
            )
          }
        : problem;
    case 'FORBIDDEN':
      return {
        ...problem,
        todo: problem.todo || trans.__('Ask whoever runs this server to let you manage ports.')
      };
    default:
      return error.status === 404
        ? {
            ...problem,
            what: trans.__('This Jupyter server cannot expose ports.'),
            todo: trans.__(
              'Install jupyter-tensorone-proxy in the server’s environment and restart the server.'
            )
          }
        : problem;
  }
}

function proxyProblem(info: ConnectionInfo | null, trans: TranslationBundle): Problem | null {
  switch (info?.proxy_status) {
    case 'restarting':
      return {
        what: trans.__('Envoy is restarting.'),
        todo: trans.__('Exposed ports answer again in a moment.'),
        tone: 'neutral',
        action: null
      };
    case 'disabled':
      return {
        what: trans.__('The proxy is switched off: no port answers.'),
        todo: trans.__('What is exposed is kept meanwhile.'),
        tone: 'neutral',
        action: 'switch-on'
      };
    default:
      return null;
  }
}
