import { familyOf, formatEndpoint, type Endpoint, type Evidence } from '@awl/api';
import type { StunAnswer } from '../socket/stun-query.ts';
import type { ManagedUdpLease } from '../socket/udp-lease.ts';
import { allocationLaw, type AllocationSample } from './allocation.ts';

const SOURCE = 'stun-udp';
/** The verdict on mappings is wanted within 1.5 s. */
const MAPPING_TIMEOUT_MS = 1400;
/** Silence counts once every repetition (at 0, 150, 400, 800 ms) had a second to come back. */
const FILTERING_TIMEOUT_MS = 1800;

/** The two ports of the two addresses of a STUN server, as far as they are there (RFC 5780 §4). */
export interface StunSites {
  readonly primary: Endpoint;
  readonly samePrimaryAddress?: Endpoint | undefined;
  readonly otherAddress?: Endpoint | undefined;
  readonly otherBoth?: Endpoint | undefined;
}

/** Sorts STUN endpoints, primary first, into RFC 5780's places. */
export function stunSites(all: readonly Endpoint[]): StunSites | undefined {
  // Mappings are compared within one family: the probes' sockets are of IPv4, where NATs are.
  const endpoints = all.filter((endpoint) => familyOf(endpoint) === 4);
  const [primary] = endpoints;
  if (!primary) return undefined;
  const elsewhere = endpoints.filter((endpoint) => endpoint.address !== primary.address);
  return {
    primary,
    samePrimaryAddress: endpoints.find(
      (endpoint) => endpoint.address === primary.address && endpoint.port !== primary.port,
    ),
    otherAddress: elsewhere.find((endpoint) => endpoint.port === primary.port) ?? elsewhere[0],
    otherBoth: elsewhere.find((endpoint) => endpoint.port !== primary.port),
  };
}

type Note = <Field extends Evidence['field']>(
  field: Field,
  value: Evidence<Field>['value'],
  weight: number,
  observation: string,
) => void;

/** A note-taker that fills in protocol and source. */
export function notes(
  protocol: 'udp' | 'tcp',
  source: string,
): { readonly evidence: Evidence[]; readonly note: Note } {
  const evidence: Evidence[] = [];
  return {
    evidence,
    note: (field, value, weight, observation) =>
      evidence.push({ protocol, field, value, weight, observation, source }),
  };
}

/**
 * How mappings are made: one socket asks every site, a few more ask one. `mappings[0]` must be fresh.
 * `locals` are the host's own addresses.
 */
