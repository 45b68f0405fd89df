import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, test } from 'vitest';

import { draftOf, fieldOf, placed, read, readForm } from '../src/form/schema';

const trans = nullTranslator.load('');
const port = fieldOf('PortRequest', 'internal_port');

describe('a field is read as the server would judge it', () => {
  test.each([
    ['1', 1],
    [' 6006 ', 6006],
    ['65535', 65535]
  ])('R8: %j is the port %d', (text, value) => {
    expect(read(port, text, trans)).toEqual({ value });
  });

  test.each(['0', '65536', '+80', '-1', '8e3', '80.0', '0x50', '٨٠', 'http', '9'.repeat(40)])(
    'R8: %j is no port, and the bounds are told',
    text => {
      expect(read(port, text, trans)).toEqual({
        problem: 'should be a whole number from 1 to 65535'
      });
    }
  );

  test('lists are separated by commas or lines', () => {
    const addresses = fieldOf('ClusterAccess', 'ip_whitelist');
    expect(read(addresses, '203.0.113.0/24, ::1\n10.0.0.1,', trans)).toEqual({
      value: ['203.0.113.0/24', '::1', '10.0.0.1']
    });
  });

  test('a choice is one of the schema', () => {
    const spoken = fieldOf('PortRequest', 'app_protocol');
    expect(read(spoken, 'h2c', trans)).toEqual({ value: 'h2c' });
    expect(read(spoken, 'ftp', trans)).toHaveProperty('problem');
  });

  test('a name has a length', () => {
    const name = fieldOf('PortRequest', 'description');
    expect(read(name, 'n'.repeat(501), trans)).toEqual({
      problem: 'should have at most 500 characters'
    });
  });
});

describe('a form is read', () => {
  const empty = draftOf('PortRequest', ['internal_port', 'description', 'health_check.path'], {});

  test('what is new says nothing that is the default anyway', () => {
    const draft = { ...empty, internal_port: '6006', description: 'TensorBoard' };
    expect(readForm('PortRequest', draft, null, trans)).toEqual({
      json: { internal_port: 6006, description: 'TensorBoard' },
      problems: {}
    });
  });

  test('what is missing is told at its field', () => {
    expect(readForm('PortRequest', empty, null, trans).problems).toEqual({
      internal_port: 'is missing',
      description: 'is missing'
    });
  });

  test('of what is changed only the change is said, and what is emptied is reset', () => {
    const before = draftOf('PortRequest', Object.keys(empty), {
      internal_port: 6006,
      description: 'Runs',
      health_check: { path: '/health' }
    });
    const after = { ...before, description: 'My runs', 'health_check.path': ' ' };
    expect(readForm('PortRequest', after, before, trans).json).toEqual({
      description: 'My runs',
      health_check: { path: null }
    });
  });
});

test("the server's errors go to the fields they are about", () => {
  const errors = [
    { field: 'access_control.ip_whitelist.0', message: 'is no address' },
    { field: 'replicas', message: 'must differ' },
    { field: '(request)', message: 'sign-in cannot apply' }
  ];
  expect(placed(errors, ['access_control.ip_whitelist', 'internal_port'])).toEqual({
    problems: { 'access_control.ip_whitelist': 'is no address' },
    rest: ['replicas: must differ', 'sign-in cannot apply']
  });
});
