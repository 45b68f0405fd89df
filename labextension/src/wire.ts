/* Written by scripts/generate_wire.py from the Python models: change those. */
/**
 * Who may use one mapping (contract: `access_control` of a port mapping).
 */
export interface AccessControl {
  /**
   * Sign-in required; the cluster's default_authentication if missing.
   */
  readonly authentication_required?: boolean | null;
  /**
   * Anyone with the address may use it; the opposite of sign-in.
   */
  readonly public_access?: boolean | null;
  /**
   * Only these people; empty or missing: anyone who signs in.
   */
  readonly allowed_users?: readonly string[] | null;
  /**
   * Addresses or CIDR ranges of visitors; empty or missing: all.
   */
  readonly ip_whitelist?: readonly string[] | null;
  /**
   * Addresses or CIDR ranges kept out, whatever else is said.
   */
  readonly blocked_ips?: readonly string[] | null;
  readonly rate_limit?: RateLimit | null;
  /**
   * Then visitors sign in again; overrides the cluster's.
   */
  readonly session_timeout_minutes?: number | null;
  readonly cors?: Cors | null;
  /**
   * Tell the service who it is by a signed token too (extension).
   */
  readonly identity_assertion?: boolean | null;
  readonly [k: string]: unknown;
}
/**
 * A token bucket: a steady refill and room for a burst (contract: `rate_limit`).
 */
export interface RateLimit {
  /**
   * The bucket's refill: more than that, on average, get a 429.
   */
  readonly requests_per_minute?: number;
  /**
   * Capacity of the bucket; requests_per_minute by default.
   */
  readonly burst_size?: number | null;
  readonly [k: string]: unknown;
}
/**
 * Which other web origins may read answers (contract: `cors`; Fetch standard, CORS).
 */
export interface Cors {
  readonly enabled?: boolean;
  /**
   * Exact origins, or '*' for any.
   */
  readonly allowed_origins?: readonly string[];
  readonly allowed_methods?: readonly string[];
  readonly allowed_headers?: readonly string[];
  readonly [k: string]: unknown;
}
/**
 * One request to one mapping (contract: `access_logs[]`).
 */
export interface AccessLogEntry {
  /**
   * For the next page of the log (extension).
   */
  readonly id?: number | null;
  /**
   * The mapping (extension).
   */
  readonly port_id?: string | null;
  readonly timestamp?: string | null;
  readonly client_ip?: string | null;
  readonly user?: string | null;
  readonly method?: string | null;
  readonly path?: string | null;
  readonly status_code?: number | null;
  readonly response_time_ms?: number | null;
  readonly user_agent?: string | null;
  readonly [k: string]: unknown;
}
/**
 * Which API this Jupyter server speaks to (`api/connection`).
 */
export interface ApiConnection {
  /**
   * A gateway on this machine, or another.
   */
  readonly kind: string;
  readonly api_url: string;
  /**
   * Empty if none is chosen.
   */
  readonly cluster_id: string;
  /**
   * The account's clusters, if they were asked for.
   */
  readonly clusters?: readonly Cluster[] | null;
  readonly [k: string]: unknown;
}
/**
 * A cluster that the API key can reach (GET /v1/clusters).
 */
export interface Cluster {
  readonly id: string;
  readonly name?: string | null;
  readonly proxy_url?: string | null;
  readonly [k: string]: unknown;
}
/**
 * Access rules of the whole cluster (contract: PUT …/proxy/access).
 */
export interface ClusterAccess {
  /**
   * Visitors must sign in, where a port does not say otherwise.
   */
  readonly default_authentication?: boolean;
  /**
   * Then visitors have to sign in again.
   */
  readonly session_timeout_minutes?: number;
  /**
   * Over it a new sign-in is refused.
   */
  readonly max_concurrent_sessions?: number;
  /**
   * Client addresses let in on all ports; empty: all.
   */
  readonly ip_whitelist?: readonly string[];
  /**
   * Client addresses kept out of all ports; wins over those let in.
   */
  readonly blocked_ips?: readonly string[];
  readonly rate_limiting?: RateLimiting | null;
  readonly security_headers?: SecurityHeaders | null;
  readonly [k: string]: unknown;
}
/**
 * Limits that span mappings (contract: `rate_limiting` of the cluster).
 */
