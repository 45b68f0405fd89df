import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, test } from 'vitest';

import { Api } from '../src/api';
import { AccessForm } from '../src/dialogs/access';
import type { Host, Steps } from '../src/dialogs/dialog';
import { ExposeForm, type ExposeContext } from '../src/dialogs/expose';
import { RepointForm } from '../src/dialogs/repoint';
import { ShareForm } from '../src/dialogs/share';

const trans = nullTranslator.load('');
const settings = ServerConnection.makeSettings({ baseUrl: 'http://localhost:8888/' });

/** The far end of the network: what was asked of it, and what it answers next. */
class Server {
  readonly asked: { method: string; path: string; body: unknown }[] = [];
  answer: { status: number; body: object } = { status: 200, body: { success: true, data: {} } };

  readonly api = new Api(settings, (url, init) => {
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : null;
    const path = new URL(url).pathname.replace('/tensorone-proxy/api/', '');
    this.asked.push({ method: init.method ?? 'GET', path, body });
    const { status, body: said } = this.answer;
    return Promise.resolve(new Response(JSON.stringify(said), { status }));
  });

  refuse(field: string, message: string): void {
    const details = { fields: [{ field, message }] };
    const error = { code: 'VALIDATION_ERROR', message: 'The request has a wrong field.', details };
    this.answer = { status: 422, body: { success: false, error, request_id: 'req_1' } };
  }
}

/** A dialog around a form, without a window. */
class Frame implements Host {
  steps: Steps | null = null;
  text = '';

  attach(steps: Steps): void {
    this.steps = steps;
  }

  label(text: string): void {
    this.text = text;
  }

  async submit(): Promise<boolean> {
    return act(async () => (await this.steps?.submit()) ?? false);
  }
}

let server: Server;
let host: Frame;
let user: ReturnType<typeof userEvent.setup>;

beforeEach(() => {
  server = new Server();
  host = new Frame();
  user = userEvent.setup();
});

function expose(context: Partial<ExposeContext> = {}): void {
  render(
    <ExposeForm
      api={server.api}
      trans={trans}
      me="ana"
      proxyUrl="https://localhost"
      kernels={true}
      expiry={true}
      signInByDefault={true}
      detected={[{ port: 6006, name: 'TensorBoard', service: 'tensorboard', kernel_id: 'k1' }]}
      services={[
        {
          id: 'tensorboard',
          name: 'TensorBoard',
          default_port: 6006,
          health_path: '/data/environment',
          open_path: '/',
          app_protocol: 'http',
          note: ''
        }
      ]}
      {...context}
      host={host}
    />
  );
}

