import { screen, waitFor, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, test } from 'vitest';

import { CommandIDs } from '../src/tokens';
import { Desk, rowOf, toggleOf } from './fixtures/panel';
import { mapping } from './fixtures/server';

let desk: Desk;

beforeEach(() => {
  desk = new Desk();
});

describe('an exposed service', () => {
  test('tells name, port, replicas, health and who can open it without any colour', async () => {
    desk.server.ports = [
      mapping('a', { replicas: [6007, 6008] }),
      mapping('b', { health_status: 'unhealthy', access_control: { public_access: true } })
    ];
    await desk.draw();
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
    desk.server.ports = [mapping('a', { health_status: 'unhealthy', health_check: check })];
    desk.server.detected = [{ port: 6006, name: 'TensorBoard', notebook: 'work/train.ipynb' }];
    await desk.draw();
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
    desk.server.ports = [mapping('a', { description })];
    await desk.draw();
    expect(toggleOf('a').querySelector('bdi')?.textContent).toBe(shown);
    expect(document.querySelector('img')).toBeNull();
  });

  test('in a state that is new to us says its word', async () => {
    desk.server.ports = [mapping('a', { health_status: 'dreaming<b>' })];
    await desk.draw();
    expect(within(rowOf('a')).getByRole('img', { name: 'dreaming<b>' })).toBeVisible();
  });

  test('that no browser can open has no button to open it', async () => {
    desk.server.ports = [mapping('a', { app_protocol: 'tcp' }), mapping('b')];
    await desk.draw();
    expect(within(rowOf('a')).queryByRole('button', { name: /^Open/ })).toBeNull();
    await userEvent.click(within(rowOf('b')).getByRole('button', { name: 'Open TensorBoard' }));
    expect(desk.ran).toEqual([[CommandIDs.open, { id: 'b' }]]);
  });

  test('has a menu by its button, which is not the only way there', async () => {
    desk.server.ports = [mapping('a')];
    await desk.draw();
    await userEvent.click(within(rowOf('a')).getByRole('button', { name: 'More for TensorBoard' }));
    const items = [...document.querySelectorAll('.lm-Menu-itemLabel')].map(i => i.textContent);
    expect(items).toEqual(expect.arrayContaining([CommandIDs.stop, CommandIDs.edit]));
  });
});

describe('an open row', () => {
  beforeEach(() => {
    desk.server.ports = [mapping('a', { access_control: { allowed_users: ['ana', 'ben'] } })];
    desk.server.sessions = [
      { id: 's1', port_id: 'a', user: 'ben', via: 'link' },
      { id: 's2', port_id: 'other', user: 'eve' }
    ];
  });

  test('shows use, people and settings, and signs one person out', async () => {
    await desk.draw();
    await userEvent.click(toggleOf('a'));
    const row = rowOf('a');
    expect(row).toHaveTextContent('214 requests · 3 people · 18 ms');
    expect(row).toHaveTextContent('https://localhost:32001');
    expect(row).not.toHaveTextContent('eve');
    await userEvent.click(within(row).getByRole('button', { name: 'Sign out ben' }));
    expect(desk.ran).toEqual([[CommandIDs.signOut, { session: 's1' }]]);
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
    desk.server.instead.set('GET ports/a/history', [
      200,
      { success: true, data: { minutes, health, cut: true } }
    ]);
    await desk.draw();
    await userEvent.click(toggleOf('a'));
    const plot = await within(rowOf('a')).findByRole('img', { name: /requests/ });
    expect(plot).toHaveAccessibleName('more than 4 requests in the last 2 min, 1 failed');
    expect(plot.querySelectorAll('.jp-TensorOne-bar')).toHaveLength(1);
    expect(plot.querySelectorAll('.jp-TensorOne-cross')).toHaveLength(1);
    expect(plot.querySelectorAll('.jp-TensorOne-strip.jp-mod-bad')).toHaveLength(1);
    expect(plot).toHaveTextContent(/4 requests, 1 failed, half within 18 ms/);
  });

  test('shows the last requests, those that failed alone if that is wished', async () => {
    await desk.draw();
    await userEvent.click(toggleOf('a'));
    await userEvent.selectOptions(within(rowOf('a')).getByLabelText('Which requests'), '5xx');
    await waitFor(() => {
      expect(desk.server.calls).toContain('GET logs?port_id=a&limit=10&status=5');
    });
    expect(desk.server.calls).toContain('GET logs?port_id=a&limit=10');
  });

  test('says that a server keeps no log', async () => {
    desk.server.refuse('GET logs', 501, 'NOT_SUPPORTED', 'This server keeps no log.');
    await desk.draw();
    await userEvent.click(toggleOf('a'));
    expect(await within(rowOf('a')).findByText('This server keeps no log.')).toBeVisible();
  });

  test('asks nothing while the panel is out of sight', async () => {
    const { rerender } = await desk.draw();
    await userEvent.click(toggleOf('a'));
    await waitFor(() => {
      expect(desk.server.calls).toContain('GET ports/a/history');
    });
    rerender(desk.panel(false));
    desk.server.taken();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(desk.server.calls).toEqual([]);
    rerender(desk.panel(true));
    await waitFor(() => {
      expect(desk.server.calls).toContain('GET ports/a/history');
    });
  });
});

describe('lists', () => {
  test('teach where they are empty', async () => {
    await desk.draw();
    expect(screen.getByText('Nothing is exposed.')).toBeVisible();
    expect(screen.getByText(/What kernels and terminals start to serve/)).toBeVisible();
    const [button] = screen.getAllByRole('button', { name: 'Expose a port…' }).slice(-1);
    await userEvent.click(button ?? expect.fail());
    expect(desk.ran).toEqual([[CommandIDs.expose, {}]]);
  });

  test('offer what was detected', async () => {
    desk.server.detected = [{ port: 7860, name: 'Gradio', notebook: 'demo.ipynb' }];
    await desk.draw();
    await userEvent.click(screen.getByRole('button', { name: 'Expose Gradio on port 7860' }));
    expect(desk.ran).toEqual([[CommandIDs.expose, { port: 7860 }]]);
    expect(screen.getByText('demo.ipynb')).toBeVisible();
  });

  test('of 200 ports are drawn anew only where something changed', async () => {
    desk.server.ports = Array.from({ length: 200 }, (_, i) =>
      mapping(`p${i}`, { internal_port: 1000 + i, description: `Service ${i}` })
    );
    await desk.draw();
    expect(document.querySelectorAll('[data-port-id]')).toHaveLength(200);
    desk.drawn = [];
    desk.server.ports[77] = mapping('p77', { internal_port: 1077, description: 'Renamed' });
    desk.events.audit('port.updated');
    await screen.findByText('Renamed');
    expect(desk.drawn).toEqual(['Renamed']);
  });

  test('with many ports can be searched by name and number', async () => {
    desk.server.ports = Array.from({ length: 20 }, (_, i) =>
      mapping(`p${i}`, { internal_port: 1000 + i, description: `Service ${i}` })
    );
    await desk.draw();
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
    desk.server.ports = [mapping('a'), mapping('b'), mapping('c')];
    await desk.draw();
    toggleOf('a').focus();
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}');
    expect(toggleOf('c')).toHaveFocus();
    await userEvent.keyboard('{Home}{Enter}');
    expect(within(rowOf('a')).getByRole('button', { expanded: true })).toHaveFocus();
  });
});
