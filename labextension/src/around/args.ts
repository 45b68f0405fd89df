/**
 * What commands about a port take, as JSON Schema: for people who bind keys, and for programs.
 */

/** One port, by the id of its mapping or by its number; without either the person is asked. */
export const PORT_ARGS = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The id of a mapping.' },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: "The service's port on this machine."
    }
  }
} as const;

/** Nothing. */
export const NO_ARGS = { type: 'object', properties: {}, additionalProperties: false } as const;

/** One visitor's session. */
export const SESSION_ARGS = {
  type: 'object',
  properties: { session: { type: 'string', description: 'The id of a session.' } },
  required: ['session']
} as const;
