/**
 * Cards of the launcher: each exposed page, each service that could be started, and one that exposes
 * a port.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { runIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet } from '@lumino/disposable';

import { Startables, type Startable } from '../around/startables';
import { brief } from '../around/text';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';
import { isPage, readable } from '../words';

/** More cards than these would hide the notebooks. */
const MOST = 8;
const START = 'tensorone-proxy:start-service';
const PROCESS = 'https://tensorone.ai/schemas/jupyter_tensorone_proxy/process/v1';

/** What one card is made of. */
interface Card {
  readonly command: string;
  readonly id: string;
}

/** Cards that follow what is exposed, and what could be started. */
export class Cards {
  private readonly model: IPortsModel;
  private readonly startables: Startables;
  private readonly launcher: ILauncher;
  private readonly category: string;
  private shown = '';
  private cards = new DisposableSet();

  constructor(model: IPortsModel, startables: Startables, launcher: ILauncher, category: string) {
    this.model = model;
    this.startables = startables;
    this.launcher = launcher;
    this.category = category;
    const args = { isLauncher: true };
    launcher.add({ command: CommandIDs.expose, args, category, rank: 2 * MOST });
    model.changed.connect(this.draw, this);
    startables.changed.connect(this.draw, this);
  }

  private draw(): void {
    const pages = this.model.exposed.filter(isPage).slice(0, MOST);
    const resting = this.startables.resting.slice(0, MOST);
    // A card's text is asked for when it is drawn, so another text is another card.
    const shown = JSON.stringify([pages.map(page => [page.id, page.description]), resting]);
    if (shown === this.shown) {
      return;
    }
    this.shown = shown;
    this.cards.dispose();
    const cards: Card[] = [
      ...pages.map(({ id }) => ({ command: CommandIDs.open, id })),
      ...resting.map(({ id }) => ({ command: START, id }))
    ];
    this.cards = DisposableSet.from(
      cards.map(({ command, id }, rank) =>
        this.launcher.add({
          command,
          args: { id, isLauncher: true },
          category: this.category,
          rank
        })
      )
    );
  }
}

/** Start a service after a question: a link in a notebook's saved output can run any command. */
async function start(
  startables: Startables,
  service: Startable,
  trans: TranslationBundle
): Promise<void> {
  const { button } = await showDialog({
    title: trans.__('Start %1?', brief(service.name)),
    body: trans.__('This command is run: %1', readable(service.command.join(' '))),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Start') })
    ]
  });
  if (!button.accept) {
    return;
  }
  const name = brief(service.name);
  const id = Notification.emit(trans.__('Starting %1…', name), 'in-progress', { autoClose: false });
  try {
    await startables.start(service.id);
    Notification.update({
      id,
      message: trans.__('%1 runs.', name),
      type: 'success',
      autoClose: 8_000
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    Notification.update({ id, message, type: 'error' });
  }
  await startables.refresh();
}

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:launcher`,
  description: 'Adds cards of exposed pages and of services to the launcher.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [ILauncher, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IPortsModel,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ) => {
    if (!launcher) {
      return; // Notebook 7 has none
    }
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const startables = new Startables(model.api);
    const named = (args: ReadonlyPartialJSONObject): Startable | undefined =>
      startables.find(args.id);
    app.commands.addCommand(START, {
      label: args => trans.__('Start %1', brief(named(args)?.name ?? '')),
      caption: args => readable(named(args)?.command.join(' ') ?? ''),
      icon: runIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: { id: { type: 'string', description: 'The id of a service.' } },
          required: ['id']
        }
      },
      isVisible: args => named(args) !== undefined,
      execute: async args => {
        const service = named(args);
        if (service) {
          await start(startables, service, trans);
        }
      }
    });
    new Cards(model, startables, launcher, trans.__('Ports'));
    app.serviceManager.events.stream.connect((_, { schema_id }) => {
      if (schema_id === PROCESS) {
        startables.heard();
      }
    });
    void app.restored.then(() => startables.refresh());
  }
};
