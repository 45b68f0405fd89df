import { act, screen, waitFor, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, test } from 'vitest';

import { CommandIDs } from '../src/tokens';
import { Desk, rowOf } from './fixtures/panel';
import { mapping } from './fixtures/server';

let desk: Desk;

beforeEach(() => {
  desk = new Desk();
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
    desk.server.refuse('GET proxy', status, code, 'No.', { suggestion: 'Do this.' });
    await desk.draw();
    const told = screen.getByRole('status');
    expect(told).toHaveTextContent(what);
    expect(told).toHaveTextContent(todo);
    desk.server.instead.clear();
    await userEvent.click(within(told).getByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(told).toBeEmptyDOMElement());
  });

  test('that is cut says so, and keeps what was there', async () => {
    desk.server.ports = [mapping('a')];
    await desk.draw();
    act(() => desk.events.connected.emit(false));
    expect(screen.getByRole('status')).toHaveTextContent('The Jupyter server does not answer.');
    expect(rowOf('a')).toBeVisible();
  });

  test('tells that Envoy restarts, and that the proxy is switched off', async () => {
    desk.server.proxy = { proxy_status: 'restarting' };
    await desk.draw();
    expect(screen.getByRole('status')).toHaveTextContent('Envoy is restarting.');
    desk.server.proxy = { proxy_status: 'disabled' };
    await act(() => desk.model.refresh());
    expect(screen.getByRole('status')).toHaveTextContent('no port answers');
    await userEvent.click(screen.getByRole('button', { name: 'Switch on' }));
    expect(desk.ran).toEqual([[CommandIDs.switchOn, {}]]);
  });

  test('to an account with several clusters lets one choose', async () => {
    desk.server.connection = { kind: 'api', api_url: 'https://api.example', cluster_id: '' };
    desk.server.clusters = [{ id: 'one', name: 'One' }, { id: 'two' }];
    desk.server.refuse('GET proxy', 503, 'NOT_CONFIGURED', 'No cluster is chosen.');
    await desk.draw();
    expect(screen.getByRole('status')).toHaveTextContent('Choose a cluster above.');
    desk.server.instead.clear();
    desk.server.connection = { ...desk.server.connection, cluster_id: 'two' };
    await userEvent.selectOptions(screen.getByLabelText('Cluster'), 'two');
    expect(desk.server.bodies).toContainEqual({ cluster_id: 'two' });
    await waitFor(() => expect(screen.getByRole('status')).toBeEmptyDOMElement());
    expect(screen.getByLabelText('Cluster')).toHaveValue('two');
  });

  test('refuses a cluster with the words of the server', async () => {
    desk.server.connection = { kind: 'api', api_url: 'https://api.example', cluster_id: 'one' };
    desk.server.clusters = [{ id: 'one' }, { id: 'two' }];
    desk.server.refuse('PUT connection', 422, 'VALIDATION_ERROR', 'There is no such cluster.');
    await desk.draw();
    await userEvent.selectOptions(screen.getByLabelText('Cluster'), 'two');
    expect(await screen.findByRole('alert')).toHaveTextContent('There is no such cluster.');
  });
});
