import { familyOf } from '@awl/api';
import type { LeaseScope } from '../socket/scope.ts';
import type { MappingKeeper } from './mapping-keeper.ts';

/** Lets leases have mapped ports of the router, each held until its lease is released. */
export function mapLeasesBy(keeper: MappingKeeper): LeaseScope['map'] {
  return async ({ protocol, local }, signal, released) => {
    const wish = { protocol, internalPort: local.port, family: familyOf(local) };
    const mapping = await keeper.acquire(wish, AbortSignal.any([signal, released]));
    if (!mapping) return undefined;
    if (released.aborted) {
      keeper.release(wish);
      return undefined;
    }
    released.addEventListener('abort', () => keeper.release(wish), { once: true });
    return { address: mapping.externalAddress, port: mapping.externalPort };
  };
}
