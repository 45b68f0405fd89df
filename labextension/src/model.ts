/**
 * What is exposed and what could be, kept true by the server's events.
 *
 * An event says that something changed, never what is true now: the model then asks, once for a
 * burst of events and never twice at the same time, so lost events and events out of order do no
 * harm. While no view is in sight and nothing happens it asks nothing. It knows no Lab application.
 */
import type { IDisposable } from '@lumino/disposable';
import { Poll, Throttler } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import type { ConnectionInfo, DetectedPort, PortMapping, ServerEvent, Session } from './answers';
import type { Api } from './api';
import { ApiError } from './errors';
import type { IEventSource } from './events';
import { isEqual, merged } from './merge';
import { ownFacts, Whereabouts } from './place';
import type { Connection, IPortsModel, PortArgs } from './tokens';

/** How long after an event the model asks, in milliseconds: a burst costs one request. */
const BURST = 50;
/** How often counters are asked for while a view is in sight, in milliseconds. */
const INTERVAL = 5_000;
/** Events that leave everything as it was; strangers can cause many of them. */
const SAYS_NOTHING = new Set(['request.refused', 'session.refused', 'link.created']);
const LONGEST_INTERVAL = 60_000;

export interface PortsModelOptions {
  readonly api: Api;
  readonly events: IEventSource;
  /** For tests: how often counters are asked for, in milliseconds. */
  readonly interval?: number;
}

export class PortsModel implements IPortsModel, IDisposable {
  readonly api: Api;
  readonly changed = new Signal<this, void>(this);
  readonly happened = new Signal<this, ServerEvent>(this);

  private readonly events: IEventSource;
  private readonly later: Throttler<void>;
  private readonly poll: Poll;
  private readonly watchers = new Set<object>();
  private listed: readonly PortMapping[] = [];
  private found: readonly DetectedPort[] = [];
  private open: readonly DetectedPort[] = [];
  private signedIn: readonly Session[] = [];
  private state: Connection = { state: 'loading' };
  private readonly place: Whereabouts;
  private known: ConnectionInfo | null = null;
  private byNumber: ReadonlyMap<number, DetectedPort> = new Map();
  private asking: Promise<void> | null = null;
  private wanted = 0;
  private hasSessions = true;

  constructor(options: PortsModelOptions) {
    this.api = options.api;
    this.place = new Whereabouts(options.api);
    this.events = options.events;
    this.later = new Throttler(
      () => {
        void this.refresh(); // not waited for: an event meanwhile must ask once more
      },
      { limit: BURST, edge: 'trailing' }
    );
    this.events.happened.connect(this.onEvent, this);
    this.events.connected.connect(this.onLine, this);
    const interval = options.interval ?? INTERVAL;
    this.poll = new Poll({
      auto: false,
      factory: () => this.askOrFail(),
      frequency: { interval, backoff: true, max: Math.max(interval, LONGEST_INTERVAL) },
      name: 'jupyter-tensorone-proxy:counters',
      standby: () => this.watchers.size === 0 || 'when-hidden'
    });
  }

  get exposed(): readonly PortMapping[] {
    return this.listed;
  }

  get detected(): readonly DetectedPort[] {
    return this.open;
  }

  get origins(): ReadonlyMap<number, DetectedPort> {
    return this.byNumber;
  }

  get info(): ConnectionInfo | null {
    return this.known;
  }

  get sessions(): readonly Session[] {
    return this.signedIn;
  }