export async function probeUdpMapping(
  leases: readonly ManagedUdpLease[],
  sites: StunSites,
  locals: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Evidence[]> {
  const { evidence, note } = notes('udp', SOURCE);
  const [first, ...others] = leases;
  if (!first) return evidence;
  const ask = (lease: ManagedUdpLease, site: Endpoint | undefined): Promise<StunAnswer | undefined> =>
    site
      ? lease.query(site, { signal, timeoutMs: MAPPING_TIMEOUT_MS }).catch(() => undefined)
      : Promise.resolve(undefined);
  const [near, port, address, both, ...singles] = await Promise.all([
    ask(first, sites.primary),
    ask(first, sites.samePrimaryAddress),
    ask(first, sites.otherAddress),
    ask(first, sites.otherBoth),
    ...others.map((lease) => ask(lease, sites.primary)),
  ]);
  const any = near ?? port ?? address ?? both ?? singles.find(Boolean);
  if (!any) {
    note(
      'blocked',
      true,
      0.9,
      `no UDP answer from ${formatEndpoint(sites.primary)} within ${MAPPING_TIMEOUT_MS} ms`,
    );
    return evidence;
  }
  note('blocked', false, 0.99, `${formatEndpoint(any.from)} answered`);
  note('external', any.mapped, 0.9, `${formatEndpoint(any.from)} saw ${formatEndpoint(any.mapped)}`);
  const own = locals.has(any.mapped.address) && any.mapped.port === first.local.port;
  note(
    'natted',
    !own,
    0.97,
    own ? 'the rendezvous sees this host’s own address' : `the rendezvous sees ${any.mapped.address}`,
  );
  judgeMapping(note, { near, port, address, both });
  judgeAllocation(note, first, [near, port, address, both], others, singles);
  return evidence;
}

function judgeMapping(
  note: Note,
  seen: {
    near?: StunAnswer | undefined;
    port?: StunAnswer | undefined;
    address?: StunAnswer | undefined;
    both?: StunAnswer | undefined;
  },
): void {
  const { near, port, address, both } = seen;
  const told = [near, port, address, both].filter((answer) => answer !== undefined);
  const observation = told
    .map((answer) => `${formatEndpoint(answer.from)} saw ${formatEndpoint(answer.mapped)}`)
    .join(', ');
  const byPort =
    near && port
      ? near.mapped.port !== port.mapped.port
      : address && both
        ? address.mapped.port !== both.mapped.port
        : undefined;
  const far = address ?? both;
  const byAddress = near && far ? near.mapped.port !== far.mapped.port : undefined;
  if (byPort === true) note('mapping', 'APDM', 0.95, observation);
  else if (byAddress === true)
    note('mapping', byPort === false ? 'ADM' : 'APDM', byPort === false ? 0.95 : 0.6, observation);
  else if (byAddress === false && byPort === false) note('mapping', 'EIM', 0.97, observation);
  else if (byAddress === false) note('mapping', 'EIM', 0.7, observation);
  const addresses = new Set(told.map((answer) => answer.mapped.address));
  if (told.length > 1)
    note(
      'pooling',
      addresses.size === 1 ? 'paired' : 'arbitrary',
      addresses.size === 1 ? 0.7 : 0.97,
      observation,
    );
}

function judgeAllocation(
  note: Note,
  first: ManagedUdpLease,
  answers: readonly (StunAnswer | undefined)[],
  others: readonly ManagedUdpLease[],
  singles: readonly (StunAnswer | undefined)[],
): void {
  const samples: AllocationSample[] = [];
  const seen = new Set<number>();
  const add = (localPort: number, answer: StunAnswer | undefined): void => {
    if (!answer || seen.has(answer.mapped.port)) return;
    seen.add(answer.mapped.port);
    samples.push({ localPort, externalPort: answer.mapped.port });
  };
  for (const answer of answers) add(first.local.port, answer);
  for (const [index, lease] of others.entries()) add(lease.local.port, singles[index]);
  const verdict = allocationLaw(samples);
  if (!verdict) return;
  const observation = `ports ${samples.map(({ localPort, externalPort }) => `${localPort}→${externalPort}`).join(', ')}`;
  note('allocation', verdict.law, verdict.law === 'preserving' ? 0.95 : 0.85, observation);
  if (verdict.step !== undefined) note('step', verdict.step, 0.8, observation);
}

/** Who is let in through a mapping: a fresh socket asks for answers from other places (RFC 5780 §4.4). */
export async function probeUdpFiltering(
  lease: ManagedUdpLease,
  sites: StunSites,
  signal: AbortSignal,
): Promise<Evidence[]> {
  const { evidence, note } = notes('udp', SOURCE);
  const ask = (changeAddress: boolean, changePort: boolean): Promise<StunAnswer | undefined> =>
    lease
      .query(sites.primary, {
        change: { changeAddress, changePort },
        signal,
        timeoutMs: FILTERING_TIMEOUT_MS,
      })
      .catch(() => undefined);
  const plain = lease
    .query(sites.primary, { signal, timeoutMs: FILTERING_TIMEOUT_MS })
    .catch(() => undefined);
  const fromElsewhere = sites.otherAddress ? ask(true, true) : Promise.resolve(undefined);
  const fromOtherPort = sites.samePrimaryAddress ? ask(false, true) : Promise.resolve(undefined);
  const [base, elsewhere, otherPort] = await Promise.all([plain, fromElsewhere, fromOtherPort]);
  if (!base) return evidence;
  if (elsewhere)
    note(
      'filtering',
      'EIF',
      0.97,
      `an answer came from ${formatEndpoint(elsewhere.from)}, which was never asked`,
    );
  else if (otherPort && sites.otherAddress)
    note(
      'filtering',
      'ADF',
      0.9,
      `an answer came from another port of ${sites.primary.address}, none from ${sites.otherAddress.address}`,
    );
  else if (!otherPort && sites.samePrimaryAddress)
    note('filtering', 'APDF', 0.9, `nothing came from another port of ${sites.primary.address}`);
  return evidence;
}
