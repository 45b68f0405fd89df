/**
 * Offers, alerts and changes of health as Lab's notifications.
 */
import { Notification, type NotificationManager } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { DetectedPort, PortMapping } from '../answers';
import { ApiError } from '../errors';
import { CommandIDs, type IPortsModel, type PortArgs } from '../tokens';
import { audienceOf, nameOf, originText } from '../words';
import { exposeNow } from './exposing';
import { IN_SIGHT, type Offer, type Show } from './offers';
import { about, type Answer, type IPreferences } from './preferences';
import { brief } from './text';

const SHORTLY = 8_000;

type Type = Notification.TypeOptions;
type Action = Notification.IAction;

export interface ToastsOptions {
  readonly model: IPortsModel;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
  readonly preferences: IPreferences;
  /** Told that a question about a port was answered, for other pages. */
  readonly answered: (port: number) => void;
  readonly manager?: NotificationManager;
}

export class Toasts {
  private readonly options: ToastsOptions;
  private readonly manager: NotificationManager;
  private readonly away = new Map<string, () => void>();

  constructor(options: ToastsOptions) {
    this.options = options;
    this.manager = options.manager ?? Notification.manager;
    this.manager.changed.connect(this.onNotification, this);
  }

  /** Show an offer: see `Offers`. */
  readonly show: Show = (offer, away) => {
    const [message, type, actions] = this.contents(offer);
    const id = this.manager.notify(message, type, { autoClose: IN_SIGHT, actions });
    this.away.set(id, away);
    return () => {
      this.away.delete(id);
      this.manager.dismiss(id);
    };
  };

  /** Show a message with what can be done about it. */
  tell(message: string, type: Type, port: PortArgs): void {
    const { trans } = this.options;
    const actions = [
      this.command(trans.__('Show'), CommandIDs.showPanel, {}),
      ...(this.options.model.find(port)
        ? [this.command(trans.__('Open'), CommandIDs.open, { ...port })]
        : [])
    ];
    this.manager.notify(message, type, { autoClose: IN_SIGHT, actions });
  }

  private contents(offer: Offer): [message: string, type: Type, actions: Action[]] {
    const { trans } = this.options;
    if (offer.kind === 'many') {
      const message = trans._n('%1 more port was found.', '%1 more ports were found.', offer.count);
      return [message, 'info', [this.command(trans.__('Show'), CommandIDs.showPanel, {})]];
    }
    const { port } = offer;
    const name = brief(port.name);
    const number = String(port.port);
    const args = { port: port.port };
    const open = this.command(trans.__('Open'), CommandIDs.open, args);
    switch (offer.kind) {
      case 'found':
        return [this.foundText(port), 'info', this.foundActions(port)];
      case 'exposed':
        return [
          trans.__('%1 on port %2 was exposed by itself. Only you can open it.', name, number),
          'success',
          [open, this.command(trans.__('Stop…'), CommandIDs.stop, args)]
        ];
      case 'public':
        return [
          trans.__(
            '%1 is exposed, for you only. The notebook wishes that everybody can open it.',
            name
          ),
          'warning',
          [
            open,
            this.command(trans.__('Choose who…'), CommandIDs.edit, args),
            { label: trans.__('Keep private'), callback: () => undefined }
          ]
        ];
    }
  }

  private foundText(port: DetectedPort): string {
    const { trans } = this.options;
    const name = brief(port.name);
    const from = brief(originText(port, trans));
    return from && from !== name
      ? trans.__('%1 is running on port %2 (%3).', name, String(port.port), from)
      : trans.__('%1 is running on port %2.', name, String(port.port));
  }

  private foundActions(port: DetectedPort): Action[] {
    const { trans, preferences } = this.options;
    const subject = port.service === undefined ? trans.__('this port') : brief(port.name);
    const expose: Action = {
      label: trans.__('Expose'),
      caption:
        preferences.current.defaultAccess === 'me'
          ? trans.__('Only you can open it')
          : trans.__('Anyone who signs in can open it'),
      displayType: 'accent',
      callback: () => void this.expose(port)
    };
    const always: Action = {
      label: trans.__('Always'),
      caption: trans.__('From now on expose %1 by itself, for you only', subject),
      callback: () => void this.always(port)
    };
    const ignore: Action = {
      label: trans.__('Ignore'),
      caption: trans.__('Do not ask about %1 again', subject),
      callback: () => void this.ignore(port)
    };
    return [expose, ...(port.may_expose === true ? [always] : []), ignore];
  }

  private async always(port: DetectedPort): Promise<void> {
    await this.remember({ ...about(port), action: 'expose' });
    await this.expose(port);
  }

  private async ignore(port: DetectedPort): Promise<void> {
    const { trans } = this.options;
    this.options.answered(port.port);
    const answer: Answer = { ...about(port), action: 'ignore' };
    await this.remember(answer);
    const message =
      port.service === undefined
        ? trans.__('Port %1 is not asked about any more. It stays in the list.', String(port.port))
        : trans.__('%1 is not asked about any more. It stays in the list.', brief(port.name));
    this.manager.notify(message, 'default', {
      autoClose: SHORTLY,
      actions: [
        {
          label: trans.__('Undo'),
          callback: () => void this.options.preferences.forget(answer)
        }
      ]
    });
  }

  private async remember(answer: Answer): Promise<void> {
    const { preferences, trans } = this.options;
    try {
      await preferences.remember(answer);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.manager.notify(trans.__('The answer cannot be kept: %1', why), 'error', {});
    }
  }

  private async expose(port: DetectedPort): Promise<void> {
    const { model, trans, preferences, answered } = this.options;
    answered(port.port);
    const name = brief(port.name);
    const id = this.manager.notify(trans.__('Exposing %1…', name), 'in-progress', {
      autoClose: false
    });
    try {
      const mapping = await exposeNow(model, port, preferences.current.defaultAccess);
      await model.refresh(); // so that it can be opened
      this.update(id, 'success', this.exposedText(mapping), [
        this.command(trans.__('Open'), CommandIDs.open, { id: mapping.id }, 'accent'),
        this.command(trans.__('Share…'), CommandIDs.share, { id: mapping.id })
      ]);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      const said = [error.message, error.suggestion].filter(Boolean).join(' ');
      this.update(id, 'error', said, [
        this.command(trans.__('Expose…'), CommandIDs.expose, { port: port.port })
      ]);
    }
  }

  private exposedText(mapping: PortMapping): string {
    const { model, trans } = this.options;
    const name = brief(nameOf(mapping, trans));
    return audienceOf(mapping, model.info, trans).kind === 'me'
      ? trans.__('%1 is exposed at %2. Only you can open it.', name, mapping.url ?? '')
      : trans.__('%1 is exposed at %2. Anyone who signs in can open it.', name, mapping.url ?? '');
  }

  private update(id: string, type: Type, message: string, actions: Action[]): void {
    this.manager.update({ id, message, type, autoClose: IN_SIGHT, actions });
  }

  private command(
    label: string,
    command: string,
    args: PortArgs & ReadonlyPartialJSONObject,
    displayType?: Notification.ActionDisplayType
  ): Action {
    const { commands } = this.options;
    return {
      label,
      ...(displayType === undefined ? {} : { displayType }),
      callback: () => void commands.execute(command, args)
    };
  }

  private onNotification(_: unknown, { type, notification }: Notification.IChange): void {
    if (type === 'removed') {
      const away = this.away.get(notification.id);
      this.away.delete(notification.id);
      away?.();
    }
  }
}
