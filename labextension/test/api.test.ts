import { ServerConnection } from '@jupyterlab/services';
import { expect, test } from 'vitest';

import { Api } from '../src/api';
import { ApiError } from '../src/errors';

const settings = ServerConnection.makeSettings({ baseUrl: 'http://lab.example/base/' });

/** Return an API whose server gives one answer, and what it was asked. */
function answering(status: number, text: string): { api: Api; asked: [string, RequestInit][] } {
  const asked: [string, RequestInit][] = [];
  const api = new Api(settings, (url, init) => {
    asked.push([url, init]);
    return Promise.resolve(new Response(text, { status }));
  });
  return { api, asked };
}

async function refusal(api: Api): Promise<ApiError> {
  const error: unknown = await api.ports().catch((reason: unknown) => reason);
  return error instanceof ApiError ? error : expect.fail(`no ApiError: ${String(error)}`);
}

test('what is in the envelope is returned, with fields that are new to us', async () => {
  const { api } = answering(200, '{"success": true, "data": [{"id": "a", "mood": 1}], "x": 2}');
  expect(await api.ports()).toEqual([{ id: 'a', mood: 1 }]);
});

test('a refusal comes through whole', async () => {
  const details = { suggestion: 'Do this.', fields: [{ field: 'port', message: 'is wrong' }, 7] };
  const error = { code: 'VALIDATION_ERROR', message: 'No.', details };
  const body = JSON.stringify({ success: false, error, request_id: 'req_1' });
  const told = await refusal(answering(422, body).api);
  expect(told).toMatchObject({
    message: 'No.',
    code: 'VALIDATION_ERROR',
    status: 422,
    requestId: 'req_1',
    suggestion: 'Do this.'
  });
  expect(told.fields).toEqual([{ field: 'port', message: 'is wrong' }]);
});

test.each([
  [403, '{"message": "Forbidden", "reason": null}', 'Forbidden'],
  [404, '<html>404</html>', 'The Jupyter server answered 404.'],
  [200, '', 'The Jupyter server answered 200.'],
  [200, '{"success": true}', 'The Jupyter server answered 200.'],
  [500, '{"success": false, "error": "text"}', 'The Jupyter server answered 500.'],
  [502, 'null', 'The Jupyter server answered 502.']
])('an answer that is not ours (%i %s) is an error too', async (status, text, message) => {
  const told = await refusal(answering(status, text).api);
  expect(told).toMatchObject({ message, status, code: 'UNEXPECTED_ANSWER', suggestion: '' });
});

test('no answer at all is an error of its own', async () => {
  const api = new Api(settings, () => Promise.reject(new TypeError('Failed to fetch')));
  expect(await refusal(api)).toMatchObject({ code: 'SERVER_UNREACHABLE', status: 0 });
});

test('ids cannot reach another address, and filters that are not given are not sent', async () => {
  const { api, asked } = answering(200, '{"success": true, "data": []}');
  await api.deletePort('../users/ana?x=1');
  await api.logs({ port_id: 'a&b', limit: 5 });
  await api.proxy();
  expect(asked.map(([url]) => url)).toEqual([
    'http://lab.example/base/tensorone-proxy/api/ports/..%2Fusers%2Fana%3Fx%3D1',
    'http://lab.example/base/tensorone-proxy/api/logs?port_id=a%26b&limit=5',
    'http://lab.example/base/tensorone-proxy/api/proxy'
  ]);
  expect(asked[0]?.[1].method).toBe('DELETE');
});

test('a port is opened at an address of Jupyter', () => {
  const { api } = answering(200, '');
  expect(api.goUrl(6006)).toBe('http://lab.example/base/tensorone-proxy/go/6006/');
  expect(api.goUrl(6006, 'lab?x=1')).toBe(
    'http://lab.example/base/tensorone-proxy/go/6006/lab?x=1'
  );
});
