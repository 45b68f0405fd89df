/**
 * Jupyter events of this extension, and when the line that brings them was cut.
 */
import { EventManager, type Event, type ServerConnection } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';

import type { AlertEvent, AuditEvent, DetectedEvent, ServerEvent } from './answers';

const SCHEMAS = 'https://tensorone.ai/schemas/jupyter_tensorone_proxy';
const AUDIT = `${SCHEMAS}/audit/v1`;
const DETECTED = `${SCHEMAS}/detected_port/v1`;
const ALERT = `${SCHEMAS}/alert/v1`;

/** Where events come from. */
export interface IEventSource extends IDisposable {
  /** Something happened. */
  readonly happened: ISignal<unknown, ServerEvent>;
  /** The line is there (again), or was cut: what happened in between was not heard. */
  readonly connected: ISignal<unknown, boolean>;
}

/** Return an event as ours; null if it is of somebody else. */
export function ours(emission: Event.Emission): ServerEvent | null {
  switch (emission.schema_id) {
    case AUDIT:
      return { ...(emission as unknown as AuditEvent), kind: 'audit' };
    case DETECTED:
      return { ...(emission as unknown as DetectedEvent), kind: 'detected' };
    case ALERT:
      return { ...(emission as unknown as AlertEvent), kind: 'alert' };
    default:
      return null;
  }
}

/**
 * The Jupyter server's events, by Lab's own manager of them.
 *
 * It is one of our own and not the application's, because that one does not say when its WebSocket
 * was closed and opened again, and then nobody knows what was missed.
 */
export class ServerEvents implements IEventSource {
  readonly happened = new Signal<this, ServerEvent>(this);
  readonly connected = new Signal<this, boolean>(this);
  private readonly manager: EventManager;

  constructor(settings: ServerConnection.ISettings) {
    const { connected } = this;
    class WatchedSocket extends settings.WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('open', () => connected.emit(true));
        this.addEventListener('close', () => connected.emit(false));
      }
    }
    this.manager = new EventManager({
      serverSettings: { ...settings, WebSocket: WatchedSocket }
    });
    this.manager.stream.connect(this.onEmission, this);
  }

  get isDisposed(): boolean {
    return this.manager.isDisposed;
  }

  dispose(): void {
    this.manager.dispose();
    Signal.clearData(this);
  }

  private onEmission(_: unknown, emission: Event.Emission): void {
    const event = ours(emission);
    if (event) {
      this.happened.emit(event);
    }
  }
}
