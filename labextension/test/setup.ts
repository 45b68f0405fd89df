/** What every test needs: nothing that one test drew is there for the next. */
import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

// Lab's widgets want these when they are loaded or drawn, and jsdom has none of them.
Object.assign(window, {
  DragEvent: class extends MouseEvent {},
  matchMedia: (media: string) => Object.assign(new EventTarget(), { matches: false, media }),
  requestIdleCallback: (callback: () => void) => setTimeout(callback)
});

Element.prototype.scrollIntoView = () => undefined;

configure({ asyncUtilTimeout: 20_000 }); // other work may keep the machine busy
afterEach(cleanup);
