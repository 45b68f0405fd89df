/**
 * What every component may use, handed down from the plugin.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { createContext, useContext } from 'react';

import type { IPortsModel } from './tokens';

export interface Surroundings {
  readonly model: IPortsModel;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

export const SurroundingsContext = createContext<Surroundings | null>(null);

/** Whether the panel is in sight; nothing is asked for what nobody sees. */
export const InSight = createContext(true);

/** Return the surroundings of a component. */
export function useSurroundings(): Surroundings {
  const surroundings = useContext(SurroundingsContext);
  if (surroundings === null) {
    throw new Error('A component of the panel is outside of it.');
  }
  return surroundings;
}
