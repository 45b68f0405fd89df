import { nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { act, render, screen, waitFor, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, test } from 'vitest';

import Ports from '../src/components/ports';
import type { PortsModel } from '../src/model';
import { CommandIDs } from '../src/tokens';
import { FakeServer, mapping, modelOf, type FakeEvents } from './fixtures/server';

let server: FakeServer;
let model: PortsModel;
let events: FakeEvents;
let ran: [string, unknown][];
let commands: CommandRegistry;
let drawn: unknown[] = [];
/** It notes the rows that are drawn: each asks for the label of its menu. */
const trans = Object.assign(Object.create(nullTranslator.load('')) as TranslationBundle, {
  __(text: string, ...args: string[]): string {
    if (text === 'More for %1') {
      drawn.push(args[0]);
    }
    return nullTranslator.load('').__(text, ...args);
  }
});

beforeEach(() => {
  server = new FakeServer();
  ({ model, events } = modelOf(server));
  ran = [];
  commands = new CommandRegistry();
  for (const id of Object.values(CommandIDs)) {
    commands.addCommand(id, { label: id, execute: args => void ran.push([id, args]) });
  }
});

function panel(inSight = true): React.JSX.Element {
  return <Ports surroundings={{ model, commands, trans }} inSight={inSight} />;
}

/** Draw the panel with what the server has. */
async function draw(inSight = true): Promise<ReturnType<typeof render>> {
  await model.refresh();
  return render(panel(inSight));
}

function rowOf(id: string): HTMLElement {
  return document.querySelector<HTMLElement>(`[data-port-id="${id}"]`) ?? expect.fail(id);
}

function toggleOf(id: string): HTMLElement {
  return within(rowOf(id)).getByRole('button', { expanded: false });
}

describe('an exposed service', () => {
  test('tells name, port, replicas, health and who can open it without any colour', async () => {
    server.ports = [
      mapping('a', { replicas: [6007, 6008] }),
      mapping('b', { health_status: 'unhealthy', access_control: { public_access: true } })
    ];
    await draw();
    const [well, ill] = [rowOf('a'), rowOf('b')];
    expect(well).toHaveTextContent('TensorBoard6006 ×3Only me');
    expect(within(well).getByRole('img', { name: 'healthy' })).toHaveTextContent('●');
    expect(within(ill).getByRole('img', { name: 'not answering' })).toHaveTextContent('▲');
    expect(ill).toHaveTextContent('Anyone with the link');
  });

  test('says which notebook it comes from, and since when it does not answer', async () => {
    const check = {
      last_check: '2026-01-15T14:03:00Z',
      consecutive_failures: 3,
      interval_seconds: 30
    };
    server.ports = [mapping('a', { health_status: 'unhealthy', health_check: check })];
    server.detected = [{ port: 6006, name: 'TensorBoard', notebook: 'work/train.ipynb' }];
    await draw();
    expect(rowOf('a')).toHaveTextContent('train.ipynb');
    expect(rowOf('a')).toHaveTextContent(/not answering since .*[0-9]{1,2}:02/);
    await userEvent.click(toggleOf('a'));
    expect(rowOf('a')).toHaveTextContent('The last 3 checks failed');
    expect(rowOf('a')).toHaveTextContent('Something listens on port 6006, but does not answer.');
  });

  test.each([
    ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
    ['evil\u202egnp.exe\u200f', 'evilgnp.exe'],
    ['x'.repeat(400), `${'x'.repeat(300)}…`],
    ['  ', 'Port 6006']
  ])('may be called %s', async (description, shown) => {
    server.ports = [mapping('a', { description })];
    await draw();
    expect(toggleOf('a').querySelector('bdi')?.textContent).toBe(shown);
    expect(document.querySelector('img')).toBeNull();
  });

  test('in a state that is new to us says its word', async () => {
    server.ports = [mapping('a', { health_status: 'dreaming<b>' })];
    await draw();
    expect(within(rowOf('a')).getByRole('img', { name: 'dreaming<b>' })).toBeVisible();
  });

  test('that no browser can open has no button to open it', async () => {
    server.ports = [mapping('a', { app_protocol: 'tcp' }), mapping('b')];
    await draw();
    expect(within(rowOf('a')).queryByRole('button', { name: /^Open/ })).toBeNull();
    await userEvent.click(within(rowOf('b')).getByRole('button', { name: 'Open TensorBoard' }));
    expect(ran).toEqual([[CommandIDs.open, { id: 'b' }]]);
  });

  test('has a menu by its button, which is not the only way there', async () => {
    server.ports = [mapping('a')];
    await draw();
    await userEvent.click(within(rowOf('a')).getByRole('button', { name: 'More for TensorBoard' }));
    const items = [...document.querySelectorAll('.lm-Menu-itemLabel')].map(i => i.textContent);
    expect(items).toEqual(expect.arrayContaining([CommandIDs.stop, CommandIDs.edit]));
  });
});

describe('an open row', () => {
  beforeEach(() => {
    server.ports = [mapping('a', { access_control: { allowed_users: ['ana', 'ben'] } })];
    server.sessions = [
      { id: 's1', port_id: 'a', user: 'ben', via: 'link' },
      { id: 's2', port_id: 'other', user: 'eve' }
    ];
  });

  test('shows use, people and settings, and signs one person out', async () => {
    await draw();
    await userEvent.click(toggleOf('a'));
    const row = rowOf('a');
    expect(row).toHaveTextContent('214 requests · 3 people · 18 ms');
    expect(row).toHaveTextContent('https://localhost:32001');
    expect(row).not.toHaveTextContent('eve');
    await userEvent.click(within(row).getByRole('button', { name: 'Sign out ben' }));
    expect(ran).toEqual([[CommandIDs.signOut, { session: 's1' }]]);
  });

  test('draws the last half hour, and says it in words', async () => {
    const minutes = [0, 4].map((requests, i) => ({
      start: `2026-01-15T14:0${i}:00Z`,
      requests,
      failed: requests / 4,
      median_ms: requests > 0 ? 18 : null
    }));
    const health = [
      { start: minutes[0]?.start, end: minutes[1]?.start, word: 'unhealthy', tone: 'bad' }
    ];
    server.instead.set('GET ports/a/history', [
      200,
      { success: true, data: { minutes, health, cut: true } }
    ]);
    await draw();
    await userEvent.click(toggleOf('a'));
    const plot = await within(rowOf('a')).findByRole('img', { name: /requests/ });
    expect(plot).toHaveAccessibleName('more than 4 requests in the last 2 min, 1 failed');
    expect(plot.querySelectorAll('.jp-TensorOne-bar')).toHaveLength(1);
    expect(plot.querySelectorAll('.jp-TensorOne-cross')).toHaveLength(1);
    expect(plot.querySelectorAll('.jp-TensorOne-strip.jp-mod-bad')).toHaveLength(1);
    expect(plot).toHaveTextContent(/4 requests, 1 failed, half within 18 ms/);
  });

  test('shows the last requests, those that failed alone if that is wished', async () => {
    await draw();
    await userEvent.click(toggleOf('a'));
    await userEvent.selectOptions(within(rowOf('a')).getByLabelText('Which requests'), '5xx');
    await waitFor(() => {
      expect(server.calls).toContain('GET logs?port_id=a&limit=10&status=5');
    });
    expect(server.calls).toContain('GET logs?port_id=a&limit=10');
  });

  test('says that a server keeps no log', async () => {
    server.refuse('GET logs', 501, 'NOT_SUPPORTED', 'This server keeps no log.');
    await draw();
    await userEvent.click(toggleOf('a'));
    expect(await within(rowOf('a')).findByText('This server keeps no log.')).toBeVisible();
  });

  test('asks nothing while the panel is out of sight', async () => {
    const { rerender } = await draw();
    await userEvent.click(toggleOf('a'));
    await waitFor(() => {
      expect(server.calls).toContain('GET ports/a/history');
    });
    rerender(panel(false));
    server.taken();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(server.calls).toEqual([]);
    rerender(panel(true));
    await waitFor(() => {
      expect(server.calls).toContain('GET ports/a/history');
    });
  });
});

describe('lists', () => {
  test('teach where they are empty', async () => {
    await draw();
    expect(screen.getByText('Nothing is exposed.')).toBeVisible();
    expect(screen.getByText(/What kernels and terminals start to serve/)).toBeVisible();
    const [button] = screen.getAllByRole('button', { name: 'Expose a port…' }).slice(-1);
    await userEvent.click(button ?? expect.fail());
    expect(ran).toEqual([[CommandIDs.expose, {}]]);
  });

  test('offer what was detected', async () => {
    server.detected = [{ port: 7860, name: 'Gradio', notebook: 'demo.ipynb' }];
    await draw();
    await userEvent.click(screen.getByRole('button', { name: 'Expose Gradio on port 7860' }));
    expect(ran).toEqual([[CommandIDs.expose, { port: 7860 }]]);
    expect(screen.getByText('demo.ipynb')).toBeVisible();
  });

  test('of 200 ports are drawn anew only where something changed', async () => {
    server.ports = Array.from({ length: 200 }, (_, i) =>
      mapping(`p${i}`, { internal_port: 1000 + i, description: `Service ${i}` })
    );
    await draw();
    expect(document.querySelectorAll('[data-port-id]')).toHaveLength(200);
    drawn = [];
    server.ports[77] = mapping('p77', { internal_port: 1077, description: 'Renamed' });
    events.audit('port.updated');
    await screen.findByText('Renamed');
    expect(drawn).toEqual(['Renamed']);
  });

  test('with many ports can be searched by name and number', async () => {
    server.ports = Array.from({ length: 20 }, (_, i) =>
      mapping(`p${i}`, { internal_port: 1000 + i, description: `Service ${i}` })
    );
    await draw();
    const field = screen.getByRole('searchbox');
    await userEvent.type(field, 'ice 17');
    await waitFor(() => expect(document.querySelectorAll('[data-port-id]')).toHaveLength(1));
    await userEvent.clear(field);
    await userEvent.type(field, '1003');
    await waitFor(() => expect(rowOf('p3')).toBeVisible());
    await userEvent.type(field, 'nothing');
    expect(await screen.findByText('None of them has this name or number.')).toBeVisible();
  });

  test('are walked through by the arrow keys, and opened by Enter', async () => {
    server.ports = [mapping('a'), mapping('b'), mapping('c')];
    await draw();
    toggleOf('a').focus();
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}');
    expect(toggleOf('c')).toHaveFocus();
    await userEvent.keyboard('{Home}{Enter}');
    expect(within(rowOf('a')).getByRole('button', { expanded: true })).toHaveFocus();
  });
});

