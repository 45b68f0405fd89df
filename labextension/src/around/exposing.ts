/**
 * Exposing a detected port in one step, as the dialog would with nothing changed in it.
 */
import type { DetectedPort, PortMapping } from '../answers';
import type { Api } from '../api';
import type { IPortsModel } from '../tokens';
import type { ServiceEntry } from '../wire';
import { readable } from '../words';
import type { Preferences } from './preferences';

/** Who gets in. */
type Access = Preferences['defaultAccess'];

/**
 * Return the request that exposes a port: sign-in is required, whatever is preferred.
 *
 * @param port - What was detected.
 * @param service - What is known of its service.
 * @param me - My name at exposed services.
 * @param access - Who gets in.
 */
export function requestFor(
  port: DetectedPort,
  service: ServiceEntry | undefined,
  me: string,
  access: Access
): object {
  const allowed = access === 'me' ? [me] : [];
  return {
    internal_port: port.port,
    description: readable(port.name),
    access_control: { authentication_required: true, allowed_users: allowed },
    ...(service?.health_path ? { health_check: { path: service.health_path } } : {}),
    ...(service && service.app_protocol !== 'http' ? { app_protocol: service.app_protocol } : {})
  };
}

/** Expose a detected port. Throws what the server refuses. */
export async function exposeNow(
  model: IPortsModel,
  port: DetectedPort,
  access: Access
): Promise<PortMapping> {
  const { api } = model;
  const [services, me] = await Promise.all([servicesOf(api), myName(model)]);
  const service = services.find(({ id }) => id === port.service);
  // Only a gateway of ours knows kernels, and ends what goes with them.
  const kernel = model.info?.kind === 'api' ? undefined : port.kernel_id;
  return api.createPort({
    ...requestFor(port, service, me, access),
    ...(kernel === undefined ? {} : { kernel_id: kernel })
  });
}

const catalogues = new WeakMap<Api, Promise<readonly ServiceEntry[]>>();

/** Return the services that the server knows; it is asked once. */
function servicesOf(api: Api): Promise<readonly ServiceEntry[]> {
  const known = catalogues.get(api) ?? api.call<readonly ServiceEntry[]>('GET', 'services');
  catalogues.set(api, known);
  known.catch(() => catalogues.delete(api));
  return known;
}

async function myName(model: IPortsModel): Promise<string> {
  return model.info?.me ?? (await model.api.me()).name;
}