export interface RateLimiting {
  /**
   * Over all mappings together.
   */
  readonly global_limit?: RateLimit | null;
  /**
   * For each signed-in person.
   */
  readonly per_user_limit?: RateLimit | null;
  readonly [k: string]: unknown;
}
/**
 * Response headers added to every mapping's answers (contract: `security_headers`).
 */
export interface SecurityHeaders {
  /**
   * Browsers come back by https only.
   */
  readonly hsts_enabled?: boolean | null;
  /**
   * This header of every answer.
   */
  readonly content_security_policy?: string | null;
  /**
   * This header of every answer.
   */
  readonly x_frame_options?: string | null;
  readonly [k: string]: unknown;
}
/**
 * Which cluster is meant from now on (PUT `api/connection`).
 */
export interface ClusterChoice {
  readonly cluster_id: string;
  readonly [k: string]: unknown;
}
/**
 * Compression of answers (contract: `compression`).
 */
export interface Compression {
  readonly enabled?: boolean;
  readonly algorithms?: readonly ('gzip' | 'br')[];
  readonly [k: string]: unknown;
}
/**
 * What went wrong.
 */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly [k: string]: unknown;
}
/**
 * The envelope around every error.
 */
export interface Failure {
  readonly success: false;
  readonly error: ErrorBody;
  readonly request_id: string;
  readonly [k: string]: unknown;
}
/**
 * An active check of the service behind a mapping (contract: `health_check`).
 */
export interface HealthCheck {
  readonly enabled?: boolean;
  /**
   * Path to GET; missing: it is only tried to connect.
   */
  readonly path?: string | null;
  /**
   * Time between two checks.
   */
  readonly interval_seconds?: number;
  /**
   * Time a check may take; missing: 10, or the interval if that is less.
   */
  readonly timeout_seconds?: number | null;
  /**
   * The status that means healthy; missing: 200–399.
   */
  readonly expected_status?: number | null;
  /**
   * Failures in a row before the service counts as unhealthy.
   */
  readonly retries?: number;
  readonly [k: string]: unknown;
}
/**
 * One minute of a port's life.
 */
export interface HistoryMinute {
  readonly start: string;
  readonly requests: number;
  /**
   * Answered with a status of 500 or more.
   */
  readonly failed: number;
  /**
   * Half of them were answered within this time.
   */
  readonly median_ms: number | null;
  readonly [k: string]: unknown;
}
/**
 * A time in which a service did one way.
 */
export interface HistorySpan {
  readonly start: string;
  readonly end: string;
  /**
   * How it did, such as healthy.
   */
  readonly word: string;
  readonly tone: string;
  readonly [k: string]: unknown;
}
/**
 * A signed, expiring URL that signs one person in to one mapping (extension).
 */
export interface Link {
  readonly id: string;
  readonly port_id: string;
  readonly user: string;
  /**
   * A credential; only in the answer that made it.
   */
  readonly url?: string;
  readonly one_time?: boolean;
  readonly created_at?: string | null;
  readonly expires_at: string;
  /**
   * When it was last used.
   */
  readonly used_at?: string | null;
  readonly [k: string]: unknown;
}
/**
 * What it takes to create a link (extension: POST …/proxy/links).
 */
export interface LinkRequest {
  readonly port_id: string;
  /**
   * Who is signed in by it.
   */
  readonly user: string;
  /**
   * Until when it can be used.
   */
  readonly expires_in_seconds?: number;
  /**
   * It can be used once.
   */
  readonly one_time?: boolean;
  /**
   * Where the visitor lands, with its query.
   */
  readonly path?: string;
  /**
   * Add the person to the mapping's allowed_users if that lacks them.
   */
  readonly allow?: boolean;
  /**
   * Sessions that it begins end when the link does, if not before.
   */
  readonly ends_sessions?: boolean;
  /**
   * Origin of the page that shows the service in a frame. For sessions that the link begins, it alone may, whatever the service itself says about frames.
   */
  readonly frame_origin?: string | null;
  readonly [k: string]: unknown;
}
/**
 * How requests are spread over a mapping's replicas (contract: `load_balancer`).
 */
export interface LoadBalancer {
  readonly enabled?: boolean;
  readonly algorithm?: 'round_robin' | 'least_connections' | 'random' | 'ip_hash';
  readonly health_check_enabled?: boolean;
  readonly health_check_path?: string | null;
  readonly session_affinity?: boolean;
  /**
   * Time until the service has answered; missing: no limit.
   */
  readonly timeout_seconds?: number | null;
  /**
   * Further tries of an idempotent request that got no answer.
   */
  readonly retries?: number;
  readonly [k: string]: unknown;
}
/**
 * Who asks, as exposed services know them (`api/me`).
 */
