import type { Duplex } from 'node:stream';
import {
  familyOf,
  type Clock,
  type DatagramChannel,
  type Pair,
  type Random,
  type Transport,
  type TransportStats,
} from '@awl/api';
import { AwlError } from '@awl/wire';
import type { Winner } from '../punch/race.ts';
import type { AttemptKeys } from '../security/attempt-keys.ts';
import { CheckedStream } from '../socket/checked-stream.ts';
import { ManagedUdpLease } from '../socket/udp-lease.ts';
import type { Network } from '../socket/network.ts';
import { Consent } from './consent.ts';
import { pathKind, type PathDescription } from './describe.ts';
import { linkMtu } from './link-mtu.ts';
import { PathMtu } from './path-mtu.ts';
import { openUdpChannels } from './udp-channel.ts';

/** The id of the transport on a TCP path: TCP itself. */
export const TCP_TRANSPORT = 'tcp';

/** A path that is ready for a session. Disposing it closes its socket. */
export interface OpenPath extends Disposable {
  readonly description: PathDescription;
  readonly duplex: Duplex;
  /** For unreliable datagrams; a TCP path has none. */
  readonly datagrams: DatagramChannel | undefined;
  /** Round trip and loss as the path's own transport sees them. */
  stats(): TransportStats;
}

export interface OpenPathParts {
  readonly winner: Winner;
  readonly keys: AttemptKeys;
  readonly transport: Transport | undefined;
  readonly pair: Pair;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

/** Puts a transport on the socket that won. Rejects nothing: what breaks later ends the duplex. */
export function openPath(parts: OpenPathParts): OpenPath {
  const { winner, pair } = parts;
  const { punched, lane, rttMs } = winner;
  const describe = (transport: string): PathDescription => ({
    kind: pathKind(punched.remote, pair.remoteCandidates, pair.sameLan),
    strategy: lane.id,
    transport,
    local: punched.lease.local,
    remote: punched.remote,
    rttMs,
  });
  if (punched instanceof CheckedStream) {
    const duplex = punched.detach();
    return {
      description: describe(TCP_TRANSPORT),
      duplex,
      datagrams: undefined,
      stats: () => ({}),
      [Symbol.dispose]: () => {
        duplex.destroy();
        punched.lease[Symbol.dispose]();
        lane.agent.close();
      },
    };
  }
  const { lease } = punched;
  if (!parts.transport || !(lease instanceof ManagedUdpLease))
    throw new AwlError('ERR_PATH_NO_STRATEGY', 'no transport for UDP paths is enabled');
  return openUdpPath(parts, lease, parts.transport, describe(parts.transport.id));
}

function openUdpPath(
  { winner, keys, clock, random, network }: OpenPathParts,
  lease: ManagedUdpLease,
  transport: Transport,
  description: PathDescription,
): OpenPath {
  const { punched, lane } = winner;
  const channels = openUdpChannels(lease, punched.remote, {
    transport: keys.kcpToken,
    datagrams: keys.datagramToken,
  });
  const connection = transport.attach(channels.transport, { role: lane.role, clock, random });
  const consent = new Consent({
    clock,
    random,
    agent: lane.agent,
    checked: lease,
    punched,
    onExpired: () =>
      connection.duplex.destroy(new AwlError('ERR_PATH_LOST', 'the peer has not answered for 30 s')),
  });
  let mtu: PathMtu | undefined;
  let disposed = false;
  void linkMtu(network, punched.remote.address).then((linkMtuBytes) => {
    if (disposed) return;
    mtu = new PathMtu({
      clock,
      family: familyOf(punched.remote),
      linkMtuBytes,
      probe: (sizeBytes, onAnswer) => lane.agent.sendPadded(lease, punched.remote, sizeBytes, onAnswer),
      onChange: (sizeBytes) => channels.resize(sizeBytes),
      inUse: () => channels.sentLarge(),
    });
  });
  return {
    description,
    duplex: connection.duplex,
    datagrams: channels.datagrams,
    stats: () => ({
      ...(consent.rttMs === undefined ? {} : { rttMs: consent.rttMs }),
      ...connection.stats(),
    }),
    [Symbol.dispose]: () => {
      disposed = true;
      mtu?.[Symbol.dispose]();
      consent[Symbol.dispose]();
      connection[Symbol.dispose]();
      lane.agent.close();
      lease[Symbol.dispose]();
    },
  };
}
