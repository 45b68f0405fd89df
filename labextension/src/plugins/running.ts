/**
 * Exposed services among running terminals and kernels.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IRunningSessionManagers, type IRunningSessions } from '@jupyterlab/running';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../errors';
import { portsIcon } from '../icons';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';
import { audienceOf, healthOf, nameOf } from '../words';

type Items = ReturnType<IRunningSessions.IManager['running']>;

/** The entry; Lab draws it and asks before everything is stopped. */
export class RunningPorts implements IRunningSessions.IManager {
  readonly name: string;
  readonly supportsMultipleViews = false;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: string;
  readonly runningChanged = new Signal<this, void>(this);
  private readonly app: Pick<JupyterFrontEnd, 'commands'>;
  private readonly model: IPortsModel;
  private readonly trans: TranslationBundle;

  constructor(
    app: Pick<JupyterFrontEnd, 'commands'>,
    model: IPortsModel,
    trans: TranslationBundle
  ) {
    this.app = app;
    this.model = model;
    this.trans = trans;
    this.name = trans.__('Exposed Ports');
    this.shutdownLabel = trans.__('Stop Exposing');
    this.shutdownAllLabel = trans.__('Stop Exposing All');
    this.shutdownAllConfirmationText = trans.__(
      'Stop exposing all ports? Their addresses stop working and their links end. The services themselves go on.'
    );
    model.changed.connect(() => this.runningChanged.emit(), this);
  }

  running(): Items {
    const { trans, model, app } = this;
    return model.exposed.map(mapping => {
      const health = healthOf(mapping, trans);
      const args = { id: mapping.id };
      return {
        icon: () => portsIcon,
        label: () => `${health.shape} ${nameOf(mapping, trans)}`,
        detail: () => trans.__('port %1', String(mapping.internal_port ?? '')),
        labelTitle: () =>
          [
            `${nameOf(mapping, trans)}: ${health.word}`,
            mapping.url ?? '',
            audienceOf(mapping, model.info, trans).text
          ].join('\n'),
        open: () => void app.commands.execute(CommandIDs.open, args),
        shutdown: () => void app.commands.execute(CommandIDs.stop, args)
      };
    });
  }

  refreshRunning(): void {
    void this.model.refresh();
  }

  shutdownAll(): void {
    void this.stopAll();
  }

  private async stopAll(): Promise<void> {
    const { api, exposed } = this.model;
    const ended = await Promise.allSettled(exposed.map(({ id }) => api.deletePort(id)));
    const reasons = ended.flatMap(one =>
      one.status === 'rejected' ? [one.reason as unknown] : []
    );
    const first = reasons.find(reason => reason instanceof ApiError);
    if (first) {
      Notification.error([first.message, first.suggestion].filter(Boolean).join(' '));
    }
    await this.model.refresh();
  }
}

export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:running`,
  description: 'Lists exposed ports among running terminals and kernels.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [IRunningSessionManagers, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IPortsModel,
    managers: IRunningSessionManagers | null,
    translator: ITranslator | null
  ) => {
    managers?.add(new RunningPorts(app, model, (translator ?? nullTranslator).load(DOMAIN)));
  }
};