export interface Me {
  /**
   * In whose name ports are opened; what `allowed_users` has.
   */
  readonly name: string;
  readonly [k: string]: unknown;
}
/**
 * Facts about an answer (contract: `meta`).
 */
export interface Meta {
  readonly last_updated?: string | null;
  readonly total_port_mappings?: number | null;
  readonly active_port_mappings?: number | null;
  readonly proxy_version?: string | null;
  /**
   * Which extensions of the contract the server has.
   */
  readonly extensions?: readonly string[];
  readonly [k: string]: unknown;
}
/**
 * How the proxy treats traffic (contract: `network_configuration`).
 */
export interface NetworkConfiguration {
  readonly load_balancer?: LoadBalancer | null;
  readonly ssl_termination?: 'proxy';
  readonly websocket_support?: boolean;
  readonly compression?: Compression | null;
  readonly [k: string]: unknown;
}
/**
 * A mapping's health check with what it found.
 */
export interface ObservedHealthCheck {
  readonly enabled?: boolean;
  /**
   * Path to GET; missing: it is only tried to connect.
   */
  readonly path?: string | null;
  /**
   * Time between two checks.
   */
  readonly interval_seconds?: number;
  /**
   * Time a check may take; missing: 10, or the interval if that is less.
   */
  readonly timeout_seconds?: number | null;
  /**
   * The status that means healthy; missing: 200–399.
   */
  readonly expected_status?: number | null;
  /**
   * Failures in a row before the service counts as unhealthy.
   */
  readonly retries?: number;
  readonly last_check?: string | null;
  readonly consecutive_failures?: number;
  readonly [k: string]: unknown;
}
/**
 * How a port was used lately, the oldest first (`api/ports/{id}/history`).
 */
export interface PortHistory {
  readonly minutes: readonly HistoryMinute[];
  readonly health: readonly HistorySpan[];
  /**
   * There were more requests than were counted.
   */
  readonly cut: boolean;
  readonly [k: string]: unknown;
}
/**
 * One exposed service, as the server sees it (contract: `port_mappings[]`).
 */
export interface PortMapping {
  /**
   * The service's port on this cluster.
   */
  readonly internal_port?: number | null;
  /**
   * The loopback address that the service listens on, such as 127.0.0.2 (extension); missing: where something listens, 127.0.0.1 before ::1.
   */
  readonly internal_host?: string | null;
  /**
   * The port on the proxy; missing: the lowest free one.
   */
  readonly external_port?: number | null;
  /**
   * How packets reach the service.
   */
  readonly protocol?: string;
  /**
   * What the service speaks (extension of the contract).
   */
  readonly app_protocol?: string;
  /**
   * Human-readable name of the service.
   */
  readonly description?: string | null;
  readonly health_check?: ObservedHealthCheck | null;
  readonly access_control?: AccessControl | null;
  /**
   * Host name of its own for the service.
   */
  readonly custom_domain?: string | null;
  /**
   * Answer plain HTTP with a redirect to https.
   */
  readonly ssl_redirect?: boolean;
  readonly load_balancer?: LoadBalancer | null;
  readonly scaling?: Scaling | null;
  /**
   * Further internal ports of the same service (extension).
   */
  readonly replicas?: readonly number[] | null;
  /**
   * Expose a protected port all the same (extension).
   */
  readonly force?: boolean;
  /**
   * The Jupyter kernel that the mapping goes with (extension).
   */
  readonly kernel_id?: string | null;
  /**
   * The stack that made the mapping (extension).
   */
  readonly stack?: string | null;
  /**
   * When it stops being exposed by itself (extension); missing: never.
   */
  readonly expires_at?: string | null;
  readonly id: string;
  /**
   * Where visitors reach it.
   */
  readonly url?: string | null;
  /**
   * active, or disabled with the proxy.
   */
  readonly status?: string | null;
  /**
   * healthy, unhealthy, unknown or disabled.
   */
  readonly health_status?: string | null;
  readonly usage_statistics?: UsageStatistics | null;
  readonly created_at?: string | null;
  readonly updated_at?: string | null;
  readonly [k: string]: unknown;
}
/**
 * Bounds for the number of replicas (contract: `scaling`).
 */
