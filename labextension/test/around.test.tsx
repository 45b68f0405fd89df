import { NotificationManager } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { notebookMenu, portsOfNotebook } from '../src/around/notebook-ports';
import { Notices } from '../src/around/notices';
import { Page } from '../src/around/page';
import { summaryOf } from '../src/around/summary';
import { Toasts } from '../src/around/toasts';
import type { PortsModel } from '../src/model';
import { RunningPorts } from '../src/plugins/running';
import { CommandIDs } from '../src/tokens';
import { FakeSettings, found, without } from './fixtures/around';
import { mapping, modelOf, FakeServer, type FakeEvents } from './fixtures/server';

const trans = nullTranslator.load('test');
const HOSTILE = '<img src=x onerror=alert(1)>\u202egpj';

let server: FakeServer;
let model: PortsModel;
let events: FakeEvents;
let settings: FakeSettings;
let commands: CommandRegistry;
let run: { command: string; args: unknown }[];

beforeEach(() => {
  server = new FakeServer();
  server.instead.set('GET services', [200, { success: true, data: [] }]);
  ({ model, events } = modelOf(server));
  settings = new FakeSettings();
  commands = new CommandRegistry();
  run = [];
  for (const command of Object.values(CommandIDs)) {
    commands.addCommand(command, { execute: args => run.push({ command, args }) });
  }
});

afterEach(() => model.dispose());

describe('the line about everything', () => {
  test('says how many there are, and how the worst does, by shape and words', async () => {
    server.ports = [mapping('a'), mapping('b', { health_status: 'unhealthy' })];
    await model.refresh();
    expect(summaryOf(model, trans)).toMatchObject({
      shape: '▲',
      tone: 'bad',
      text: '2 ports exposed, 1 not answering'
    });
    server.ports = [mapping('a')];
    await model.refresh();
    expect(summaryOf(model, trans)).toMatchObject({ shape: '●', text: '1 port exposed' });
  });

  test('says what is wrong with the connection, and what to do', async () => {
    server.refuse('GET proxy', 401, 'UNAUTHORIZED', 'No such key.');
    await model.refresh();
    const { shape, title } = summaryOf(model, trans);
    expect(shape).toBe('▲');
    expect(title).toContain('Set TENSORONE_API_KEY');
    events.connected.emit(false);
    expect(summaryOf(model, trans).text).toBe('Ports: offline');
  });

  test('names ten services at most', async () => {
    server.ports = Array.from({ length: 200 }, (_, at) => mapping(`m${at}`));
    await model.refresh();
    expect(summaryOf(model, trans).title.split('\n')).toHaveLength(12);
  });
});

