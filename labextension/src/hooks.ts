/**
 * React's side of the model: parts of it, what is asked for one row, and the time.
 */
import { Poll } from '@lumino/polling';
import { useCallback, useContext, useEffect, useState, useSyncExternalStore } from 'react';

import { ApiError } from './errors';
import { InSight } from './surroundings';
import type { IPortsModel } from './tokens';

/** How often what an open row shows is asked for, in milliseconds. */
const INTERVAL = 5_000;

/** Return a part of the model, and draw again when that part is another object. */
export function usePart<T>(model: IPortsModel, part: (model: IPortsModel) => T): T {
  const subscribe = useCallback(
    (redraw: () => void) => {
      model.changed.connect(redraw);
      return () => model.changed.disconnect(redraw);
    },
    [model]
  );
  return useSyncExternalStore(subscribe, () => part(model));
}

/** What was asked for: not there yet, there, or refused. */
export interface Asked<T> {
  readonly value: T | null;
  readonly error: ApiError | null;
}

const NOTHING: Asked<never> = { value: null, error: null };

/**
 * Ask for something, and again and again while the panel is in sight.
 *
 * @param ask - Asks; another function is another question.
 * @param interval - How often, in milliseconds.
 */
export function useAsked<T>(ask: () => Promise<T>, interval = INTERVAL): Asked<T> {
  const inSight = useContext(InSight);
  const [asked, setAsked] = useState<Asked<T>>(NOTHING);
  useEffect(() => setAsked(NOTHING), [ask]);
  useEffect(() => {
    if (!inSight) {
      return;
    }
    let isOver = false;
    const poll = new Poll({
      factory: async () => {
        const answer = await outcome(ask);
        if (!isOver) {
          setAsked(answer);
        }
      },
      frequency: { interval, backoff: false },
      name: 'jupyter-tensorone-proxy:details',
      standby: 'when-hidden'
    });
    return () => {
      isOver = true;
      poll.dispose();
    };
  }, [ask, inSight, interval]);
  return asked;
}

async function outcome<T>(ask: () => Promise<T>): Promise<Asked<T>> {
  try {
    return { value: await ask(), error: null };
  } catch (error) {
    if (error instanceof ApiError) {
      return { value: null, error };
    }
    throw error;
  }
}

/** Return the time, in milliseconds since 1970, and draw again as it goes by. */
export function useNow(interval = INTERVAL): number {
  const inSight = useContext(InSight);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!inSight) {
      return;
    }
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [inSight, interval]);
  return now;
}
