import { Dialog, Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { PortCommands } from '../src/commands';
import type { PortsModel } from '../src/model';
import { FakeServer, mapping, modelOf } from './fixtures/server';

let server: FakeServer;
let model: PortsModel;
let commands: PortCommands;

beforeEach(async () => {
  server = new FakeServer();
  ({ model } = modelOf(server));
  commands = new PortCommands(model, nullTranslator.load(''));
  server.ports = [mapping('a'), mapping('b', { internal_port: 5000, description: 'MLflow' })];
  server.sessions = [
    { id: 's1', port_id: 'a', user: 'ben' },
    { id: 's2', port_id: 'a', user: 'ana' }
  ];
  await model.refresh();
  server.taken();
});

afterEach(() => {
  Dialog.flush();
  Notification.dismiss();
});

/** Wait for a dialog, and press one of its buttons. */
async function press(button: string): Promise<string> {
  const find = (): HTMLElement | undefined =>
    [...document.querySelectorAll<HTMLElement>('.jp-Dialog button')].find(
      ({ textContent }) => textContent === button
    );
  await waitFor(() => expect(find()).toBeDefined());
  const text = document.querySelector('.jp-Dialog')?.textContent ?? '';
  find()?.click();
  return text;
}

function told(): string[] {
  return Notification.manager.notifications.map(({ message }) => message);
}

/** Return what was changed on the server. */
function changes(): string[] {
  return server.taken().filter(call => !call.startsWith('GET'));
}

describe('R27: nothing ends before a person has said so', () => {
  test('stop says whom it concerns, and stops when that is meant', async () => {
    const stopping = commands.stop({ id: 'a' });
    expect(await press('Stop')).toContain('1 other person is signed in.');
    await stopping;
    expect(changes()).toEqual(['DELETE ports/a']);
  });

  test('stop leaves everything as it is when it is not meant', async () => {
    const stopping = commands.stop({ port: 5000 });
    expect(await press('Cancel')).toContain('Stop exposing MLflow?');
    await stopping;
    expect(server.calls).toEqual([]);
  });

  test('sign out ends one session', async () => {
    const ending = commands.signOut({ session: 's1' });
    expect(await press('Sign out')).toContain('TensorBoard');
    await ending;
    expect(changes()).toEqual(['DELETE sessions/s1']);
  });

  test('sign out of somebody unknown does nothing', async () => {
    await commands.signOut({ session: '../users/ana' });
    await commands.signOut({ session: 7 });
    expect(server.calls).toEqual([]);
  });

  test('the proxy is switched on when that is meant', async () => {
    const switching = commands.switchOn();
    expect(await press('Switch on')).toContain('2 ports answer again');
    await switching;
    expect(changes()).toEqual(['PUT proxy']);
    expect(server.bodies).toContainEqual({ enabled: true });
  });
});

test('a refusal is told with its reason and what to do', async () => {
  server.refuse('DELETE ports/a', 403, 'FORBIDDEN', 'You may not.', { suggestion: 'Ask ana.' });
  const stopping = commands.stop({ id: 'a' });
  await press('Stop');
  await stopping;
  expect(told()).toEqual(['You may not. Ask ana.']);
});

test('a port that is gone meanwhile is told of', async () => {
  await commands.copyLink({ id: 'gone' });
  expect(told()).toEqual(['This port is no longer exposed.']);
});

test('a port is opened through Jupyter, so that its user is signed in there', async () => {
  const open = vi.spyOn(window, 'open').mockReturnValue(null);
  await commands.openInBrowser({ id: 'a' });
  const address = 'http://lab.example/base/tensorone-proxy/go/6006/';
  expect(open).toHaveBeenCalledWith(address, '_blank', 'noopener');
});

test('without a port the person is asked which one', async () => {
  const open = vi.spyOn(window, 'open').mockReturnValue(null);
  const opening = commands.openInBrowser({});
  await waitFor(() => expect(document.querySelector('.jp-Dialog select')).not.toBeNull());
  const list = document.querySelector<HTMLSelectElement>('.jp-Dialog select');
  expect([...(list?.options ?? [])].map(({ text }) => text)).toEqual([
    'TensorBoard (6006)',
    'MLflow (5000)'
  ]);
  await press('Ok');
  await opening;
  expect(open).toHaveBeenCalledOnce();
});

test('what speaks no HTTP cannot be opened', async () => {
  server.ports = [mapping('raw', { app_protocol: 'tcp' })];
  await model.refresh();
  expect(commands.canOpen({ id: 'raw' })).toBe(false);
  expect(commands.canOpen({})).toBe(true);
});

test('a copied address comes with who can open it', async () => {
  const copied = vi.fn(() => true);
  Object.assign(document, { execCommand: copied }); // jsdom has none
  await commands.copyLink({ id: 'a' });
  expect(copied).toHaveBeenCalledWith('copy');
  expect(told()).toEqual(['The address of TensorBoard is copied. Only you can open it.']);
});