export interface Scaling {
  readonly min_replicas?: number | null;
  readonly max_replicas?: number | null;
  readonly target_cpu_utilization?: number | null;
  readonly target_memory_utilization?: number | null;
  readonly [k: string]: unknown;
}
/**
 * How much a mapping was used (contract: `usage_statistics`).
 */
export interface UsageStatistics {
  /**
   * Every request but those for the gateway's own pages (/.tensorone/).
   */
  readonly total_requests?: number;
  /**
   * Signed-in users, and addresses of all others.
   */
  readonly unique_visitors?: number;
  readonly last_accessed?: string | null;
  /**
   * Until the first byte of an answer, on average.
   */
  readonly avg_response_time_ms?: number | null;
  readonly [k: string]: unknown;
}
/**
 * What it takes to create a port mapping (contract: POST …/proxy/ports).
 */
export interface PortRequest {
  /**
   * The service's port on this cluster, 1–65535.
   */
  readonly internal_port: number;
  /**
   * The loopback address that the service listens on, such as 127.0.0.2 (extension); missing: where something listens, 127.0.0.1 before ::1.
   */
  readonly internal_host?: string | null;
  /**
   * The port on the proxy; missing: the lowest free one.
   */
  readonly external_port?: number | null;
  /**
   * How packets reach the service.
   */
  readonly protocol?: 'tcp' | 'udp';
  /**
   * What the service speaks (extension of the contract).
   */
  readonly app_protocol?: 'http' | 'h2c' | 'grpc' | 'https' | 'tcp';
  /**
   * Human-readable name of the service.
   */
  readonly description: string;
  readonly health_check?: HealthCheck | null;
  readonly access_control?: AccessControl | null;
  /**
   * Host name of its own for the service.
   */
  readonly custom_domain?: string | null;
  /**
   * Answer plain HTTP with a redirect to https.
   */
  readonly ssl_redirect?: boolean;
  readonly load_balancer?: LoadBalancer | null;
  readonly scaling?: Scaling | null;
  /**
   * Further internal ports of the same service (extension).
   */
  readonly replicas?: readonly number[] | null;
  /**
   * Expose a protected port all the same (extension).
   */
  readonly force?: boolean;
  /**
   * The Jupyter kernel that the mapping goes with (extension).
   */
  readonly kernel_id?: string | null;
  /**
   * The stack that made the mapping (extension).
   */
  readonly stack?: string | null;
  /**
   * When it stops being exposed by itself (extension); missing: never.
   */
  readonly expires_at?: string | null;
  readonly [k: string]: unknown;
}
/**
 * What an update of a port mapping may change (contract: PUT …/proxy/ports/{port_id}).
 */
export interface PortSettings {
  /**
   * The service's port on this cluster.
   */
  readonly internal_port?: number | null;
  /**
   * The loopback address that the service listens on, such as 127.0.0.2 (extension); missing: where something listens, 127.0.0.1 before ::1.
   */
  readonly internal_host?: string | null;
  /**
   * The port on the proxy; missing: the lowest free one.
   */
  readonly external_port?: number | null;
  /**
   * How packets reach the service.
   */
  readonly protocol?: 'tcp' | 'udp';
  /**
   * What the service speaks (extension of the contract).
   */
  readonly app_protocol?: 'http' | 'h2c' | 'grpc' | 'https' | 'tcp';
  /**
   * Human-readable name of the service.
   */
  readonly description?: string | null;
  readonly health_check?: HealthCheck | null;
  readonly access_control?: AccessControl | null;
  /**
   * Host name of its own for the service.
   */
  readonly custom_domain?: string | null;
  /**
   * Answer plain HTTP with a redirect to https.
   */
  readonly ssl_redirect?: boolean;
  readonly load_balancer?: LoadBalancer | null;
  readonly scaling?: Scaling | null;
  /**
   * Further internal ports of the same service (extension).
   */
  readonly replicas?: readonly number[] | null;
  /**
   * Expose a protected port all the same (extension).
   */
  readonly force?: boolean;
  /**
   * The Jupyter kernel that the mapping goes with (extension).
   */
  readonly kernel_id?: string | null;
  /**
   * The stack that made the mapping (extension).
   */
  readonly stack?: string | null;
  /**
   * When it stops being exposed by itself (extension); missing: never.
   */
  readonly expires_at?: string | null;
  readonly [k: string]: unknown;
}
/**
 * The whole proxy of a cluster (contract: GET …/proxy).
 */
