/**
 * What every component may use, handed down from the plugin.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { IPortsModel } from './tokens';

export interface Surroundings {
  readonly model: IPortsModel;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}
