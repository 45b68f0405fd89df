/**
 * React's side of the model.
 */
import { useSyncExternalStore } from 'react';

import type { IPortsModel } from './tokens';

/** Return a part of the model, and draw again when that part is another object. */
export function usePart<T>(model: IPortsModel, part: (model: IPortsModel) => T): T {
  return useSyncExternalStore(
    redraw => {
      model.changed.connect(redraw);
      return () => model.changed.disconnect(redraw);
    },
    () => part(model)
  );
}