describe('the dialog that exposes', () => {
  test('R31: as it stands it exposes the detected service to me alone', async () => {
    expose();
    expect(await host.submit()).toBe(true);
    expect(server.asked).toEqual([
      {
        method: 'POST',
        path: 'ports',
        body: {
          internal_port: 6006,
          description: 'TensorBoard',
          health_check: { path: '/data/environment' },
          access_control: {
            authentication_required: true,
            public_access: false,
            allowed_users: ['ana']
          }
        }
      }
    ]);
  });

  test('it begins with who a person prefers to let in', async () => {
    expose({ choice: 'signed-in' });
    expect(screen.getByLabelText('Anyone who signs in')).toHaveProperty('checked', true);
    await host.submit();
    expect(server.asked[0]?.body).toMatchObject({
      access_control: { authentication_required: true, allowed_users: [] }
    });
  });

  test('it says in a sentence what will happen', async () => {
    expose();
    const sentence = screen.getByText(/→ port 6006/);
    expect(sentence).toHaveProperty(
      'textContent',
      'https://localhost:… → port 6006. Only you can open it. '
    );
    await user.click(screen.getByLabelText('Anyone who signs in'));
    expect(sentence.textContent).toContain('Anyone who signs in can open it.');
  });

  test('R31: public is asked about in a step of its own, from which one can go back', async () => {
    expose();
    await user.click(screen.getByLabelText('Anyone with the link'));
    expect(await host.submit()).toBe(false);
    expect(server.asked).toEqual([]);
    expect(screen.getByRole('alert').textContent).toContain(
      'Anyone who has this address can use it, without signing in. Make public?'
    );
    expect(host.text).toBe('Make public');
    act(() => expect(host.steps?.back()).toBe(true));
    expect(host.text).toBe('Expose');
    expect(screen.getByLabelText('Anyone with the link')).toHaveProperty('checked', true);
    await host.submit();
    expect(await host.submit()).toBe(true);
    expect(server.asked[0]?.body).toMatchObject({ access_control: { public_access: true } });
  });

  test('what the server finds wrong is told at the field', async () => {
    server.refuse('access_control.ip_whitelist.0', "'home' is not an IP address");
    expose();
    await user.click(screen.getByText('More'));
    await user.type(screen.getByLabelText('Only from these addresses'), 'home');
    expect(await host.submit()).toBe(false);
    const field = screen.getByLabelText('Only from these addresses');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    const told = field.getAttribute('aria-describedby')?.split(' ')[0] ?? '';
    expect(document.getElementById(told)?.textContent).toContain("'home' is not an IP address");
    expect(document.activeElement).toBe(field);
  });

  test('people have to be named', async () => {
    expose();
    await user.click(screen.getByLabelText('People I choose'));
    expect(await host.submit()).toBe(false);
    expect(screen.getByLabelText('People').getAttribute('aria-invalid')).toBe('true');
    expect(server.asked).toEqual([]);
    await user.type(screen.getByLabelText('People'), 'ben, eve');
    await host.submit();
    expect(server.asked[0]?.body).toMatchObject({
      access_control: { allowed_users: ['ben', 'eve'] }
    });
  });

  test('another port by its number, until the kernel stops where there is one', async () => {
    expose();
    await user.selectOptions(screen.getByLabelText('For how long'), 'Until the kernel stops');
    expect(screen.getByText(/It stops when the kernel does/)).toBeTruthy();
    await user.selectOptions(screen.getByLabelText('Service'), 'A port by its number…');
    expect(screen.queryByText('Until the kernel stops')).toBeNull();
    expect(screen.queryByText(/It stops when the kernel does/)).toBeNull();
    await user.type(screen.getByLabelText('Port'), '99999');
    await user.type(screen.getByLabelText('Name'), 'Mine');
    expect(await host.submit()).toBe(false);
    expect(screen.getByText(/should be a whole number from 1 to 65535/)).toBeTruthy();
    expect(server.asked).toEqual([]);
  });

  test('R28: names from outside are text', () => {
    const name = '<img src=x onerror=alert(1)>\u202eevil';
    expose({ detected: [{ port: 1, name }] });
    expect(document.querySelector('img')).toBeNull();
    expect(screen.getByLabelText('Name')).toHaveProperty(
      'value',
      '<img src=x onerror=alert(1)>evil'
    );
  });
});

describe('the dialog that edits', () => {
  const mapping = {
    id: 'port_1',
    internal_port: 6006,
    external_port: 32001,
    url: 'https://localhost:32001',
    description: 'Runs',
    health_check: { enabled: true, path: '/up', interval_seconds: 30 },
    access_control: { authentication_required: true, allowed_users: ['ana', 'ben'] }
  };

  test('only what was changed is sent', async () => {
    expose({ mapping });
    await user.clear(screen.getByLabelText('Name'));
    await user.type(screen.getByLabelText('Name'), 'My runs');
    expect(await host.submit()).toBe(true);
    expect(server.asked).toEqual([
      { method: 'PUT', path: 'ports/port_1', body: { description: 'My runs' } }
    ]);
  });

  test('nothing is sent if nothing was changed', async () => {
    expose({ mapping });
    expect(screen.getByLabelText('People')).toHaveProperty('value', 'ana, ben');
    expect(await host.submit()).toBe(true);
    expect(server.asked).toEqual([]);
  });

  test('an end can be set and lifted', async () => {
    expose({ mapping: { ...mapping, expires_at: '2999-01-15T14:30:00Z' } });
    await user.selectOptions(screen.getByLabelText('For how long'), 'Until I stop it');
    await host.submit();
    expect(server.asked[0]?.body).toEqual({ expires_at: null, kernel_id: null });
  });
});

