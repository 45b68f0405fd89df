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
import { ApiError } from '../errors';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel, type PortArgs } from '../tokens';
import type { ClusterAccess, PortMapping, ServiceEntry } from '../wire';

const LAST_PORT = 65_535;

/** The arguments of these commands, as JSON Schema, for people who bind keys to them. */
const ARGS = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The id of a mapping.' },
    port: { type: 'integer', minimum: 1, maximum: LAST_PORT, description: "The service's port." }
  }
} as const;

/** What a dialog is opened with. */
interface Desk {
  readonly model: IPortsModel;
  readonly trans: TranslationBundle;
}

type Execute = (desk: Desk, args: PortArgs) => Promise<boolean>;

/** Register the commands. */
export function addDialogs(
  commands: CommandRegistry,
  model: IPortsModel,
  trans: TranslationBundle
): void {
  const add = (id: string, label: string, caption: string, execute: Execute): void => {
    commands.addCommand(id, {
      label,
      caption,
      describedBy: { args: ARGS },
      execute: args => run(execute, { model, trans }, portArgs(args))
    });
  };
  add(
    CommandIDs.expose,
    trans.__('Expose a Port…'),
    trans.__('Choose a service or a port, and who can open it'),
    expose
  );
  add(CommandIDs.edit, trans.__('Edit…'), trans.__('Change how a port is exposed'), edit);
  add(CommandIDs.share, trans.__('Share…'), trans.__('Let one person in, by a link'), share);
  add(
    CommandIDs.repoint,
    trans.__('Re-point…'),
    trans.__('Lead an address to another port'),
    repoint
  );
  add(
    CommandIDs.access,
    trans.__('Access to All Ports…'),
    trans.__('Change the rules that hold for all ports'),
    access
  );
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
  return showExpose({ ...(await surroundings(desk)), port: args.port });
}

async function edit(desk: Desk, args: PortArgs): Promise<boolean> {
  const found = await require(desk, args);
  return found ? editMapping(desk, found) : false;
}

async function editMapping(desk: Desk, mapping: PortMapping): Promise<boolean> {
  const { showExpose } = await import('../dialogs/expose');
  return showExpose({ ...(await surroundings(desk)), mapping });
}

async function share(desk: Desk, args: PortArgs): Promise<boolean> {
  const mapping = await require(desk, args);
  if (!mapping) {
    return false;
  }
  const { showShare } = await import('../dialogs/share');
  return showShare({ ...(await surroundings(desk)), mapping });
}

async function repoint(desk: Desk, args: PortArgs): Promise<boolean> {
  const mapping = await require(desk, args);
  if (!mapping) {
    return false;
  }
  const { showRepoint } = await import('../dialogs/repoint');
  const { model, trans } = desk;
  return showRepoint({ api: model.api, trans, mapping, detected: model.detected });
}

async function access({ model, trans }: Desk): Promise<boolean> {
  const { showAccess } = await import('../dialogs/access');
  const rules = await model.api.call<ClusterAccess>('GET', 'access');
  return showAccess({ api: model.api, trans, rules });
}

/** Return the mapping that is meant; undefined, and a word about it, if there is none any more. */
async function require({ model, trans }: Desk, args: PortArgs): Promise<PortMapping | undefined> {
  if (!model.find(args)) {
    await model.refresh();
  }
  const found = model.find(args);
  if (!found) {
    Notification.error(
      args.port === undefined
        ? trans.__('This port is not exposed any more.')
        : trans.__('Port %1 is not exposed.', String(args.port))
    );
  }
  return found;
}

async function surroundings({ model, trans }: Desk) {
  if (!model.info) {
    await model.refresh();
  }
  const { api, info, detected } = model;
  return {
    api,
    trans,
    me: info?.me ?? (await api.me()).name,
    proxyUrl: info?.proxy_url ?? 'https://…',
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
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, model: IPortsModel, translator: ITranslator | null) => {
    addDialogs(app.commands, model, (translator ?? nullTranslator).load(DOMAIN));
  }
};
