/**
 * What is exposed and what could be, kept true by the server's events.
 *
 * An event says that something changed, never what is true now: the model then asks, once for a
 * burst of events and never twice at the same time, so lost events and events out of order do no
 * harm. While no view is in sight and nothing happens it asks nothing. It knows no Lab application.
 */
import type { IDisposable } from '@lumino/disposable';
import { Debouncer, Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import type { ConnectionInfo, DetectedPort, PortMapping, ServerEvent, Session } from './answers';
import type { Api } from './api';
import { ApiError } from './errors';
import type { IEventSource } from './events';
import { isEqual, merged } from './merge';
import type { Connection, IPortsModel, PortArgs } from './tokens';

/** How long after an event the model asks, in milliseconds: a burst costs one request. */
const BURST = 50;
/** How often counters are asked for while a view is in sight, in milliseconds. */
const INTERVAL = 5_000;
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
  private readonly later: Debouncer<void>;
  private readonly poll: Poll;
  private readonly watchers = new Set<object>();
  private listed: readonly PortMapping[] = [];
  private found: readonly DetectedPort[] = [];
  private open: readonly DetectedPort[] = [];
  private signedIn: readonly Session[] = [];
  private state: Connection = { state: 'loading' };
  private info: ConnectionInfo | null = null;
  private asking: Promise<void> | null = null;
  private wanted = 0;
  private hasSessions = true;

  constructor(options: PortsModelOptions) {
    this.api = options.api;
    this.events = options.events;
    this.later = new Debouncer(() => this.refresh(), BURST);
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
      void this.refresh();
      void this.poll.start();
    }
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size === 0 && !this.isDisposed) {
        void this.poll.stop();
      }
    };
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
    try {
      await this.fetch();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.become({ state: 'failed', error, info: this.info });
    }
  }

  private async askOrFail(): Promise<void> {
    await this.refresh();
    if (this.state.state === 'failed') {
      throw this.state.error; // so that the poll waits longer and longer
    }
  }

  private async fetch(): Promise<void> {
    const [proxy, detected, sessions] = await Promise.all([
      this.api.proxy({ health: true }),
      this.api.detected(),
      this.fetchSessions()
    ]);
    if (this.isDisposed) {
      return;
    }
    const { port_mappings: ports, ...info } = proxy;
    const listed = merged(this.listed, ports ?? [], mapping => mapping.id);
    const found = merged(this.found, detected, port => port.port);
    const signedIn = merged(this.signedIn, sessions, session => session.id);
    const changed = listed !== this.listed || found !== this.found || signedIn !== this.signedIn;
    this.listed = listed;
    this.found = found;
    this.signedIn = signedIn;
    const taken = new Set(listed.flatMap(portsOf));
    this.open = merged(
      this.open,
      found.filter(({ port }) => !taken.has(port)),
      p => p.port
    );
    this.info = this.info && isEqual(this.info, info) ? this.info : info;
    this.become({ state: 'ready', info: this.info }, changed);
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
    void this.later.invoke();
  }

  private onLine(_: unknown, connected: boolean): void {
    if (connected) {
      void this.later.invoke();
    } else {
      this.become({ state: 'offline', info: this.info });
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
    const same = one.error.code === other.error.code && one.error.message === other.error.message;
    return same && one.info === other.info;
  }
  const infoOf = (c: Connection): unknown => ('info' in c ? c.info : undefined);
  return one.state === other.state && infoOf(one) === infoOf(other);
}
