/**
 * The plugins of this extension. Each is in a file of its own in `plugins/`.
 */
import { commandsPlugin } from './plugins/commands';
import { modelPlugin } from './plugins/model';
import { panelPlugin } from './plugins/panel';

export default [modelPlugin, commandsPlugin, panelPlugin];
