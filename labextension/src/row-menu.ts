/**
 * The menu of one exposed service: Lab's own, so that it looks and is driven as every other.
 */
import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import { CommandIDs, type PortArgs } from './tokens';

const ITEMS = [
  CommandIDs.open,
  CommandIDs.openInBrowser,
  CommandIDs.copyLink,
  null,
  CommandIDs.share,
  CommandIDs.edit,
  CommandIDs.repoint,
  null,
  CommandIDs.stop
] as const;

/**
 * Open the menu below a place on the screen; the keyboard is back there when it closes.
 *
 * @param commands - Those that are not registered are left out.
 * @param args - What the menu is about.
 * @param place - The button, or the row.
 */
export function openRowMenu(commands: CommandRegistry, args: PortArgs, place: HTMLElement): void {
  const menu = new Menu({ commands });
  menu.addClass('jp-TensorOne-menu');
  for (const command of ITEMS) {
    if (command === null) {
      menu.addItem({ type: 'separator' });
    } else if (commands.hasCommand(command)) {
      menu.addItem({ command, args: { ...args, isMenu: true } });
    }
  }
  menu.aboutToClose.connect(() => {
    place.focus();
    // The item that was chosen runs after the menu has closed.
    setTimeout(() => menu.dispose(), 0);
  });
  const { left, bottom } = place.getBoundingClientRect();
  menu.open(left, bottom);
}
