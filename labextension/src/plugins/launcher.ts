/**
 * Cards of the launcher: one for each exposed page, and one that exposes a port.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DisposableSet } from '@lumino/disposable';

import type { PortMapping } from '../answers';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';
import { isPage } from '../words';

/** More cards than these would hide the notebooks. */
const MOST = 8;

/** Cards that follow what is exposed. */
export class Cards {
  private readonly model: IPortsModel;
  private readonly launcher: ILauncher;
  private readonly category: string;
  private shown: readonly PortMapping[] = [];
  private cards = new DisposableSet();

  constructor(model: IPortsModel, launcher: ILauncher, category: string) {
    this.model = model;
    this.launcher = launcher;
    this.category = category;
    launcher.add({ command: CommandIDs.expose, category, rank: MOST + 1 });
    model.changed.connect(this.onChanged, this);
  }

  private onChanged(): void {
    const pages = this.model.exposed.filter(isPage).slice(0, MOST);
    const same =
      pages.length === this.shown.length && pages.every((page, at) => page === this.shown[at]);
    if (same) {
      return;
    }
    this.shown = pages;
    this.cards.dispose();
    this.cards = DisposableSet.from(
      pages.map(({ id }, rank) =>
        this.launcher.add({
          command: CommandIDs.open,
          args: { id, isLauncher: true },
          category: this.category,
          rank
        })
      )
    );
  }
}

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:launcher`,
  description: 'Adds cards of exposed pages to the launcher.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [ILauncher, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    model: IPortsModel,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ) => {
    if (launcher) {
      new Cards(model, launcher, (translator ?? nullTranslator).load(DOMAIN).__('Ports'));
    }
  }
};
