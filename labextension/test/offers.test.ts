import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Offers, type Offer } from '../src/around/offers';
import type { StoredPreferences } from '../src/around/preferences';
import type { PortsModel } from '../src/model';
import { FakeSettings, found, tell, without } from './fixtures/around';
import { mapping, modelOf, FakeServer, type FakeEvents } from './fixtures/server';

let server: FakeServer;
let model: PortsModel;
let events: FakeEvents;
let settings: FakeSettings;
let preferences: StoredPreferences;
let offers: Offers;
let shown: Offer[];
let ends: (() => void)[];

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  ({ model, events } = modelOf(server));
  settings = new FakeSettings();
  preferences = settings.page();
  await preferences.load();
  await model.refresh();
  shown = [];
  ends = [];
  offers = new Offers(model, preferences, (offer, away) => {
    shown.push(offer);
    ends.push(away);
    return () => {
      shown = shown.filter(other => other !== offer);
    };
  });
});

afterEach(() => {
  offers.dispose();
  model.dispose();
  vi.useRealTimers();
});

/** Let everything that is due happen. */
async function settle(milliseconds = 1000): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

/** Have the server find a port, and tell so. */
async function finds(...ports: Parameters<typeof found>): Promise<void> {
  const port = found(...ports);
  server.detected = [...server.detected.filter(other => other.port !== port.port), port];
  tell(events, port);
  await settle();
}

const numbers = (): unknown[] =>
  shown.map(offer => ('port' in offer ? offer.port.port : offer.kind));

describe('a person is asked', () => {
  test('once for a service, by its event', async () => {
    tell(events, found(6006));
    tell(events, found(6006));
    await settle(250);
    expect(shown).toEqual([
      { kind: 'found', port: expect.objectContaining({ port: 6006 }) as unknown }
    ]);
  });

  test('about what was found while the line was cut', async () => {
    events.connected.emit(false);
    server.detected = [found(6006)];
    events.connected.emit(true);
    await settle();
    expect(numbers()).toEqual([6006]);
  });

  test('about three at a time; of more only how many they are', async () => {
    for (let port = 8001; port <= 8010; port += 1) {
      tell(events, found(port, { name: `app ${port}`, service: undefined as never }));
    }
    await settle();
    expect(shown.map(({ kind }) => kind)).toEqual(['found', 'found', 'found', 'many']);
    expect(shown.at(-1)).toEqual({ kind: 'many', count: 7 });
  });

  test('whether everybody may come in, if the notebook wishes for it', async () => {
    server.ports = [mapping('a')];
    await finds(6006, { decision: 'expose', question: 'public' });
    expect(shown.map(({ kind }) => kind)).toEqual(['public']);
  });
});

describe('a person is not asked', () => {
  test('about what was there when the page was opened', async () => {
    server.detected = [found(6006)];
    ({ model, events } = modelOf(server));
    offers = new Offers(model, preferences, offer => {
      shown.push(offer);
      return () => undefined;
    });
    await model.refresh();
    await settle();
    expect(shown).toEqual([]);
  });

  test('about what is no page, or is exposed already', async () => {
    server.ports = [mapping('a', { internal_port: 7860 })];
    await model.refresh();
    tell(events, without(found(9000), 'decision'));
    tell(events, found(7860));
    await settle();
    expect(shown).toEqual([]);
  });

  test('about what the cell that starts it exposes itself', async () => {
    tell(events, found(6006));
    await settle(100);
    events.happened.emit({
      kind: 'audit',
      id: 1,
      timestamp: '2026-01-15T14:30:00Z',
      action: 'port.created',
      internal_port: 6006
    });
    server.ports = [mapping('a')];
    server.detected = [found(6006)];
    await settle();
    expect(shown).toEqual([]);
  });

  test('about what somebody just stopped exposing', async () => {
    server.ports = [mapping('a')];
    server.detected = [found(6006)];
    await model.refresh();
    server.ports = [];
    events.audit('port.deleted');
    await settle();
    expect(model.detected).toHaveLength(1);
    expect(shown).toEqual([]);
  });

  test.each([
    ['the service is ignored', { answers: [{ service: 'tensorboard', action: 'ignore' }] }],
    ['the port is ignored', { answers: [{ port: 6006, action: 'ignore' }] }],
    ['nothing is to be asked', { onDetection: 'ignore' }]
  ])('if %s', async (_, given) => {
    settings.settings = { ...settings.settings, ...given };
    await preferences.reload();
    await finds(6006);
    expect(shown).toEqual([]);
  });

  test('if it is said that it is exposed by itself, and notices of that are off', async () => {
    settings.settings = { ...settings.settings, notifyExposed: false };
    await preferences.reload();
    await finds(6006, { decision: 'expose' });
    expect(shown).toEqual([]);
  });

  test('again and again about what comes and goes', async () => {
    for (let times = 0; times < 100; times += 1) {
      await finds(6006);
      server.detected = [];
      tell(events, found(6006), 'gone');
      await settle();
    }
    expect(shown).toEqual([]);
    expect(ends).toHaveLength(1);
    await settle(600_000);
    await finds(6006);
    expect(numbers()).toEqual([6006]);
  });
});

describe('a question ends', () => {
  beforeEach(() => finds(6006));

  test('when the port is gone', async () => {
    expect(numbers()).toEqual([6006]);
    tell(events, found(6006), 'gone');
    await settle();
    expect(shown).toEqual([]);
  });

  test('when the port is gone, also if nobody told', async () => {
    server.detected = [];
    events.connected.emit(true);
    await settle();
    expect(shown).toEqual([]);
  });

  test('when it is exposed from elsewhere', async () => {
    server.ports = [mapping('a')];
    events.audit('port.created');
    await settle();
    expect(shown).toEqual([]);
  });

  test('when another page was answered', () => {
    offers.answered(6006);
    expect(shown).toEqual([]);
  });

  test('with the page', () => {
    offers.dispose();
    expect(shown).toEqual([]);
  });
});

test('three that were put away make room for a fourth', async () => {
  for (let port = 8001; port <= 8004; port += 1) {
    await finds(port, { name: `app ${port}` });
    ends.at(-1)?.();
  }
  expect(shown.map(({ kind }) => kind)).toEqual(['found', 'found', 'found', 'found']);
});
