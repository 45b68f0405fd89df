/**
 * The sidebar "Ports".
 */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { NO_ARGS } from '../around/args';
import { PortsPanel } from '../panel';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:panel`,
  description: 'Adds the sidebar with exposed and detected ports.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    model: IPortsModel,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const panel = new PortsPanel({ model, commands: app.commands, trans });
    app.shell.add(panel, 'left', { rank: 350, type: 'Ports' });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Ports'),
      describedBy: { args: NO_ARGS },
      execute: () => app.shell.activateById(panel.id)
    });
  }
};
