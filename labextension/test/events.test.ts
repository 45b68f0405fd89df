import { ServerConnection, type Event } from '@jupyterlab/services';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { ServerEvent } from '../src/answers';
import { ours, ServerEvents } from '../src/events';

const SCHEMAS = 'https://tensorone.ai/schemas/jupyter_tensorone_proxy';

/** The browser's end of a line that a test opens and cuts. */
class Line extends EventTarget {
  static readonly made: Line[] = [];
  onclose: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;

  constructor(readonly url: string | URL) {
    super();
    Line.made.push(this);
  }

  open(): void {
    this.dispatchEvent(new Event_('open'));
  }

  cut(): void {
    this.dispatchEvent(new Event_('close'));
    this.onclose?.();
  }

  close(): void {
    this.dispatchEvent(new Event_('close'));
  }

  tell(emission: object): void {
    this.onmessage?.({ data: JSON.stringify(emission) });
  }
}

const Event_ = globalThis.Event;

let events: ServerEvents;
let heard: ServerEvent[];
let lines: boolean[];

beforeEach(() => {
  vi.useFakeTimers();
  Line.made.length = 0;
  events = new ServerEvents(
    ServerConnection.makeSettings({
      baseUrl: 'http://lab.example/base/',
      wsUrl: 'ws://lab.example/base/',
      WebSocket: Line as unknown as typeof WebSocket
    })
  );
  heard = [];
  lines = [];
  events.happened.connect((_, event) => heard.push(event));
  events.connected.connect((_, connected) => lines.push(connected));
});

afterEach(() => {
  events.dispose();
  vi.useRealTimers();
});

async function last(): Promise<Line> {
  await vi.advanceTimersByTimeAsync(60_000);
  return Line.made.at(-1) ?? expect.fail('no line was made');
}

test('events of this extension are told, those of others are not', async () => {
  const line = await last();
  line.open();
  line.tell({ schema_id: `${SCHEMAS}/audit/v1`, id: 7, timestamp: 't', action: 'port.created' });
  line.tell({ schema_id: 'https://events.jupyter.org/other/v1', action: 'start' });
  line.tell({ schema_id: `${SCHEMAS}/detected_port/v1`, change: 'found', port: 6006, name: 'T' });
  expect(heard).toMatchObject([
    { kind: 'audit', id: 7, action: 'port.created' },
    { kind: 'detected', change: 'found', port: 6006 }
  ]);
});

test('it is told when the line was cut, and when it is there again', async () => {
  const first = await last();
  first.open();
  first.cut();
  expect(lines).toEqual([true, false]);
  const second = await last();
  expect(second).not.toBe(first);
  second.open();
  expect(lines).toEqual([true, false, true]);
});

test('after the end no line is left and nothing is told', async () => {
  const line = await last();
  line.open();
  events.dispose();
  line.tell({ schema_id: `${SCHEMAS}/audit/v1`, id: 7, timestamp: 't', action: 'port.created' });
  expect(heard).toEqual([]);
  const count = Line.made.length;
  await vi.advanceTimersByTimeAsync(600_000);
  expect(Line.made).toHaveLength(count);
});

test('fields that are new to us are kept', () => {
  const emission: Event.Emission = { schema_id: `${SCHEMAS}/audit/v1`, id: 1, mood: 'sunny' };
  expect(ours(emission)).toMatchObject({ kind: 'audit', mood: 'sunny' });
});