describe('the connection', () => {
  test.each([
    ['UNAUTHORIZED', 401, 'The API key is refused: No.', 'Set TENSORONE_API_KEY'],
    ['API_UNREACHABLE', 503, 'The local gateway is down.', 'It is started again by itself'],
    ['GATEWAY_UNAVAILABLE', 503, 'No.', 'Do this.'],
    ['FORBIDDEN', 403, 'No.', 'Do this.'],
    ['UNEXPECTED_ANSWER', 404, 'This Jupyter server cannot expose ports.', 'Install'],
    ['SOMETHING_NEW', 500, 'No.', 'Do this.']
  ])('that fails with %s says what happened and what to do', async (code, status, what, todo) => {
    server.refuse('GET proxy', status, code, 'No.', { suggestion: 'Do this.' });
    await draw();
    const told = screen.getByRole('status');
    expect(told).toHaveTextContent(what);
    expect(told).toHaveTextContent(todo);
    server.instead.clear();
    await userEvent.click(within(told).getByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(told).toBeEmptyDOMElement());
  });

  test('that is cut says so, and keeps what was there', async () => {
    server.ports = [mapping('a')];
    await draw();
    act(() => events.connected.emit(false));
    expect(screen.getByRole('status')).toHaveTextContent('The Jupyter server does not answer.');
    expect(rowOf('a')).toBeVisible();
  });

  test('tells that Envoy restarts, and that the proxy is switched off', async () => {
    server.proxy = { proxy_status: 'restarting' };
    await draw();
    expect(screen.getByRole('status')).toHaveTextContent('Envoy is restarting.');
    server.proxy = { proxy_status: 'disabled' };
    await act(() => model.refresh());
    expect(screen.getByRole('status')).toHaveTextContent('no port answers');
    await userEvent.click(screen.getByRole('button', { name: 'Switch on' }));
    expect(ran).toEqual([[CommandIDs.switchOn, {}]]);
  });

  test('to an account with several clusters lets one choose', async () => {
    server.connection = { kind: 'api', api_url: 'https://api.example', cluster_id: '' };
    server.clusters = [{ id: 'one', name: 'One' }, { id: 'two' }];
    server.refuse('GET proxy', 503, 'NOT_CONFIGURED', 'No cluster is chosen.');
    await draw();
    expect(screen.getByRole('status')).toHaveTextContent('Choose a cluster above.');
    server.instead.clear();
    server.connection = { ...server.connection, cluster_id: 'two' };
    await userEvent.selectOptions(screen.getByLabelText('Cluster'), 'two');
    expect(server.bodies).toContainEqual({ cluster_id: 'two' });
    await waitFor(() => expect(screen.getByRole('status')).toBeEmptyDOMElement());
    expect(screen.getByLabelText('Cluster')).toHaveValue('two');
  });

  test('refuses a cluster with the words of the server', async () => {
    server.connection = { kind: 'api', api_url: 'https://api.example', cluster_id: 'one' };
    server.clusters = [{ id: 'one' }, { id: 'two' }];
    server.refuse('PUT connection', 422, 'VALIDATION_ERROR', 'There is no such cluster.');
    await draw();
    await userEvent.selectOptions(screen.getByLabelText('Cluster'), 'two');
    expect(await screen.findByRole('alert')).toHaveTextContent('There is no such cluster.');
  });
});
