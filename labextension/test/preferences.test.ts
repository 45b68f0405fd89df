import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { requestFor } from '../src/around/exposing';
import {
  about,
  answerTo,
  DEFAULTS,
  preferencesOf,
  StoredPreferences
} from '../src/around/preferences';
import { FakeSettings, found, without } from './fixtures/around';

describe('answers that are kept', () => {
  test('are about the service, or about the port of what is not recognised', () => {
    expect(about(found(6006))).toEqual({ service: 'tensorboard' });
    expect(about(without(found(9310), 'service'))).toEqual({ port: 9310 });
  });

  test('fit another port of the same service, and no other service', () => {
    const answers = [{ service: 'tensorboard', action: 'ignore' }] as const;
    expect(answerTo(found(6007), answers)?.action).toBe('ignore');
    expect(answerTo(found(6006, { service: 'mlflow' }), answers)).toBeUndefined();
  });

  test('that are about nothing fit nothing', () => {
    expect(answerTo(found(6006), [{ action: 'expose' }])).toBeUndefined();
  });

  test('replace earlier ones, and leave those of another page alone', async () => {
    const settings = new FakeSettings();
    const [one, other] = [settings.page(), settings.page()];
    await one.remember({ service: 'mlflow', action: 'ignore' });
    await other.remember({ port: 9310, action: 'expose' });
    await one.remember({ service: 'mlflow', action: 'expose' });
    expect(settings.settings.answers).toEqual([
      { service: 'mlflow', action: 'expose' },
      { port: 9310, action: 'expose' }
    ]);
    await one.forget({ port: 9310, action: 'expose' });
    expect(one.current.answers).toEqual([{ service: 'mlflow', action: 'expose' }]);
  });

  test('last as long as the page where there are no settings', async () => {
    const preferences = new StoredPreferences(null);
    await preferences.load();
    await preferences.remember({ port: 1, action: 'ignore' });
    expect(preferences.current.answers).toEqual([{ port: 1, action: 'ignore' }]);
  });
});

describe('settings that people edit', () => {
  test.each([undefined, null, 7, [], { answers: 'x', onDetection: 'publish', notifyHealth: 1 }])(
    '%j is as if it were not there',
    settings => {
      expect(preferencesOf(settings)).toEqual(DEFAULTS);
    }
  );

  test('have the same defaults in the schema, which the settings page shows', () => {
    const schema = JSON.parse(readFileSync('schema/settings.json', 'utf-8')) as {
      properties: Record<string, { default: unknown }>;
    };
    const defaults = Object.entries(schema.properties).map(([name, of]) => [name, of.default]);
    expect(Object.fromEntries(defaults)).toEqual(DEFAULTS);
  });
});

describe('what is exposed in one step', () => {
  const service = {
    id: 'tensorboard',
    name: 'TensorBoard',
    default_port: 6006,
    health_path: '/healthz',
    open_path: '/',
    app_protocol: 'http',
    note: ''
  };

  test('is for me alone, and is checked', () => {
    expect(requestFor(found(6006), service, 'ana', 'me')).toEqual({
      internal_port: 6006,
      description: 'TensorBoard',
      access_control: { authentication_required: true, allowed_users: ['ana'] },
      health_check: { path: '/healthz' }
    });
  });

  test('requires sign-in, whatever is preferred', () => {
    expect(requestFor(found(6006), undefined, 'ana', 'signed-in')).toMatchObject({
      access_control: { authentication_required: true, allowed_users: [] }
    });
  });
});
