/**
 * The REST door of the Jupyter server extension: one method a call, errors with a type.
 *
 * The server holds the API key; nothing of it comes here. What an answer has beyond our interfaces
 * is kept.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type {
  ApiConnection,
  DetectedPort,
  LogEntry,
  PortHistory,
  PortMapping,
  ProxyConfig,
  Session
} from './answers';
import { ApiError, isObject } from './errors';
import type { Me } from './wire';

/** Filters of `Api.logs`. */
export interface LogFilters {
  readonly port_id?: string;
  readonly since?: string;
  readonly until?: string;
  /** A status, or with 1–5 a class of them. */
  readonly status?: number;
  readonly before?: number;
  readonly limit?: number;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** How a request reaches the server: `ServerConnection.makeRequest`, or a test's stand-in. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

export class Api {
  private readonly baseUrl: string;
  private readonly send: Send;

  /**
   * @param settings - Where the Jupyter server is.
   * @param send - How requests are made.
   */
  constructor(
    settings: ServerConnection.ISettings,
    send: Send = (url, init) => ServerConnection.makeRequest(url, init, settings)
  ) {
    this.baseUrl = settings.baseUrl;
    this.send = send;
  }

  /** The address that signs the person at this browser in to a port, and opens it. */
  goUrl(port: number, path = ''): string {
    return URLExt.join(this.baseUrl, 'tensorone-proxy/go', String(port), '/') + path;
  }

  /** The whole proxy, with its ports. */
  proxy(include: { health?: boolean } = {}): Promise<ProxyConfig> {
    return this.call('GET', 'proxy', { query: { include_health: include.health } });
  }

  /** Which API the server speaks to; asks the API itself only for its clusters. */
  connection(include: { clusters?: boolean } = {}): Promise<ApiConnection> {
    return this.call('GET', 'connection', { query: { clusters: include.clusters } });
  }

  chooseCluster(id: string): Promise<ApiConnection> {
    return this.call('PUT', 'connection', { body: { cluster_id: id } });
  }

  /** Who I am to exposed services. */
  me(): Promise<Me> {
    return this.call('GET', 'me');
  }

  /** Open or close all ports at once; what is exposed is kept. */
  async switchProxy(enabled: boolean): Promise<void> {
    await this.call<object>('PUT', 'proxy', { body: { enabled } });
  }

  ports(): Promise<PortMapping[]> {
    return this.call('GET', 'ports');
  }

  createPort(wanted: object): Promise<PortMapping> {
    return this.call('POST', 'ports', { body: wanted });
  }

  updatePort(id: string, changes: object): Promise<PortMapping> {
    return this.call('PUT', `ports/${encodeURIComponent(id)}`, { body: changes });
  }

  async deletePort(id: string): Promise<void> {
    await this.call<null>('DELETE', `ports/${encodeURIComponent(id)}`);
  }

  /** The last half hour of a mapping. */
  history(id: string): Promise<PortHistory> {
    return this.call('GET', `ports/${encodeURIComponent(id)}/history`);
  }

  detected(): Promise<DetectedPort[]> {
    return this.call('GET', 'detected');
  }

  sessions(filters: { port_id?: string; user?: string } = {}): Promise<Session[]> {
    return this.call('GET', 'sessions', { query: filters });
  }

  async revokeSession(id: string): Promise<void> {
    await this.call<null>('DELETE', `sessions/${encodeURIComponent(id)}`);
  }

  logs(filters: LogFilters = {}): Promise<LogEntry[]> {
    return this.call('GET', 'logs', { query: { ...filters } });
  }

  /**
   * Make one request.
   *
   * @param method - The HTTP method.
   * @param path - Below `tensorone-proxy/api/`, its parts escaped.
   * @param given - Query and JSON body.
   * @returns What is in the envelope.
   * @throws ApiError - Refused, or not answered.
   */
  async call<T>(
    method: Method,
    path: string,
    given: { query?: Query; body?: object } = {}
  ): Promise<T> {
    const url = URLExt.join(this.baseUrl, 'tensorone-proxy/api', path) + queryOf(given.query);
    const init: RequestInit = { method, cache: 'no-store' };
    if (given.body !== undefined) {
      init.body = JSON.stringify(given.body);
    }
    let response: Response;
    try {
      response = await this.send(url, init);
    } catch (reason) {
      throw unreachable(reason);
    }
    return opened<T>(response.status, await response.text());
  }
}

function queryOf(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return URLExt.objectToQueryString(Object.fromEntries(given));
}

/** Return what is in the envelope, or raise what it says is wrong. */
function opened<T>(status: number, text: string): T {
  const answer = parsed(text);
  if (isObject(answer) && answer.success === true && 'data' in answer) {
    return answer.data as T;
  }
  const error = isObject(answer) && isObject(answer.error) ? answer.error : {};
  throw new ApiError(textOf(error.message) || jupyterSays(answer, status), {
    code: textOf(error.code) || 'UNEXPECTED_ANSWER',
    status,
    details: isObject(error.details) ? error.details : {},
    requestId: isObject(answer) ? textOf(answer.request_id) || null : null
  });
}

/** A refusal that never reached our handlers, such as a 404 of a server without the extension. */
function jupyterSays(answer: unknown, status: number): string {
  const message = isObject(answer) ? textOf(answer.message) : '';
  return message || `The Jupyter server answered ${status}.`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unreachable(reason: unknown): ApiError {
  const why = reason instanceof Error ? reason.message : String(reason);
  return new ApiError(`The Jupyter server does not answer: ${why}`, {
    code: 'SERVER_UNREACHABLE',
    status: 0,
    details: {},
    requestId: null
  });
}
