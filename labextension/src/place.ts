/**
 * Which API the Jupyter server speaks to, and who we are there: asked for once, and again after
 * something failed.
 */
import type { Cluster, ConnectionInfo, ProxyConfig } from './answers';
import type { Api } from './api';
import { ApiError } from './errors';

/** Where we are. */
export type Place = Pick<ConnectionInfo, 'kind' | 'api_url' | 'cluster_id' | 'clusters' | 'me'>;

export class Whereabouts {
  private readonly api: Api;
  private place: Place | null = null;

  constructor(api: Api) {
    this.api = api;
  }

  /** Ask anew the next time. */
  forget(): void {
    this.place = null;
  }

  /**
   * Return where we are.
   *
   * @param early - Is told what is known before the API itself was asked for its clusters.
   */
  async ask(early: (place: Place) => void): Promise<Place> {
    if (this.place === null) {
      const [api, me] = await Promise.all([this.api.connection(), this.api.me()]);
      const { kind, api_url, cluster_id } = api;
      const place = { kind, api_url, cluster_id, me: me.name };
      early(place);
      const clusters = kind === 'gateway' ? [] : await this.clusters();
      this.place = clusters.length > 0 ? { ...place, clusters } : place;
    }
    return this.place;
  }

  private async clusters(): Promise<readonly Cluster[]> {
    try {
      return (await this.api.connection({ clusters: true })).clusters ?? [];
    } catch (error) {
      if (error instanceof ApiError) {
        return []; // the proxy is asked next, and says better what is wrong
      }
      throw error;
    }
  }
}

/** Return what is kept of an answer besides its ports; the moment it was made says nothing. */
export function ownFacts(proxy: ProxyConfig): ConnectionInfo {
  const { cluster_id, proxy_url, proxy_status, access_control, meta } = proxy;
  return {
    cluster_id,
    proxy_url: proxy_url ?? null,
    proxy_status: proxy_status ?? null,
    access_control: access_control ?? null,
    meta: { ...meta, last_updated: null }
  };
}
