/**
 * Which ports a person is asked about, and when a question is no question any more.
 *
 * It is asked once for a service. Not asked is about what is exposed already, what was answered
 * before, what came and went a moment ago, and more than a few at a time. Events are what it reacts
 * to, because they are quick; what the model lists makes up for those that were lost. It knows no
 * notifications: `show` does.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { AuditEvent, DetectedPort, ServerEvent } from '../answers';
import type { IPortsModel } from '../tokens';
import { answerTo, type IPreferences } from './preferences';

/** What a person is asked or told. */
export type Offer =
  /** Expose it? */
  | { readonly kind: 'found'; readonly port: DetectedPort }
  /** It was exposed by itself. */
  | { readonly kind: 'exposed'; readonly port: DetectedPort }
  /** It was exposed by itself, privately, and its notebook wishes for more. */
  | { readonly kind: 'public'; readonly port: DetectedPort }
  /** There are too many to ask about each. */
  | { readonly kind: 'many'; readonly count: number };

/** Shows an offer, and calls back when the person put it away; returns what takes it away again. */
export type Show = (offer: Offer, away: () => void) => () => void;

/** How long the cell that starts something may take to expose it itself, in milliseconds. */
const GRACE = 200;
/** How long the same service is not asked about again, in milliseconds. */
const QUIET = 600_000;
/** How many questions there may be at a time. */
const MOST = 3;
/** How long a notification is in sight if nobody does anything, in milliseconds. */
export const IN_SIGHT = 30_000;

interface Open {
  readonly port: DetectedPort;
  readonly close: () => void;
  readonly since: number;
  /** The model listed it: if it lists it no longer, it is gone. */
  listed: boolean;
}

export class Offers implements IDisposable {
  private readonly model: IPortsModel;
  private readonly preferences: IPreferences;
  private readonly show: Show;
  private readonly open = new Map<number, Open>();
  private readonly waiting = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly shownAt = new Map<string, number>();
  /** What events said of ports since the model asked last. */
  private readonly told = new Map<number, boolean>();
  private known: ReadonlySet<number> | null = null;
  private closeMany: (() => void) | null = null;
  private many = 0;
  private disposed = false;

  constructor(model: IPortsModel, preferences: IPreferences, show: Show) {
    this.model = model;
    this.preferences = preferences;
    this.show = show;
    if (model.connection.state === 'ready') {
      this.known = new Set(model.origins.keys());
    }
    model.happened.connect(this.onEvent, this);
    model.changed.connect(this.onChanged, this);
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    this.disposed = true;
    Signal.clearData(this);
    for (const timer of this.waiting.values()) {
      clearTimeout(timer);
    }
    for (const { close } of this.open.values()) {
      close();
    }
  }

  /** It was answered, here or in another page. */
  answered(port: number): void {
    this.close(port);
  }

  private onEvent(_: unknown, event: ServerEvent): void {
    if (event.kind === 'audit') {
      this.onAudit(event);
    } else if (event.kind === 'detected' && event.change === 'found') {
      this.consider(event);
    } else if (event.kind === 'detected') {
      this.close(event.port);
    }
  }

  private onAudit({ action, internal_port: port }: AuditEvent): void {
    if (port !== undefined && action === 'port.created') {
      this.told.set(port, true);
      this.closeQuestion(port);
    } else if (port !== undefined && action === 'port.deleted') {
      this.told.set(port, false);
    }
  }

  private onChanged(): void {
    const { model } = this;
    if (model.connection.state !== 'ready') {
      return;
    }
    this.told.clear();
    const before = this.known;
    this.known = new Set(model.origins.keys());
    for (const port of model.origins.values()) {
      const open = this.open.get(port.port);
      if (open) {
        open.listed = true;
      } else if (before && !before.has(port.port)) {
        this.consider(port); // its event may have been lost
      }
    }
    for (const [port, { listed }] of this.open) {
      if ((listed && !this.known.has(port)) || model.find({ port })) {
        this.closeQuestion(port);
      }
    }
  }

  private consider(port: DetectedPort): void {
    if (this.open.has(port.port) || this.waiting.has(port.port) || !this.isWanted(port)) {
      return;
    }
    const key = `${port.name} ${port.port}`;
    const last = this.shownAt.get(key);
    if (last !== undefined && Date.now() - last < QUIET) {
      return;
    }
    this.waiting.set(
      port.port,
      setTimeout(() => {
        this.waiting.delete(port.port);
        if (this.isWanted(port)) {
          this.shownAt.set(key, Date.now());
          this.ask(port);
        }
      }, GRACE)
    );
  }

  private isWanted(port: DetectedPort): boolean {
    const { current } = this.preferences;
    if (port.decision === 'expose') {
      return port.question === 'public' || current.notifyExposed;
    }
    const answer = answerTo(port, current.answers);
    const ignored = answer ? answer.action === 'ignore' : current.onDetection === 'ignore';
    return port.decision === 'notify' && !ignored && !this.isExposed(port.port);
  }

  private isExposed(port: number): boolean {
    return this.told.get(port) ?? this.model.find({ port }) !== undefined;
  }

  private ask(port: DetectedPort): void {
    const now = Date.now();
    const inSight = [...this.open.values()].filter(({ since }) => now - since < IN_SIGHT);
    if (inSight.length >= MOST) {
      this.askAboutMany();
      return;
    }
    const close = this.show({ kind: kindOf(port), port }, () => this.open.delete(port.port));
    const listed = this.model.origins.has(port.port);
    this.open.set(port.port, { port, close, since: now, listed });
  }

  private askAboutMany(): void {
    this.closeMany?.();
    this.many += 1;
    this.closeMany = this.show({ kind: 'many', count: this.many }, () => {
      this.many = 0;
      this.closeMany = null;
    });
  }

  /** Close what asks whether to expose a port; what tells of one that is exposed stays. */
  private closeQuestion(port: number): void {
    if (this.open.get(port)?.port.decision !== 'expose') {
      this.close(port);
    }
  }

  private close(port: number): void {
    clearTimeout(this.waiting.get(port));
    this.waiting.delete(port);
    const open = this.open.get(port);
    this.open.delete(port);
    open?.close();
  }
}

function kindOf({ decision, question }: DetectedPort): 'found' | 'exposed' | 'public' {
  if (decision !== 'expose') {
    return 'found';
  }
  return question === 'public' ? 'public' : 'exposed';
}
