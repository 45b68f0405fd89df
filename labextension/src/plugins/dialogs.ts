/**
 * The commands that open a dialog: expose, edit, share, re-point, and the rules of all ports.
 *
 * Whatever runs them, a button, the palette or a link in a notebook's saved output, nothing is
 * exposed, shared or changed before a person has pressed the dialog's button (SECURITY R27). Of the
 * arguments only which port is meant is read: who can open it is never decided by whoever made a link.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { portArgs } from '../arguments';
import { IPreferences } from '../around/preferences';
import { PortCommands } from '../commands';
import { ApiError } from '../errors';
import { portsIcon } from '../icons';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel, type PortArgs } from '../tokens';
import type { ClusterAccess, PortMapping, ServiceEntry } from '../wire';

/** The arguments of these commands, as JSON Schema, for people who bind keys to them. */
const ARGS = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The id of a mapping.' },
    port: { type: 'integer', minimum: 1, maximum: 65_535, description: "The service's port." }
  }
} as const;

/** What a dialog is opened with. */
interface Desk {
  readonly model: IPortsModel;
  readonly trans: TranslationBundle;
  readonly ports: PortCommands;
  readonly preferences: IPreferences | null;
}

type Execute = (desk: Desk, args: PortArgs) => Promise<boolean>;

/** Register the commands. */
export function addDialogs(
  commands: CommandRegistry,
  model: IPortsModel,
  trans: TranslationBundle,
  preferences: IPreferences | null = null
): void {
  const desk = { model, trans, ports: new PortCommands(model, trans), preferences };
  const add = (id: string, label: string, long: string, execute: Execute): void => {
    commands.addCommand(id, {
      label: args => (args.isMenu === true ? label : long), // there the port need not be named again
      describedBy: { args: ARGS },
      icon: args => (args.isLauncher === true ? portsIcon : undefined),
      execute: args => run(execute, desk, portArgs(args))
    });
  };
  add(CommandIDs.expose, trans.__('Expose…'), trans.__('Expose a Port…'), expose);
  add(CommandIDs.edit, trans.__('Edit…'), trans.__('Edit an Exposed Port…'), edit);
  add(CommandIDs.share, trans.__('Share…'), trans.__('Share an Exposed Port…'), share);
  add(CommandIDs.repoint, trans.__('Re-point…'), trans.__('Re-point an Exposed Port…'), repoint);
  add(CommandIDs.access, trans.__('Access…'), trans.__('Access to All Ports…'), access);
}

/** Say what went wrong; a dialog that cannot be opened is no news for the console. */
async function run(execute: Execute, desk: Desk, args: PortArgs): Promise<boolean> {
  try {
    return await execute(desk, args);
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    Notification.error([error.message, error.suggestion].filter(Boolean).join(' '));
    return false;
  }
}

async function expose(desk: Desk, args: PortArgs): Promise<boolean> {
  const found = desk.model.find(args);
  if (found) {
    return editMapping(desk, found); // it is exposed: what is wanted is to look at how
  }
  const { showExpose } = await import('../dialogs/expose');
  const choice = desk.preferences?.current.defaultAccess ?? 'me';
  return showExpose({ ...(await surroundings(desk)), port: args.port, choice });
}

async function edit(desk: Desk, args: PortArgs): Promise<boolean> {
  const found = await chosen(desk, args, desk.trans.__('Edit'));
  return found ? editMapping(desk, found) : false;
}

async function editMapping(desk: Desk, mapping: PortMapping): Promise<boolean> {
  const { showExpose } = await import('../dialogs/expose');
  return showExpose({ ...(await surroundings(desk)), mapping });
}

async function share(desk: Desk, args: PortArgs): Promise<boolean> {
  const mapping = await chosen(desk, args, desk.trans.__('Share'));
  if (!mapping) {
    return false;
  }
  const { showShare } = await import('../dialogs/share');
  return showShare({ ...(await surroundings(desk)), mapping });
}

async function repoint(desk: Desk, args: PortArgs): Promise<boolean> {
  const mapping = await chosen(desk, args, desk.trans.__('Re-point'));
  if (!mapping) {
    return false;
  }
  const { showRepoint } = await import('../dialogs/repoint');
  return showRepoint({ ...(await surroundings(desk)), mapping });
}

async function access({ model, trans }: Desk): Promise<boolean> {
  const { showAccess } = await import('../dialogs/access');
  const rules = await model.api.call<ClusterAccess>('GET', 'access');
  return showAccess({ api: model.api, trans, rules });
}

/** Return the mapping that is meant; it may be newer than what the model knows. */
async function chosen(desk: Desk, args: PortArgs, title: string): Promise<PortMapping | undefined> {
  const { model, ports } = desk;
  if (!model.find(args)) {
    await model.refresh();
  }
  return ports.chosen({ ...args }, title);
}

async function surroundings({ model, trans }: Desk) {
  await model.refresh(); // what was found a moment ago is there to be chosen
  const { api, info, detected } = model;
  return {
    api,
    trans,
    me: info?.me ?? (await api.me()).name,
    proxyUrl: info?.proxy_url ?? 'https://…',
    kernels: info?.kind !== 'api', // only a gateway of ours keeps which kernel a port goes with
    expiry: info?.meta?.extensions?.includes('expiry') ?? false,
    signInByDefault: info?.access_control?.default_authentication ?? true,
    detected,
    services: await api.call<readonly ServiceEntry[]>('GET', 'services')
  };
}

export const dialogsPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:dialogs`,
  description: 'Dialogs that expose, change and share ports.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [ITranslator, IPreferences],
  activate: (
    app: JupyterFrontEnd,
    model: IPortsModel,
    translator: ITranslator | null,
    preferences: IPreferences | null
  ) => {
    addDialogs(app.commands, model, (translator ?? nullTranslator).load(DOMAIN), preferences);
  }
};
