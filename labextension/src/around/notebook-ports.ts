/**
 * Which ports belong to one notebook, and the menu of them.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

import type { DetectedPort, PortMapping } from '../answers';
import { problemOf } from '../problems';
import { CommandIDs, type IPortsModel } from '../tokens';
import { healthOf, isPage, nameOf } from '../words';
import { brief } from './text';

/** A notebook, as far as ports are concerned. */
export interface NotebookPlace {
  readonly path: string;
  readonly kernelId: string | undefined;
}

export interface NotebookPorts {
  readonly exposed: readonly PortMapping[];
  readonly detected: readonly DetectedPort[];
}

/** Return the ports that come from a notebook, or from its kernel. */
export function portsOfNotebook(model: IPortsModel, place: NotebookPlace): NotebookPorts {
  const isHere = (port: DetectedPort | undefined): boolean =>
    port !== undefined &&
    (port.notebook === place.path ||
      (port.kernel_id !== undefined && port.kernel_id === place.kernelId));
  return {
    exposed: model.exposed.filter(
      mapping =>
        (typeof mapping.kernel_id === 'string' && mapping.kernel_id === place.kernelId) ||
        isHere(model.origins.get(mapping.internal_port ?? 0))
    ),
    detected: model.detected.filter(isHere)
  };
}

export interface MenuOptions {
  readonly model: IPortsModel;
  readonly trans: TranslationBundle;
  readonly commands: CommandRegistry;
  readonly place: NotebookPlace;
}

/** Return a menu that opens what is exposed and exposes what is not. */
export function notebookMenu({ model, trans, commands, place }: MenuOptions): Menu {
  const own = new CommandRegistry();
  const menu = new Menu({ commands: own });
  menu.addClass('jp-TensorOne-menu');
  const add = (label: string, run?: readonly [string, ReadonlyPartialJSONObject]): void => {
    const command = `item-${menu.items.length}`;
    own.addCommand(command, {
      label,
      mnemonic: -1,
      isEnabled: () => run !== undefined,
      execute: () => (run ? commands.execute(run[0], run[1]) : undefined)
    });
    menu.addItem({ command });
  };
  const problem = problemOf(model.connection, model.info, trans);
  if (problem) {
    add(problem.what);
  }
  const { exposed, detected } = portsOfNotebook(model, place);
  for (const mapping of exposed) {
    const name = brief(nameOf(mapping, trans));
    const { shape, word } = healthOf(mapping, trans);
    const text = trans.__('Open %1 (port %2, %3)', name, String(mapping.internal_port), word);
    add(`${shape} ${text}`, isPage(mapping) ? [CommandIDs.open, { id: mapping.id }] : undefined);
  }
  for (const port of detected) {
    const text = trans.__('Expose %1 (port %2)…', brief(port.name), String(port.port));
    add(text, [CommandIDs.expose, { port: port.port }]);
  }
  if (exposed.length + detected.length === 0 && !problem) {
    add(trans.__('Nothing in this notebook listens on a port.'));
  }
  menu.addItem({ type: 'separator' });
  add(trans.__('Expose a Port…'), [CommandIDs.expose, {}]);
  add(trans.__('Show Ports'), [CommandIDs.showPanel, {}]);
  return menu;
}
