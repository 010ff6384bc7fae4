/** Port mapping by UPnP: IGD 1 and 2, and openings in IPv6 firewalls. */
import type { PluginContext } from '@awl/api';
import { PinholeMapper } from './pinhole-mapper.ts';
import { UpnpMapper } from './upnp-mapper.ts';

export function activate(context: PluginContext): void {
  context.portMappers.register(new UpnpMapper(context));
  context.portMappers.register(new PinholeMapper(context));
}
