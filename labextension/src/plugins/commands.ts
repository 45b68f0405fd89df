/**
 * Registers the commands that need no form of their own.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { PortCommands } from '../commands';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:commands`,
  description: 'Commands about exposed ports.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, model: IPortsModel, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const ports = new PortCommands(model, trans);
    /** In a row's menu the port need not be named again. */
    const named =
      (short: string, long: string): CommandRegistry.CommandFunc<string> =>
      args =>
        args.isMenu === true ? short : long;
    app.commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Ports'),
      execute: () => model.refresh()
    });
    app.commands.addCommand(CommandIDs.openInBrowser, {
      label: named(trans.__('Open in Browser'), trans.__('Open an Exposed Port in the Browser…')),
      isEnabled: args => ports.canOpen(args),
      execute: args => ports.openInBrowser(args)
    });
    app.commands.addCommand(CommandIDs.copyLink, {
      label: named(trans.__('Copy Link'), trans.__('Copy the Link of an Exposed Port…')),
      execute: args => ports.copyLink(args)
    });
    app.commands.addCommand(CommandIDs.stop, {
      label: named(trans.__('Stop…'), trans.__('Stop Exposing a Port…')),
      execute: args => ports.stop(args)
    });
    app.commands.addCommand(CommandIDs.signOut, {
      label: trans.__('Sign Out a Visitor'),
      isVisible: () => false, // it needs a session, which nobody knows by heart
      execute: args => ports.signOut(args)
    });
    app.commands.addCommand(CommandIDs.switchOn, {
      label: trans.__('Switch the Proxy On'),
      isVisible: () => model.info?.proxy_status === 'disabled',
      execute: () => ports.switchOn()
    });
  }
};
