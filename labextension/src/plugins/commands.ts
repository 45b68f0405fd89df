/**
 * Registers the commands that need no form of their own.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { NO_ARGS, PORT_ARGS, SESSION_ARGS } from '../around/args';
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
      describedBy: { args: NO_ARGS },
      execute: () => model.refresh()
    });
    app.commands.addCommand(CommandIDs.openInBrowser, {
      label: named(trans.__('Open in Browser'), trans.__('Open an Exposed Port in the Browser…')),
      describedBy: { args: PORT_ARGS },
      isEnabled: args => ports.canOpen(args),
      execute: args => ports.openInBrowser(args)
    });
    app.commands.addCommand(CommandIDs.copyLink, {
      label: named(trans.__('Copy Link'), trans.__('Copy the Link of an Exposed Port…')),
      describedBy: { args: PORT_ARGS },
      execute: args => ports.copyLink(args)
    });
    app.commands.addCommand(CommandIDs.stop, {
      label: named(trans.__('Stop…'), trans.__('Stop Exposing a Port…')),
      describedBy: { args: PORT_ARGS },
      execute: args => ports.stop(args)
    });
    app.commands.addCommand(CommandIDs.signOut, {
      label: trans.__('Sign Out a Visitor'),
      describedBy: { args: SESSION_ARGS },
      isVisible: () => false, // it needs a session, which nobody knows by heart
      execute: args => ports.signOut(args)
    });
    app.commands.addCommand(CommandIDs.switchOn, {
      label: trans.__('Switch the Proxy On'),
      describedBy: { args: NO_ARGS },
      isVisible: () => model.info?.proxy_status === 'disabled',
      execute: () => ports.switchOn()
    });
  }
};
