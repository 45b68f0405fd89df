/**
 * What a person is told of exposed services while they look elsewhere: alerts, and changes of health.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { AlertEvent, AuditEvent, ServerEvent } from '../answers';
import type { IPortsModel, PortArgs } from '../tokens';
import { nameOf } from '../words';
import type { IPreferences } from './preferences';
import { brief } from './text';

export type Tell = (message: string, type: 'success' | 'warning', port: PortArgs) => void;

/** A service that fails and recovers again and again is told of this often, in milliseconds. */
const SELDOM = 60_000;

export class Notices implements IDisposable {
  private readonly model: IPortsModel;
  private readonly preferences: IPreferences;
  private readonly trans: TranslationBundle;
  private readonly tell: Tell;
  private readonly down = new Set<string>();
  private readonly toldAt = new Map<string, number>();
  private disposed = false;

  constructor(model: IPortsModel, preferences: IPreferences, trans: TranslationBundle, tell: Tell) {
    this.model = model;
    this.preferences = preferences;
    this.trans = trans;
    this.tell = tell;
    model.happened.connect(this.onEvent, this);
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    this.disposed = true;
    Signal.clearData(this);
  }

  private onEvent(_: unknown, event: ServerEvent): void {
    const { current } = this.preferences;
    if (event.kind === 'alert' && current.notifyAlerts) {
      this.onAlert(event);
    } else if (event.kind === 'audit' && event.action === 'health.changed') {
      this.onHealth(event, current.notifyHealth);
    }
  }

  private onAlert({ state, name, alert, value, port_id: id }: AlertEvent): void {
    const { trans } = this;
    const [who, what] = [brief(name), brief(alert)];
    if (state === 'recovered') {
      this.tell(trans.__('%1 is fine again: %2.', who, what), 'success', { id });
    } else {
      const now = value === undefined ? '' : ` ${trans.__('It is %1.', brief(value))}`;
      this.tell(`${trans.__('%1: %2.', who, what)}${now}`, 'warning', { id });
    }
  }

  private onHealth({ port_id: id, status }: AuditEvent, wanted: boolean): void {
    const mapping = id === undefined ? undefined : this.model.find({ id });
    if (!wanted || id === undefined || mapping === undefined) {
      return;
    }
    const { trans } = this;
    const name = brief(nameOf(mapping, trans));
    const now = Date.now();
    if (status === 'unhealthy' && now - (this.toldAt.get(id) ?? -SELDOM) >= SELDOM) {
      this.toldAt.set(id, now);
      this.down.add(id);
      this.tell(trans.__('%1 does not answer.', name), 'warning', { id });
    } else if (status === 'healthy' && this.down.delete(id)) {
      this.tell(trans.__('%1 answers again.', name), 'success', { id });
    }
  }
}
