/**
 * The plugins of this extension. Each is in a file of its own in `plugins/`.
 */
import { commandsPlugin } from './plugins/commands';
import { dialogsPlugin } from './plugins/dialogs';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';
import { launcherPlugin } from './plugins/launcher';
import { palettePlugin } from './plugins/palette';
import { runningPlugin } from './plugins/running';
import { settingsPlugin } from './plugins/settings';
import { statusPlugin } from './plugins/status';
import { tabPlugin } from './plugins/tab';
import { toastPlugin } from './plugins/toast';
import { toolbarPlugin } from './plugins/toolbar';

export default [
  modelPlugin,
  commandsPlugin,
  dialogsPlugin,
  panelPlugin,
  settingsPlugin,
  toastPlugin,
  statusPlugin,
  palettePlugin,
  launcherPlugin,
  runningPlugin,
  toolbarPlugin,
  tabPlugin
];