export interface ProxyConfig {
  readonly cluster_id: string;
  readonly proxy_url?: string | null;
  /**
   * active or disabled; restarting while Envoy is away (extension).
   */
  readonly proxy_status?: string | null;
  readonly ssl_certificate?: SslCertificate | null;
  readonly port_mappings?: readonly PortMapping[];
  readonly access_control?: ClusterAccess | null;
  readonly network_configuration?: NetworkConfiguration | null;
  readonly access_logs?: readonly AccessLogEntry[] | null;
  readonly meta?: Meta;
  readonly [k: string]: unknown;
}
/**
 * The certificate visitors see (contract: `ssl_certificate`).
 */
export interface SslCertificate {
  readonly issuer?: string | null;
  readonly valid_from?: string | null;
  readonly valid_until?: string | null;
  readonly status?: string | null;
  readonly [k: string]: unknown;
}
/**
 * What an update of the proxy may change (contract: PUT …/proxy).
 */
export interface ProxySettings {
  /**
   * False closes every listener.
   */
  readonly enabled?: boolean | null;
  /**
   * Addresses let in; empty: all.
   */
  readonly allowed_ips?: readonly string[] | null;
  readonly network_configuration?: NetworkConfiguration | null;
  readonly [k: string]: unknown;
}
/**
 * The short answer to an update of the proxy (contract: PUT /v2/clusters/{id}/proxy).
 */
export interface ProxyState {
  readonly proxyUrl?: string | null;
  readonly enabled?: boolean | null;
  readonly [k: string]: unknown;
}
/**
 * How many sessions were ended (extension: DELETE …/proxy/sessions).
 */
export interface Revoked {
  readonly revoked: number;
  readonly [k: string]: unknown;
}
/**
 * A kind of service that is recognised (`api/services`).
 */
export interface ServiceEntry {
  readonly id: string;
  /**
   * What people call it.
   */
  readonly name: string;
  /**
   * Where it usually listens.
   */
  readonly default_port: number | null;
  /**
   * A path that answers 200 while it is well.
   */
  readonly health_path: string | null;
  /**
   * Where people begin.
   */
  readonly open_path: string;
  /**
   * What it speaks.
   */
  readonly app_protocol: string;
  /**
   * What is peculiar about it behind a proxy; empty if nothing.
   */
  readonly note: string;
  readonly [k: string]: unknown;
}
/**
 * One signed-in visitor of one mapping (extension).
 */
export interface Session {
  readonly id: string;
  readonly port_id: string;
  readonly user: string;
  readonly client_ip?: string | null;
  /**
   * How they signed in: open, link or token.
   */
  readonly via?: string | null;
  readonly link_id?: string | null;
  readonly created_at?: string | null;
  readonly last_seen?: string | null;
  readonly expires_at?: string | null;
  readonly [k: string]: unknown;
}
/**
 * A person or program that may sign in (extension).
 */
export interface User {
  readonly name: string;
  readonly disabled?: boolean;
  /**
   * Whether a token of theirs is in force.
   */
  readonly has_token?: boolean;
  readonly created_at?: string | null;
  /**
   * The Bearer token; only in the answer that made it.
   */
  readonly token?: string | null;
  readonly [k: string]: unknown;
}
/**
 * What it takes to create a user (extension: POST …/proxy/users).
 */
export interface UserRequest {
  readonly name: string;
  readonly [k: string]: unknown;
}
/**
 * What an update of a user may change (extension: PUT …/proxy/users/{name}).
 */
export interface UserSettings {
  /**
   * True ends their sessions, and lets none in.
   */
  readonly disabled?: boolean | null;
  readonly [k: string]: unknown;
}
/**
 * A change of what is exposed or of who may come in, or a visitor who signed in, was refused or
 * was signed out. Every subscriber of a Jupyter server gets every event, so none holds a
 * credential, an address of a link, or the new values of what was changed: ask the REST API.
 */
