/**
 * What a person wants of this extension, kept by Lab's settings; the server reads the same file.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Token } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';

import type { DetectedPort } from '../answers';
import { isObject } from '../errors';
import { EXTENSION } from '../tokens';

/** What was answered once for good about a service, or about a port that is none we know. */
export interface Answer {
  readonly service?: string;
  readonly port?: number;
  readonly action: 'expose' | 'ignore';
}

export interface Preferences {
  readonly onDetection: 'notify' | 'expose' | 'ignore';
  readonly answers: readonly Answer[];
  readonly defaultAccess: 'me' | 'signed-in';
  readonly notifyExposed: boolean;
  readonly notifyAlerts: boolean;
  readonly notifyHealth: boolean;
}

export const DEFAULTS: Preferences = {
  onDetection: 'notify',
  answers: [],
  defaultAccess: 'me',
  notifyExposed: true,
  notifyAlerts: true,
  notifyHealth: false
};

export interface IPreferences {
  readonly current: Preferences;
  readonly changed: ISignal<IPreferences, void>;
  /** Keep an answer for good; it replaces an earlier one about the same. */
  remember(answer: Answer): Promise<void>;
  /** Ask again about what an answer was about. */
  forget(answer: Answer): Promise<void>;
  /** Another page may have changed them: read them anew. */
  reload(): Promise<void>;
}

/** Optional for everybody: without it the defaults hold. */
export const IPreferences = new Token<IPreferences>(
  `${EXTENSION}:IPreferences`,
  'What a person wants of exposed ports.'
);

/** The plugin whose settings these are. */
export const SETTINGS = `${EXTENSION}:settings`;

/** Return what an answer about a port would be about: its service, else its number. */
export function about(port: DetectedPort): Pick<Answer, 'service' | 'port'> {
  return port.service === undefined ? { port: port.port } : { service: port.service };
}

/** Return what was answered about a port. */
export function answerTo(port: DetectedPort, answers: readonly Answer[]): Answer | undefined {
  return answers.find(
    answer =>
      (answer.service !== undefined || answer.port !== undefined) &&
      (answer.service === undefined || answer.service === port.service) &&
      (answer.port === undefined || answer.port === port.port)
  );
}

/** Read settings, which people edit by hand; what cannot be understood is as if it were not there. */
export function preferencesOf(settings: unknown): Preferences {
  const given = isObject(settings) ? settings : {};
  const { onDetection, answers, defaultAccess } = given;
  return {
    onDetection:
      onDetection === 'expose' || onDetection === 'ignore' ? onDetection : DEFAULTS.onDetection,
    answers: Array.isArray(answers) ? answers.filter(isAnswer) : [],
    defaultAccess: defaultAccess === 'signed-in' ? 'signed-in' : 'me',
    notifyExposed: flag(given.notifyExposed, DEFAULTS.notifyExposed),
    notifyAlerts: flag(given.notifyAlerts, DEFAULTS.notifyAlerts),
    notifyHealth: flag(given.notifyHealth, DEFAULTS.notifyHealth)
  };
}

function flag(value: unknown, otherwise: boolean): boolean {
  return typeof value === 'boolean' ? value : otherwise;
}

function isAnswer(value: unknown): value is Answer {
  return isObject(value) && (value.action === 'expose' || value.action === 'ignore');
}

function isSameSubject(one: Answer, other: Answer): boolean {
  return one.service === other.service && one.port === other.port;
}

/** What settings are kept by, as far as it is used here. */
export type Registry = Pick<ISettingRegistry, 'load' | 'reload' | 'set'>;

/** Preferences in Lab's settings; without these they last as long as the page. */
export class StoredPreferences implements IPreferences {
  readonly changed = new Signal<this, void>(this);
  private readonly registry: Registry | null;
  private preferences = DEFAULTS;

  constructor(registry: Registry | null) {
    this.registry = registry;
  }

  get current(): Preferences {
    return this.preferences;
  }

  /** Begin to follow the settings. */
  async load(): Promise<void> {
    const settings = await this.registry?.load(SETTINGS);
    settings?.changed.connect(() => this.take(settings.composite));
    this.take(settings?.composite);
  }

  async reload(): Promise<void> {
    this.take((await this.registry?.reload(SETTINGS))?.composite ?? this.preferences);
  }

  async remember(answer: Answer): Promise<void> {
    await this.change(answers => [
      answer,
      ...answers.filter(known => !isSameSubject(known, answer))
    ]);
  }

  async forget(answer: Answer): Promise<void> {
    await this.change(answers => answers.filter(known => !isSameSubject(known, answer)));
  }

  private async change(how: (answers: readonly Answer[]) => readonly Answer[]): Promise<void> {
    await this.reload(); // so that what another page remembered stays
    const answers = how(this.preferences.answers);
    this.take({ ...this.preferences, answers });
    const plain = answers.map(answer => ({ ...answer }));
    await this.registry?.set(SETTINGS, 'answers', plain);
  }

  private take(settings: unknown): void {
    this.preferences = preferencesOf(settings);
    this.changed.emit();
  }
}
