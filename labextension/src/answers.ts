/**
 * What the server answers and tells: the types that are generated from its models, and what this
 * front end makes of them. Fields that are not there are kept all the same.
 */
import type { AlertEvent, AuditEvent, Cluster, ClusterAccess, DetectedEvent, Meta } from './wire';

export type {
  AccessControl,
  AccessLogEntry as LogEntry,
  AlertEvent,
  ApiConnection,
  AuditEvent,
  Cluster,
  DetectedEvent,
  DetectedPort,
  HealthCheck,
  HistoryMinute,
  HistorySpan,
  PortHistory,
  PortMapping,
  ProxyConfig,
  Session
} from './wire';

/** What is known of the API and its proxy besides the ports. */
export interface ConnectionInfo {
  /** `gateway` on this machine, or `api` elsewhere; missing until the server has said so. */
  readonly kind?: string;
  readonly api_url?: string;
  readonly cluster_id: string;
  /** The account's clusters, where there is a choice. */
  readonly clusters?: readonly Cluster[];
  /** My name at exposed services. */
  readonly me?: string;
  readonly proxy_url?: string | null;
  readonly proxy_status?: string | null;
  readonly access_control?: ClusterAccess | null;
  readonly meta?: Meta;
}

/** A Jupyter event of this extension, as its schema describes it. */
export type ServerEvent =
  | (AuditEvent & { readonly kind: 'audit' })
  | (DetectedEvent & { readonly kind: 'detected' })
  | (AlertEvent & { readonly kind: 'alert' });
