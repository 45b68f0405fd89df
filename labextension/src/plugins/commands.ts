/**
 * Commands that need no dialog of their own: what rows and palette do to a port.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:commands`,
  description: 'Commands about exposed ports.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, model: IPortsModel, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    app.commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Ports'),
      execute: () => model.refresh()
    });
  }
};