describe('the dialog that shares', () => {
  const mapping = {
    id: 'port_1',
    internal_port: 6006,
    url: 'https://localhost:32001',
    description: 'Runs',
    access_control: { authentication_required: true, allowed_users: ['ana'] }
  };
  const share = (shared: typeof mapping | object = mapping): void => {
    render(
      <ShareForm
        api={server.api}
        trans={trans}
        me="ana"
        signInByDefault={true}
        mapping={shared as typeof mapping}
        host={host}
      />
    );
  };

  test('a person is let in by a link that is shown once, to copy and to scan', async () => {
    const url = 'https://localhost:32001/.tensorone/link?token=t';
    const link = {
      id: 'l',
      port_id: 'port_1',
      user: 'ben',
      url,
      expires_at: '2999-01-15T14:30:00Z'
    };
    server.answer = { status: 201, body: { success: true, data: link } };
    share();
    await user.type(screen.getByLabelText('Person'), 'ben');
    await user.click(screen.getByLabelText(/Also add them/));
    expect(await host.submit()).toBe(false);
    expect(server.asked[0]?.body).toEqual({
      port_id: 'port_1',
      user: 'ben',
      one_time: false,
      allow: true,
      expires_in_seconds: 28_800,
      ends_sessions: true
    });
    expect(screen.getByLabelText('Address')).toHaveProperty('value', url);
    expect(screen.getByRole('img', { name: 'The same address, to scan' })).toBeTruthy();
    expect(await host.submit()).toBe(true);
    expect(server.asked).toHaveLength(1);
  });

  test('whoever can open it already needs not be added', async () => {
    share({ ...mapping, access_control: { authentication_required: true, allowed_users: [] } });
    await user.type(screen.getByLabelText('Person'), 'ben');
    expect(screen.queryByLabelText(/Also add them/)).toBeNull();
  });

  test('what is public needs no link', async () => {
    share({ ...mapping, access_control: { public_access: true } });
    expect(screen.getByLabelText('Address')).toHaveProperty('value', 'https://localhost:32001');
    expect(await host.submit()).toBe(true);
    expect(server.asked).toEqual([]);
  });
});

describe('the dialog with the rules of all ports', () => {
  const rules = {
    default_authentication: true,
    session_timeout_minutes: 480,
    max_concurrent_sessions: 100,
    ip_whitelist: ['203.0.113.0/24'],
    rate_limiting: { global_limit: { requests_per_minute: 600 } }
  };
  const access = (): void => {
    render(<AccessForm api={server.api} trans={trans} rules={rules} host={host} />);
  };

  test('what is emptied is lifted, and nothing else is sent', async () => {
    access();
    await user.clear(screen.getByLabelText('Only from these addresses'));
    await user.clear(screen.getByLabelText('All ports together: requests a minute'));
    expect(await host.submit()).toBe(true);
    expect(server.asked[0]?.body).toEqual({
      ip_whitelist: [],
      rate_limiting: { global_limit: null }
    });
  });

  test('R31: no sign-in by default is asked about first', async () => {
    access();
    await user.click(screen.getByLabelText('Ask for sign-in'));
    expect(await host.submit()).toBe(false);
    expect(server.asked).toEqual([]);
    expect(screen.getByRole('alert').textContent).toContain('Make public?');
    expect(await host.submit()).toBe(true);
    expect(server.asked[0]?.body).toEqual({ default_authentication: false });
  });
});

test('an address is led to another port', async () => {
  const mapping = { id: 'port_1', internal_port: 6006, url: 'https://localhost:32001' };
  const detected = [{ port: 6007, name: 'TensorBoard' }];
  render(<RepointForm {...{ api: server.api, trans, mapping, detected, host }} />);
  expect(within(document.body).getByText(/leads to port 6007 from then on/)).toBeTruthy();
  expect(await host.submit()).toBe(true);
  expect(server.asked).toEqual([
    { method: 'PUT', path: 'ports/port_1', body: { internal_port: 6007 } }
  ]);
});
