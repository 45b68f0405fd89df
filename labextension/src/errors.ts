/**
 * What the server refused, in the contract's words.
 */

/** Facts about an error beyond its message. */
export interface ErrorFacts {
  readonly code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId: string | null;
}

/** One field of a request that was refused, as `details.fields` has it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** The API, or Jupyter before it, said no; `status` is 0 where there was no answer at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId: string | null;

  constructor(message: string, facts: ErrorFacts) {
    super(message);
    this.code = facts.code;
    this.status = facts.status;
    this.details = facts.details;
    this.requestId = facts.requestId;
  }

  /** What to do next; empty if the server does not say. */
  get suggestion(): string {
    const { suggestion } = this.details;
    return typeof suggestion === 'string' ? suggestion : '';
  }

  /** Which fields were wrong, for showing each at its field. */
  get fields(): readonly FieldError[] {
    const { fields } = this.details;
    return Array.isArray(fields) ? fields.filter(isFieldError) : [];
  }
}

function isFieldError(value: unknown): value is FieldError {
  return isObject(value) && typeof value.field === 'string' && typeof value.message === 'string';
}

/** Say whether a JSON value is an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
