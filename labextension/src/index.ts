/**
 * The plugins of this extension. Each is in a file of its own in `plugins/`.
 */
import { commandsPlugin } from './plugins/commands';
import { dialogsPlugin } from './plugins/dialogs';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';

export default [modelPlugin, commandsPlugin, dialogsPlugin, panelPlugin];