export interface AuditEvent {
  /**
   * Its number in the gateway's audit; later events have larger ones.
   */
  readonly id: number;
  /**
   * When it happened.
   */
  readonly timestamp: string;
  /**
   * What happened: port.created, port.updated, port.deleted, proxy.updated, access.updated,
   * link.created, link.revoked, session.started, session.refused, session.revoked, user.added,
   * user.token_rotated, user.disabled, user.enabled, user.removed, keys.rotated,
   * request.refused, health.changed, or another.
   */
  readonly action: string;
  /**
   * Who did it, if that is known.
   */
  readonly actor?: string;
  /**
   * Through what: jupyter, magic, cli, python, api, visit or gateway.
   */
  readonly via?: string;
  /**
   * From which address, if a visitor did it.
   */
  readonly client_ip?: string;
  /**
   * The mapping it is about.
   */
  readonly port_id?: string;
  /**
   * The service's port, of a mapping that begins or ends.
   */
  readonly internal_port?: number;
  /**
   * The service's name, of a mapping that begins or ends.
   */
  readonly description?: string;
  /**
   * Whom it is about.
   */
  readonly user?: string;
  /**
   * The session it is about; worth nothing to whoever knows it.
   */
  readonly session_id?: string;
  /**
   * The link it is about; worth nothing to whoever knows it.
   */
  readonly link_id?: string;
  /**
   * What a service's health became.
   */
  readonly status?: string;
  /**
   * Why a visitor was refused; or "expired", where a mapping ended by itself.
   */
  readonly reason?: string;
  /**
   * How many requests were refused, since the last event of their kind.
   */
  readonly count?: number;
  /**
   * The names of what was set or changed.
   */
  readonly fields?: readonly string[];
  readonly [k: string]: unknown;
}
/**
 * Something started from a kernel or a terminal began to listen on a port, or stopped. No command
 * line and no environment are part of it, because they may hold secrets.
 */
export interface DetectedEvent {
  /**
   * Whether it came or went.
   */
  readonly change: 'found' | 'gone';
  readonly port: number;
  /**
   * The address it listens on.
   */
  readonly host?: string;
  /**
   * What people would call it.
   */
  readonly name: string;
  /**
   * The id of the service it was recognised as.
   */
  readonly service?: string;
  /**
   * The name of the process that listens.
   */
  readonly process?: string;
  /**
   * The kernel that it comes from.
   */
  readonly kernel_id?: string;
  /**
   * The terminal that it comes from.
   */
  readonly terminal?: string;
  /**
   * The document of that kernel.
   */
  readonly notebook?: string;
  /**
   * What happened by itself.
   */
  readonly decision?: 'notify' | 'expose';
  /**
   * Something that only people can decide.
   */
  readonly question?: 'public';
  /**
   * Why it was decided so.
   */
  readonly because?: string;
  /**
   * Whether the administrator allows that it is exposed by itself; missing if not.
   */
  readonly may_expose?: boolean;
  readonly [k: string]: unknown;
}
/**
 * A monitor that runs in one of this server's kernels saw what somebody wants to hear of. Names and
 * reasons come from outside: show them as text. No address and no credential is part of it.
 */
export interface AlertEvent {
  /**
   * Whether it began, or is over.
   */
  readonly state: 'firing' | 'recovered';
  /**
   * What somebody wants to hear of, such as "response_time above 2 s for 30 s".
   */
  readonly alert: string;
  /**
   * What was looked at.
   */
  readonly measure: string;
  /**
   * What it is now, with its unit.
   */
  readonly value?: string;
  /**
   * The service's name.
   */
  readonly name: string;
  /**
   * The service's own port.
   */
  readonly port?: number;
  /**
   * The mapping it is about.
   */
  readonly port_id: string;
  /**
   * Why, if there is more to say.
   */
  readonly reason?: string;
  /**
   * When it was seen.
   */
  readonly timestamp: string;
  readonly [k: string]: unknown;
}
/**
 * A port of a kernel or terminal, exposed or not.
 */
export interface DetectedPort {
  readonly port: number;
  /**
   * The address it listens on.
   */
  readonly host?: string;
  /**
   * What people would call it.
   */
  readonly name: string;
  /**
   * The id of the service it was recognised as.
   */
  readonly service?: string;
  /**
   * The name of the process that listens.
   */
  readonly process?: string;
  /**
   * The kernel that it comes from.
   */
  readonly kernel_id?: string;
  /**
   * The terminal that it comes from.
   */
  readonly terminal?: string;
  /**
   * The document of that kernel.
   */
  readonly notebook?: string;
  /**
   * What happened by itself.
   */
  readonly decision?: 'notify' | 'expose';
  /**
   * Something that only people can decide.
   */
  readonly question?: 'public';
  /**
   * Why it was decided so.
   */
  readonly because?: string;
  /**
   * Whether the administrator allows that it is exposed by itself; missing if not.
   */
  readonly may_expose?: boolean;
  readonly [k: string]: unknown;
}
