import { formatEndpoint, type Endpoint, type Evidence } from '@awl/api';
import type { ManagedTcpLease } from '../socket/tcp-lease.ts';
import { allocationLaw } from './allocation.ts';
import { notes, type StunSites } from './udp-probe.ts';

/** How TCP mappings are made: connections from one port to every site, and from a few more ports to one (RFC 5382 §4.1). */
export async function probeTcpMapping(
  leases: readonly ManagedTcpLease[],
  sites: StunSites,
  locals: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Evidence[]> {
  const { evidence, note } = notes('tcp', 'stun-tcp');
  const [first, ...others] = leases;
  if (!first) return evidence;
  const ask = (lease: ManagedTcpLease, site: Endpoint | undefined): Promise<Endpoint | undefined> =>
    site ? lease.query(site, signal).catch(() => undefined) : Promise.resolve(undefined);
  const [near, port, address, ...singles] = await Promise.all([
    ask(first, sites.primary),
    ask(first, sites.samePrimaryAddress),
    ask(first, sites.otherAddress),
    ...others.map((lease) => ask(lease, sites.primary)),
  ]);
  const any = near ?? port ?? address;
  if (!any) {
    note('blocked', true, 0.8, `no STUN answer over TCP from ${formatEndpoint(sites.primary)}`);
    return evidence;
  }
  note('blocked', false, 0.99, `${formatEndpoint(sites.primary)} answered`);
  note('external', any, 0.9, `${formatEndpoint(sites.primary)} saw ${formatEndpoint(any)}`);
  const own = locals.has(any.address) && any.port === first.local.port;
  note(
    'natted',
    !own,
    0.97,
    own ? 'the rendezvous sees this host’s own address' : `the rendezvous sees ${any.address}`,
  );
  const observation = [near, port, address]
    .map((mapped) => (mapped ? formatEndpoint(mapped) : 'nothing'))
    .join(', ');
  if (near && port && near.port !== port.port) note('mapping', 'APDM', 0.95, observation);
  else if (near && address && near.port !== address.port)
    note('mapping', port ? 'ADM' : 'APDM', port ? 0.95 : 0.6, observation);
  else if (near && port && address) note('mapping', 'EIM', 0.97, observation);
  const samples = [near, port, address]
    .filter((mapped) => mapped !== undefined)
    .map((mapped) => ({ localPort: first.local.port, externalPort: mapped.port }))
    .concat(
      others.flatMap((lease, index) =>
        singles[index] ? [{ localPort: lease.local.port, externalPort: singles[index].port }] : [],
      ),
    );
  const unique = samples.filter(
    (sample, index) => samples.findIndex((other) => other.externalPort === sample.externalPort) === index,
  );
  const verdict = allocationLaw(unique);
  if (verdict) {
    note('allocation', verdict.law, verdict.law === 'preserving' ? 0.95 : 0.8, observation);
    if (verdict.step !== undefined) note('step', verdict.step, 0.7, observation);
  }
  return evidence;
}