describe('notifications', () => {
  let manager: NotificationManager;
  let toasts: Toasts;
  let answered: number[];

  beforeEach(() => {
    manager = new NotificationManager();
    answered = [];
    toasts = new Toasts({
      model,
      commands,
      trans,
      manager,
      preferences: settings.page(),
      answered: port => answered.push(port)
    });
  });

  const last = (): string => manager.notifications[0]?.message ?? '';

  function press(label: string): void {
    const action = manager.notifications[0]?.options.actions?.find(known => known.label === label);
    expect(action, `there is no ${label}`).toBeDefined();
    action?.callback(new MouseEvent('click'));
  }

  const labels = (): unknown =>
    manager.notifications[0]?.options.actions?.map(({ label }) => label);

  test('ask about a port with its name, number and notebook', () => {
    toasts.show({ kind: 'found', port: found(6006) }, () => undefined);
    expect(last()).toBe('TensorBoard is running on port 6006 (train.ipynb).');
    expect(labels()).toEqual(['Expose', 'Always', 'Ignore']);
  });

  test('do not offer what the administrator does not allow', () => {
    const port = without(found(6006), 'may_expose');
    toasts.show({ kind: 'found', port }, () => undefined);
    expect(labels()).toEqual(['Expose', 'Ignore']);
  });

  test('of a name from outside are short, and cannot turn the direction', () => {
    const port = found(6006, { name: HOSTILE + 'x'.repeat(300) });
    toasts.show({ kind: 'found', port }, () => undefined);
    expect(last().length).toBeLessThanOrEqual(140);
    expect(last()).not.toContain('\u202e');
    expect(last()).toContain('is running on port 6006');
  });

  test('expose with one press, for me alone, and tell the other pages', async () => {
    server.instead.set('POST ports', [201, { success: true, data: mapping('a') }]);
    server.ports = [mapping('a')];
    toasts.show({ kind: 'found', port: found(6006) }, () => undefined);
    press('Expose');
    expect(answered).toEqual([6006]);
    await vi.waitFor(() => expect(last()).toContain('is exposed at https://localhost:32001'));
    expect(last()).toContain('Only you can open it.');
    expect(server.bodies.find(body => body !== undefined)).toMatchObject({
      internal_port: 6006,
      kernel_id: 'k1'
    });
    press('Open');
    expect(run).toEqual([{ command: CommandIDs.open, args: { id: 'a' } }]);
  });

  test('expose through another API without what only a gateway of ours knows', async () => {
    server.connection = { kind: 'api', api_url: 'https://api.example', cluster_id: 'one' };
    server.instead.set('POST ports', [201, { success: true, data: mapping('a') }]);
    await model.refresh();
    toasts.show({ kind: 'found', port: found(6006) }, () => undefined);
    press('Expose');
    await vi.waitFor(() => expect(last()).toContain('is exposed at'));
    expect(server.bodies.find(body => body !== undefined)).not.toHaveProperty('kernel_id');
  });

  test('say why something cannot be exposed', async () => {
    server.refuse('POST ports', 403, 'FORBIDDEN', 'You may not.', { suggestion: 'Ask Ben.' });
    toasts.show({ kind: 'found', port: found(6006) }, () => undefined);
    press('Expose');
    await vi.waitFor(() => expect(last()).toBe('You may not. Ask Ben.'));
  });

  test('remember Always and Ignore, and Ignore can be undone', async () => {
    server.instead.set('POST ports', [201, { success: true, data: mapping('a') }]);
    toasts.show({ kind: 'found', port: found(6006) }, () => undefined);
    press('Always');
    await vi.waitFor(() =>
      expect(settings.settings.answers).toEqual([{ service: 'tensorboard', action: 'expose' }])
    );
    toasts.show({ kind: 'found', port: found(5000, { service: 'mlflow' }) }, () => undefined);
    press('Ignore');
    await vi.waitFor(() => expect(labels()).toEqual(['Undo']));
    expect(settings.settings.answers).toHaveLength(2);
    press('Undo');
    await vi.waitFor(() => expect(settings.settings.answers).toHaveLength(1));
  });

  test('say that an answer cannot be kept', async () => {
    settings.full = new Error('The disk is full.');
    toasts.show({ kind: 'found', port: found(6006) }, () => undefined);
    press('Ignore');
    await vi.waitFor(() =>
      expect(manager.notifications.map(({ message }) => message)).toContain(
        'The answer cannot be kept: The disk is full.'
      )
    );
  });

  test('of a wish for public access lead to the dialog and do nothing themselves', () => {
    const port = found(6006, { decision: 'expose', question: 'public' });
    toasts.show({ kind: 'public', port }, () => undefined);
    press('Choose who…');
    expect(run).toEqual([{ command: CommandIDs.edit, args: { port: 6006 } }]);
    expect(server.calls).toEqual([]);
  });

  test('that were put away are told of', () => {
    const away = vi.fn();
    const close = toasts.show({ kind: 'found', port: found(6006) }, away);
    manager.dismiss();
    expect(away).toHaveBeenCalledOnce();
    close();
    expect(away).toHaveBeenCalledOnce();
  });
});

describe('notices', () => {
  let told: string[];

  beforeEach(async () => {
    server.ports = [mapping('a')];
    await model.refresh();
    const preferences = settings.page();
    settings.settings = { ...settings.settings, notifyHealth: true };
    await preferences.load();
    told = [];
    new Notices(model, preferences, trans, message => told.push(message));
  });

  function health(status: string): void {
    events.happened.emit({
      kind: 'audit',
      id: 1,
      timestamp: '2026-01-15T14:30:00Z',
      action: 'health.changed',
      port_id: 'a',
      status
    });
  }

  test('tell that a service stopped answering, and answers again, once a minute', () => {
    for (let times = 0; times < 20; times += 1) {
      health('unhealthy');
      health('healthy');
    }
    expect(told).toEqual(['TensorBoard does not answer.', 'TensorBoard answers again.']);
  });

  test('tell what a monitor is alarmed by', () => {
    events.happened.emit({
      kind: 'alert',
      state: 'firing',
      alert: 'response_time above 2 s',
      measure: 'response_time',
      value: '3.1 s',
      name: HOSTILE,
      port_id: 'a',
      timestamp: '2026-01-15T14:30:00Z'
    });
    expect(told[0]).toMatch(
      /^<img src=x onerror=alert\(1\)>gpj: response_time above 2 s\. It is 3\.1 s\.$/
    );
  });
});

