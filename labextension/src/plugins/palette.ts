/**
 * What can be done about ports, in the command palette.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';

/** In the order in which they are used; each asks for the port where it needs one. */
const SHOWN = [
  CommandIDs.showPanel,
  CommandIDs.expose,
  CommandIDs.open,
  CommandIDs.openInBrowser,
  CommandIDs.copyLink,
  CommandIDs.share,
  CommandIDs.edit,
  CommandIDs.repoint,
  CommandIDs.stop,
  CommandIDs.access,
  CommandIDs.switchOn,
  CommandIDs.refresh
] as const;

export const palettePlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:palette`,
  description: 'Adds the commands about ports to the command palette.',
  autoStart: true,
  requires: [IPortsModel], // so that the commands are of an extension that works
  optional: [ICommandPalette, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    __: IPortsModel,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const category = (translator ?? nullTranslator).load(DOMAIN).__('Ports');
    for (const [rank, command] of SHOWN.entries()) {
      palette?.addItem({ command, category, rank });
    }
  }
};
