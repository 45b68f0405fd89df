/**
 * Names that plugins share: command ids, tokens and the interfaces behind them. It does nothing.
 */
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { Api } from './api';
import type { ApiError } from './errors';
import type { ConnectionInfo, DetectedPort, PortMapping, ServerEvent, Session } from './answers';

/** The name of this extension's settings, its translations and its plugins. */
export const EXTENSION = 'jupyter-tensorone-proxy';

/** The domain of the translation bundle: `translator.load(DOMAIN)`. */
export const DOMAIN = 'jupyter_tensorone_proxy';

/** Ids of all commands. Each takes one object of arguments; `commands.ts` has their schemas. */
export const CommandIDs = {
  /** Show the sidebar. */
  showPanel: 'tensorone-proxy:show-panel',
  /** Ask again for everything. */
  refresh: 'tensorone-proxy:refresh',
  /** Expose a port: `PortArgs`, all optional. Opens the dialog. */
  expose: 'tensorone-proxy:expose',
  /** Open an exposed service in a tab of Lab: `PortArgs`. */
  open: 'tensorone-proxy:open',
  /** Open an exposed service in a tab of the browser: `PortArgs`. */
  openInBrowser: 'tensorone-proxy:open-in-browser',
  /** Copy the address of an exposed service: `PortArgs`. */
  copyLink: 'tensorone-proxy:copy-link',
  /** Let a person in: `PortArgs`. Opens the dialog. */
  share: 'tensorone-proxy:share',
  /** Change an exposed service: `PortArgs`. Opens the dialog. */
  edit: 'tensorone-proxy:edit',
  /** Point an exposed service at another port: `PortArgs`. */
  repoint: 'tensorone-proxy:repoint',
  /** Stop exposing: `PortArgs`. */
  stop: 'tensorone-proxy:stop',
  /** Sign a visitor out: `SessionArgs`. */
  signOut: 'tensorone-proxy:sign-out',
  /** Switch the proxy on again. */
  switchOn: 'tensorone-proxy:switch-on',
  /** The rules for all ports. Opens the dialog. */
  access: 'tensorone-proxy:access'
} as const;

/** Which port a command is about: a mapping by its id, or a port by its number. */
export interface PortArgs {
  readonly id?: string;
  readonly port?: number;
}

/** Which session a command is about. */
export interface SessionArgs {
  readonly session: string;
}

/** How far what the model knows can be trusted. */
export type Connection =
  | { readonly state: 'loading' }
  | { readonly state: 'ready' }
  /** The API, or the way to it. */
  | { readonly state: 'failed'; readonly error: ApiError }
  /** The Jupyter server itself. */
  | { readonly state: 'offline' };

/** What is exposed and what could be: the one source of every view. */
export interface IPortsModel {
  /** The REST door. */
  readonly api: Api;
  /** Exposed services, in the server's order; a mapping that did not change is the same object as before. */
  readonly exposed: readonly PortMapping[];
  /** Ports that something listens on and that are not exposed, by number. */
  readonly detected: readonly DetectedPort[];
  /** Everything that was detected, exposed or not, by its number: where a mapping comes from. */
  readonly origins: ReadonlyMap<number, DetectedPort>;
  /** Live sessions of all mappings; none where the API does not know them. */
  readonly sessions: readonly Session[];
  /** Whether what is above is true now. */
  readonly connection: Connection;
  /** What was asked for last, as answered, or before it failed. */
  readonly info: ConnectionInfo | null;
  /** Something above changed. */
  readonly changed: ISignal<IPortsModel, void>;
  /** The server told of something: for those who react to one event, such as toasts. */
  readonly happened: ISignal<IPortsModel, ServerEvent>;
  /** Return the mapping that a command is about. */
  find(args: PortArgs): PortMapping | undefined;
  /** Speak for another cluster of the account. Throws what the server refuses. */
  chooseCluster(id: string): Promise<void>;
  /** Ask the server again, now; resolves when the answer is in the model. Never rejects. */
  refresh(): Promise<void>;
  /** Have counters kept current while at least one view is in sight; returns the end of it. */
  watch(): () => void;
}

/** Require this to show or change ports. */
export const IPortsModel = new Token<IPortsModel>(
  `${EXTENSION}:IPortsModel`,
  'What is exposed and what could be.'
);