describe('ports of one notebook', () => {
  beforeEach(async () => {
    server.ports = [
      mapping('a', { kernel_id: 'k1' }),
      mapping('b', { internal_port: 5000, kernel_id: 'k2' }),
      mapping('c', { internal_port: 5001, description: 'By hand' })
    ];
    server.detected = [
      found(5001, { kernel_id: 'k1' }),
      found(7860, { name: 'Gradio', notebook: 'train.ipynb' }),
      found(7861, { notebook: 'other.ipynb', kernel_id: 'k2' })
    ];
    await model.refresh();
  });

  const place = { path: 'train.ipynb', kernelId: 'k1' };

  test('are those of its kernel and its path', () => {
    const { exposed, detected } = portsOfNotebook(model, place);
    expect(exposed.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(detected.map(({ port }) => port)).toEqual([7860]);
  });

  test('are opened and exposed from a menu', async () => {
    const menu = notebookMenu({ model, trans, commands, place });
    expect(menu.items.map(({ label }) => label)).toEqual([
      '● Open TensorBoard (port 6006, healthy)',
      '● Open By hand (port 5001, healthy)',
      'Expose Gradio (port 7860)…',
      '',
      'Expose a Port…',
      'Show Ports'
    ]);
    await menu.commands.execute(menu.items[2]?.command ?? '');
    expect(run).toEqual([{ command: CommandIDs.expose, args: { port: 7860 } }]);
  });

  test('are none before a kernel runs', () => {
    const none = portsOfNotebook(model, { path: 'new.ipynb', kernelId: undefined });
    expect(none).toEqual({ exposed: [], detected: [] });
  });
});

describe('running sessions', () => {
  test('list what is exposed, and stop it only after a question', async () => {
    server.ports = [mapping('a', { description: HOSTILE })];
    await model.refresh();
    const running = new RunningPorts({ commands }, model, trans);
    const [item] = running.running();
    expect(item?.label()).toBe('● <img src=x onerror=alert(1)>gpj');
    item?.shutdown?.();
    expect(run).toEqual([{ command: CommandIDs.stop, args: { id: 'a' } }]);
    running.shutdownAll();
    await vi.waitFor(() => expect(server.calls).toContain('DELETE ports/a'));
  });
});

describe('a page in a tab', () => {
  const draw = (): ReturnType<typeof render> =>
    render(
      <Page
        model={model}
        trans={trans}
        id="a"
        name="Runs"
        showPorts={() => undefined}
        reloads={() => 0}
        subscribe={redraw => {
          model.changed.connect(redraw);
          return () => model.changed.disconnect(redraw);
        }}
      />
    );

  test('is filled only once it is known to be exposed: opening would expose it', async () => {
    const { container } = draw();
    expect(container.querySelector('iframe')).toBeNull();
    screen.getByText('Loading…');
    await model.refresh();
    await screen.findByText('Runs is no longer exposed.');
    expect(container.querySelector('iframe')).toBeNull();
  });

  test('r27: is sandboxed, and has a title for who cannot see it', async () => {
    server.ports = [mapping('a', { description: HOSTILE })];
    await model.refresh();
    const { container } = draw();
    const frame = container.querySelector('iframe');
    expect(frame?.getAttribute('src')).toBe('http://lab.example/base/tensorone-proxy/go/6006/');
    expect(frame?.title).toBe('<img src=x onerror=alert(1)>gpj');
    expect(frame?.getAttribute('sandbox')?.split(' ')).not.toContain('allow-top-navigation');
    expect(container.querySelector('img')).toBeNull();
  });

  test('says how to get out where a service may forbid frames', async () => {
    server.connection = { kind: 'api', api_url: 'https://api.example', cluster_id: 'one' };
    server.ports = [mapping('a')];
    await model.refresh();
    draw();
    const link = screen.getByRole('link', { name: 'Open it in a browser tab' });
    expect(link.getAttribute('rel')).toBe('noopener noreferrer');
  });

  test('says what is wrong with the connection instead', async () => {
    server.refuse('GET proxy', 503, 'GATEWAY_UNAVAILABLE', 'It is starting.');
    await model.refresh();
    draw();
    screen.getByText(/It is starting\./);
  });
});
