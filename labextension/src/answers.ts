/**
 * Answers of the server extension that no model of the package describes. Fields that are not here
 * may be there all the same, and are kept.
 */

/** A service that is exposed (`api/ports`). */
export interface PortMapping {
  readonly id: string;
  readonly internal_port?: number | null;
  readonly external_port?: number | null;
  readonly description?: string | null;
  readonly url?: string | null;
  readonly protocol?: string;
  readonly app_protocol?: string;
  readonly status?: string | null;
  readonly health_status?: string | null;
  readonly health_check?: HealthCheck | null;
  readonly access_control?: AccessControl | null;
  readonly usage_statistics?: UsageStatistics | null;
  readonly custom_domain?: string | null;
  readonly replicas?: readonly number[] | null;
  readonly kernel_id?: string | null;
  readonly stack?: string | null;
  readonly created_at?: string | null;
  readonly updated_at?: string | null;
}

export interface HealthCheck {
  readonly enabled?: boolean;
  readonly path?: string | null;
  readonly interval_seconds?: number;
  readonly last_check?: string | null;
  readonly consecutive_failures?: number;
}

export interface AccessControl {
  readonly authentication_required?: boolean | null;
  readonly public_access?: boolean | null;
  readonly allowed_users?: readonly string[] | null;
  readonly ip_whitelist?: readonly string[] | null;
}

export interface UsageStatistics {
  readonly total_requests?: number;
  readonly unique_visitors?: number;
  readonly last_accessed?: string | null;
  readonly avg_response_time_ms?: number | null;
}

/** One visitor who is signed in to one mapping (`api/sessions`). */
export interface Session {
  readonly id: string;
  readonly port_id: string;
  readonly user: string;
  readonly via?: string | null;
  readonly client_ip?: string | null;
  readonly created_at?: string | null;
  readonly last_seen?: string | null;
  readonly expires_at?: string | null;
}

/** One request to one mapping (`api/logs`). */
export interface LogEntry {
  readonly id?: number | null;
  readonly port_id?: string | null;
  readonly timestamp?: string | null;
  readonly user?: string | null;
  readonly method?: string | null;
  readonly path?: string | null;
  readonly status_code?: number | null;
  readonly response_time_ms?: number | null;
}

/** A port of a kernel or terminal (`api/detected`), exposed or not. */
export interface DetectedPort {
  readonly port: number;
  readonly host?: string;
  readonly name: string;
  readonly service?: string;
  readonly process?: string;
  readonly kernel_id?: string;
  readonly terminal?: string;
  readonly notebook?: string;
  readonly decision?: string;
  readonly question?: string;
  readonly because?: string;
}

/** The proxy of one cluster (`api/proxy`). */
export interface ProxyConfig {
  readonly cluster_id: string;
  readonly proxy_url?: string | null;
  readonly proxy_status?: string | null;
  readonly port_mappings?: readonly PortMapping[];
  readonly meta?: { readonly extensions?: readonly string[] };
}

/** What the model knows of the proxy besides its ports. */
export type ConnectionInfo = Omit<ProxyConfig, 'port_mappings'>;

/** A Jupyter event of this extension, as its schema describes it. */
export type ServerEvent =
  ({ readonly kind: 'audit' } & AuditEvent) | ({ readonly kind: 'detected' } & DetectedEvent);

/** Something that happened at the proxy. */
export interface AuditEvent {
  readonly id: number;
  readonly timestamp: string;
  readonly action: string;
  readonly actor?: string;
  readonly via?: string;
  readonly port_id?: string;
  readonly internal_port?: number;
  readonly description?: string;
  readonly user?: string;
  readonly session_id?: string;
  readonly status?: string;
  readonly reason?: string;
}

/** A port that was found, or is gone. */
export interface DetectedEvent extends DetectedPort {
  readonly change: 'found' | 'gone';
}