  get connection(): Connection {
    return this.state;
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  dispose(): void {
    this.later.dispose();
    this.poll.dispose();
    this.events.dispose();
    Signal.clearData(this);
  }

  find({ id, port }: PortArgs): PortMapping | undefined {
    if (id !== undefined) {
      return this.listed.find(mapping => mapping.id === id);
    }
    return port === undefined ? undefined : this.listed.find(m => portsOf(m).includes(port));
  }

  watch(): () => void {
    const watcher = {};
    const isFirst = this.watchers.size === 0;
    this.watchers.add(watcher);
    if (isFirst) {
      void this.poll.start(); // which asks at once
    }
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size === 0 && !this.isDisposed) {
        void this.poll.stop();
      }
    };
  }

  async chooseCluster(id: string): Promise<void> {
    await this.api.chooseCluster(id);
    this.forgetPlace();
    this.take([], this.found, []); // these were the other cluster's
    await this.refresh();
  }

  refresh(): Promise<void> {
    this.wanted += 1; // what is on its way may be older than what makes us ask
    this.asking ??= this.ask();
    return this.asking;
  }

  private async ask(): Promise<void> {
    try {
      for (let answered = 0; answered !== this.wanted && !this.isDisposed;) {
        answered = this.wanted;
        await this.fetchOrFail();
      }
    } finally {
      this.asking = null;
    }
  }

  private async fetchOrFail(): Promise<void> {
    const before = this.known;
    try {
      await this.fetch();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      const unreachable = error.code === 'SERVER_UNREACHABLE';
      const state: Connection = unreachable ? { state: 'offline' } : { state: 'failed', error };
      this.become(state, before !== this.known);
      if (!unreachable) {
        this.forgetPlace(); // it may have been mended elsewhere
      }
    }
  }

  private async askOrFail(): Promise<void> {
    await this.refresh();
    if (this.state.state !== 'ready') {
      throw new Error(this.state.state); // so that the poll waits longer and longer
    }
  }

  private async fetch(): Promise<void> {
    const place = await this.place.ask(early => {
      this.tell({ ...this.known, ...early });
    });
    this.tell({ ...this.known, ...place });
    const [proxy, detected, sessions] = await Promise.all([
      this.api.proxy({ health: true }),
      this.api.detected(),
      this.fetchSessions()
    ]);
    if (!this.isDisposed) {
      const told = this.tell({ ...ownFacts(proxy), ...place });
      const changed = this.take(proxy.port_mappings ?? [], detected, sessions);
      this.become({ state: 'ready' }, told || changed);
    }
  }

  /** Take an answer in; say whether anything in it is new. */
  private take(
    ports: readonly PortMapping[],
    detected: readonly DetectedPort[],
    sessions: readonly Session[]
  ): boolean {
    const listed = merged(this.listed, ports, mapping => mapping.id);
    const found = merged(this.found, detected, port => port.port);
    const signedIn = merged(this.signedIn, sessions, session => session.id);
    const changed = listed !== this.listed || found !== this.found || signedIn !== this.signedIn;
    if (found !== this.found) {
      this.byNumber = new Map(found.map(port => [port.port, port]));
    }
    const taken = new Set(listed.flatMap(portsOf));
    const open = found.filter(({ port }) => !taken.has(port));
    this.listed = listed;
    this.found = found;
    this.signedIn = signedIn;
    this.open = merged(this.open, open, port => port.port);
    return changed;
  }

  private forgetPlace(): void {
    this.place.forget();
    this.hasSessions = true;
  }

  private tell(info: ConnectionInfo): boolean {
    if (this.known && isEqual(this.known, info)) {
      return false;
    }
    this.known = info;
    return true;
  }

  /** Return who is signed in; nobody where the API does not know that. */
  private async fetchSessions(): Promise<readonly Session[]> {
    if (!this.hasSessions) {
      return [];
    }
    try {
      return await this.api.sessions();
    } catch (error) {
      if (error instanceof ApiError && error.code === 'NOT_SUPPORTED') {
        this.hasSessions = false;
        return [];
      }
      throw error;
    }
  }

  private become(state: Connection, changed = false): void {
    const same = isSame(this.state, state);
    this.state = same ? this.state : state;
    if ((changed || !same) && !this.isDisposed) {
      this.changed.emit();
    }
  }

  private onEvent(_: unknown, event: ServerEvent): void {
    this.happened.emit(event);
    if (event.kind !== 'alert' && !(event.kind === 'audit' && SAYS_NOTHING.has(event.action))) {
      void this.later.invoke();
    }
  }

  private onLine(_: unknown, connected: boolean): void {
    if (this.state.state === 'loading') {
      return; // nothing was asked yet that could be out of date
    }
    if (connected) {
      this.forgetPlace();
      void this.later.invoke();
    } else {
      this.become({ state: 'offline' });
    }
  }
}

/** Return every port of this machine that a mapping leads to. */
export function portsOf(mapping: PortMapping): readonly number[] {
  const first = mapping.internal_port;
  return [...(typeof first === 'number' ? [first] : []), ...(mapping.replicas ?? [])];
}

function isSame(one: Connection, other: Connection): boolean {
  if (one.state === 'failed' && other.state === 'failed') {
    return one.error.code === other.error.code && one.error.message === other.error.message;
  }
  return one.state === other.state;
}
