import { Dialog } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { afterEach, expect, test, vi } from 'vitest';

import type { Api } from '../src/api';
import { portArgs } from '../src/arguments';
import { addDialogs } from '../src/plugins/dialogs';
import { CommandIDs, type IPortsModel } from '../src/tokens';

const HOSTILE = {
  port: 6006,
  id: { $ne: '' },
  public: true,
  access_control: { public_access: true },
  description: 'Yours',
  force: true,
  commandLinkerTrustBoundaryId: 'x'
};

/** A model with nothing exposed, whose every request is noted. */
function deskWith(requests: string[]): { commands: CommandRegistry; model: IPortsModel } {
  const call = vi.fn((method: string, path: string) => {
    requests.push(`${method} ${path}`);
    return Promise.resolve(path === 'services' ? [] : {});
  });
  const owner = {};
  const model: IPortsModel = {
    api: { call, me: () => Promise.resolve({ name: 'ana' }) } as unknown as Api,
    exposed: [],
    detected: [{ port: 6006, name: 'TensorBoard' }],
    origins: new Map(),
    sessions: [],
    connection: { state: 'ready' },
    info: null,
    changed: new Signal(owner),
    happened: new Signal(owner),
    find: () => undefined,
    chooseCluster: () => Promise.resolve(),
    refresh: () => Promise.resolve(),
    watch: () => () => undefined
  } as unknown as IPortsModel;
  const commands = new CommandRegistry();
  addDialogs(commands, model, nullTranslator.load(''));
  return { commands, model };
}

afterEach(() => {
  Dialog.flush();
});

test('R27: of the arguments of a command only which port is meant is read', () => {
  expect(portArgs(HOSTILE)).toEqual({ port: 6006 });
  expect(portArgs({ port: '6006' })).toEqual({});
  expect(portArgs({ port: 0 })).toEqual({});
  expect(portArgs({ port: 80.5, id: 'port_1' })).toEqual({ id: 'port_1' });
});

test('R27: a command that exposes opens a dialog, for me alone, and exposes nothing by itself', async () => {
  const requests: string[] = [];
  const { commands } = deskWith(requests);
  const ended = commands.execute(CommandIDs.expose, HOSTILE);
  await vi.waitFor(
    () => {
      expect(document.querySelector('[role="dialog"] input[type="radio"]')).not.toBeNull();
    },
    { timeout: 15_000 }
  );
  expect(requests).toEqual(['GET services']);
  const chosen = document.querySelector<HTMLInputElement>('input[type="radio"]:checked');
  expect(chosen?.parentElement?.textContent).toBe('Only me');
  expect(document.querySelectorAll<HTMLInputElement>('input[type="text"]')[0]?.value).toBe(
    'TensorBoard'
  );
  document.querySelector<HTMLButtonElement>('.jp-mod-reject')?.click();
  expect(await ended).toBe(false);
  expect(requests).toEqual(['GET services']);
});
