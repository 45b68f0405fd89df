/**
 * Services that the Jupyter server could start: those it was told of and that do not run.
 */
import { Throttler } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';

import type { Api } from '../api';
import { ApiError } from '../errors';

/** A service with a command, as `api/processes` answers it. */
export interface Startable {
  readonly id: string;
  readonly name: string;
  readonly stack: string;
  readonly command: readonly string[];
  readonly state: string;
}

const RESTS: ReadonlySet<string> = new Set(['stopped', 'failed']);
/** Several processes of one service change at about the same time, in milliseconds. */
const BURST = 200;

export class Startables implements IDisposable {
  readonly changed = new Signal<this, void>(this);
  private readonly api: Api;
  private readonly later: Throttler<void>;
  private known: readonly Startable[] = [];

  constructor(api: Api) {
    this.api = api;
    this.later = new Throttler(() => this.refresh(), { limit: BURST, edge: 'trailing' });
  }

  get isDisposed(): boolean {
    return this.later.isDisposed;
  }

  dispose(): void {
    this.later.dispose();
    Signal.clearData(this);
  }

  /** What does not run. */
  get resting(): readonly Startable[] {
    return this.known.filter(({ state }) => RESTS.has(state));
  }

  find(id: unknown): Startable | undefined {
    return this.known.find(service => service.id === id);
  }

  /** A process began or ended. */
  heard(): void {
    void this.later.invoke();
  }

  /** Ask the server. One that runs no services has none. */
  async refresh(): Promise<void> {
    try {
      this.known = await this.api.call<readonly Startable[]>('GET', 'processes');
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.known = [];
    }
    this.changed.emit();
  }

  /** Start a service; resolves when it is ready. Throws what the server refuses. */
  async start(id: string): Promise<void> {
    await this.api.call<object>('POST', `processes/${encodeURIComponent(id)}/start`);
  }
}
