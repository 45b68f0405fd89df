import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { PortsModel } from '../src/model';
import { mapping, modelOf, FakeServer, type FakeEvents } from './fixtures/server';

let server: FakeServer;
let model: PortsModel;
let events: FakeEvents;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  ({ model, events } = modelOf(server));
});

afterEach(() => {
  model.dispose();
  vi.useRealTimers();
});

/** Let everything that is due happen. */
async function settle(milliseconds = 200): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

const everything = ['GET detected', 'GET proxy?include_health=true', 'GET sessions'];

describe('what is asked for', () => {
  test('nothing, until somebody asks', async () => {
    events.connected.emit(true);
    await settle(600_000);
    expect(server.calls).toEqual([]);
  });

  test('everything once, and nothing while nothing happens and no view is in sight', async () => {
    await model.refresh();
    expect(server.taken().sort()).toEqual(['GET connection', ...everything, 'GET me'].sort());
    await settle(600_000);
    expect(server.calls).toEqual([]);
  });

  test('a burst of events costs one round', async () => {
    await model.refresh();
    server.taken();
    for (let id = 1; id <= 20; id += 1) {
      events.audit('port.updated', id);
    }
    await settle();
    expect(server.taken().sort()).toEqual(everything);
  });

  test('an endless stream of events does not hold the answer up', async () => {
    await model.refresh();
    server.ports = [mapping('a')];
    for (let id = 1; id <= 10; id += 1) {
      events.audit('session.started', id);
      await settle(20);
    }
    expect(model.exposed).toHaveLength(1);
  });

  test('an event while an answer is on its way has it asked for again', async () => {
    let go = (): void => undefined;
    await model.refresh();
    server.taken();
    server.wait = new Promise(resolve => (go = resolve));
    events.audit('port.created');
    await settle();
    server.ports = [mapping('late')];
    events.audit('port.created', 2);
    await settle();
    server.wait = Promise.resolve();
    go();
    await settle();
    expect(model.exposed.map(({ id }) => id)).toEqual(['late']);
    expect(server.calls).toHaveLength(2 * everything.length);
  });

  test('strangers who are refused cause no request', async () => {
    await model.refresh();
    server.taken();
    events.audit('request.refused');
    await settle();
    expect(server.calls).toEqual([]);
  });

  test('counters are asked for while a view is in sight, and no longer', async () => {
    const end = model.watch();
    await settle(11_000);
    const often = server.taken().filter(call => call.startsWith('GET proxy')).length;
    expect(often).toBeGreaterThanOrEqual(2);
    end();
    await settle(60_000);
    expect(server.calls).toEqual([]);
  });

  test('what is asked of an API without sessions is not asked again', async () => {
    server.refuse('GET sessions', 501, 'NOT_SUPPORTED', 'This API has no sessions.');
    await model.refresh();
    await model.refresh();
    expect(server.calls.filter(call => call === 'GET sessions')).toHaveLength(1);
    expect(model.connection.state).toBe('ready');
  });
});

describe('what is known', () => {
  test('a mapping that did not change is the same object, whatever else did', async () => {
    server.ports = [mapping('a'), mapping('b', { internal_port: 5000 })];
    await model.refresh();
    const before = model.exposed;
    server.ports = [mapping('a'), mapping('b', { internal_port: 5000, description: 'New' })];
    await model.refresh();
    expect(model.exposed).not.toBe(before);
    expect(model.exposed[0]).toBe(before[0]);
    expect(model.exposed[1]?.description).toBe('New');
  });

  test('nobody is told when nothing changed', async () => {
    server.ports = [mapping('a')];
    await model.refresh();
    const told = vi.fn();
    model.changed.connect(told);
    await model.refresh();
    expect(told).not.toHaveBeenCalled();
  });

  test('a port that is exposed is not offered, but says where the mapping comes from', async () => {
    server.ports = [mapping('a', { replicas: [6007] })];
    server.detected = [6006, 6007, 7860].map(port => ({ port, name: 'x', notebook: 'a.ipynb' }));
    await model.refresh();
    expect(model.detected.map(({ port }) => port)).toEqual([7860]);
    expect(model.origins.get(6006)?.notebook).toBe('a.ipynb');
    expect(model.find({ port: 6007 })?.id).toBe('a');
    expect(model.find({ id: 'a' })?.internal_port).toBe(6006);
  });

  test('fields and states that are new to us are kept', async () => {
    server.ports = [mapping('a', { health_status: 'dreaming', mood: 'sunny' })];
    await model.refresh();
    expect(model.exposed[0]).toMatchObject({ health_status: 'dreaming', mood: 'sunny' });
  });
});

describe('when something is wrong', () => {
  test('what the API refuses is told with its words, and what was known stays', async () => {
    server.ports = [mapping('a')];
    await model.refresh();
    server.refuse('GET proxy', 401, 'UNAUTHORIZED', 'The key is wrong.', { suggestion: 'Set it.' });
    await model.refresh();
    const { connection } = model;
    expect(connection).toMatchObject({ state: 'failed', error: { code: 'UNAUTHORIZED' } });
    expect(connection.state === 'failed' && connection.error.suggestion).toBe('Set it.');
    expect(model.exposed).toHaveLength(1);
    server.instead.clear();
    await model.refresh();
    expect(model.connection.state).toBe('ready');
  });

  test('a view in sight tries again by itself', async () => {
    server.refuse('GET proxy', 503, 'GATEWAY_UNAVAILABLE', 'It is starting.');
    const end = model.watch();
    await settle(1000);
    expect(model.connection.state).toBe('failed');
    server.instead.clear();
    await settle(60_000);
    expect(model.connection.state).toBe('ready');
    end();
  });

  test('a line that was cut is told at once, and everything is asked for when it is back', async () => {
    await model.refresh();
    events.connected.emit(false);
    expect(model.connection.state).toBe('offline');
    server.ports = [mapping('missed')];
    events.connected.emit(true);
    await settle();
    expect(model.connection.state).toBe('ready');
    expect(model.exposed).toHaveLength(1);
  });

  test('a server that does not answer is offline', async () => {
    server.instead.set('GET connection', 'nothing');
    await model.refresh();
    expect(model.connection.state).toBe('offline');
  });

  test('an answer after the end changes nothing', async () => {
    server.ports = [mapping('a')];
    const asked = model.refresh();
    model.dispose();
    await asked;
    expect(model.exposed).toEqual([]);
  });
});

describe('clusters', () => {
  beforeEach(() => {
    server.connection = { kind: 'api', api_url: 'https://api.example', cluster_id: '' };
    server.clusters = [{ id: 'one', name: 'One' }, { id: 'two' }];
    server.refuse('GET proxy', 503, 'NOT_CONFIGURED', 'No cluster is chosen.');
  });

  test('the choice is known before one is chosen', async () => {
    await model.refresh();
    expect(model.connection.state).toBe('failed');
    expect(model.info?.clusters?.map(({ id }) => id)).toEqual(['one', 'two']);
  });

  test('choosing one shows its ports', async () => {
    await model.refresh();
    server.instead.clear();
    server.connection = { ...server.connection, cluster_id: 'two' };
    server.ports = [mapping('a')];
    await model.chooseCluster('two');
    expect(server.bodies).toContainEqual({ cluster_id: 'two' });
    expect(model.info?.cluster_id).toBe('two');
    expect(model.exposed).toHaveLength(1);
  });
});
