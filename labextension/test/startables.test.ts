import type { ILauncher } from '@jupyterlab/launcher';
import { beforeEach, describe, expect, test, vi } from 'vitest';

import { Startables } from '../src/around/startables';
import type { PortsModel } from '../src/model';
import { Cards } from '../src/plugins/launcher';
import { mapping, modelOf, FakeServer } from './fixtures/server';

const mlflow = { id: 'svc_1', name: 'MLflow', stack: 'lab', command: ['mlflow'], state: 'stopped' };
let server: FakeServer;
let model: PortsModel;
let startables: Startables;

/** Have the server know these services. */
function knows(...services: (typeof mlflow)[]): void {
  server.instead.set('GET processes', [200, { success: true, data: services }]);
}

beforeEach(() => {
  server = new FakeServer();
  ({ model } = modelOf(server));
  startables = new Startables(server.api);
});

describe('services that can be started', () => {
  test('are those that do not run', async () => {
    knows(
      mlflow,
      { ...mlflow, id: 'svc_2', state: 'running' },
      { ...mlflow, id: 'svc_3', state: 'failed' }
    );
    await startables.refresh();
    expect(startables.resting.map(({ id }) => id)).toEqual(['svc_1', 'svc_3']);
  });

  test('are none where the server runs no services', async () => {
    server.refuse('GET processes', 404, 'NOT_FOUND', 'There is no such address.');
    await startables.refresh();
    expect(startables.resting).toEqual([]);
  });

  test('are asked for once after several events', async () => {
    vi.useFakeTimers();
    knows(mlflow);
    for (let times = 0; times < 10; times += 1) {
      startables.heard();
    }
    await vi.advanceTimersByTimeAsync(1_000);
    vi.useRealTimers();
    expect(server.calls).toEqual(['GET processes']);
  });

  test('are started by their id', async () => {
    await startables.start('svc/1');
    expect(server.calls).toEqual(['POST processes/svc%2F1/start']);
  });
});

test('cards follow what is exposed and what could be started', async () => {
  const cards = new Set<unknown>();
  const launcher = {
    add: ({ command, args }: ILauncher.IItemOptions) => {
      const card = JSON.stringify([command, args?.id ?? null]);
      cards.add(card);
      return { isDisposed: false, dispose: () => cards.delete(card) };
    }
  };
  new Cards(model, startables, launcher, 'Ports');
  server.ports = [mapping('a'), mapping('raw', { app_protocol: 'tcp' })];
  await model.refresh();
  knows(mlflow);
  await startables.refresh();
  expect([...cards]).toEqual([
    '["tensorone-proxy:expose",null]',
    '["tensorone-proxy:open","a"]',
    '["tensorone-proxy:start-service","svc_1"]'
  ]);
  server.ports = [];
  await model.refresh();
  knows({ ...mlflow, state: 'running' });
  await startables.refresh();
  expect([...cards]).toEqual(['["tensorone-proxy:expose",null]']);
});
