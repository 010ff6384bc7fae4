import type { PathState, PeerState } from '@awl/api';
import { FAKE_NOW, HOUR, MINUTE, SECOND } from './fake-time.ts';

/** A throughput curve around `level` bytes per second: `count` values, repeatable. */
export function fakeThroughput(level: number, count: number, phase = 0): number[] {
  return Array.from({ length: count }, (_, second) => {
    const wave = Math.sin((second + phase) / 7) * 0.3 + Math.sin((second + phase) / 2.3) * 0.12;
    return Math.max(0, Math.round(level * (0.7 + wave)));
  });
}

function peer(
  id: string,
  name: string,
  status: PeerState['status'],
  more: Partial<PeerState> = {},
): PeerState {
  const none = {
    pathHistory: [],
    sentBytes: 0,
    receivedBytes: 0,
    sendRateBps: 0,
    receiveRateBps: 0,
    throughput: [],
    streams: 0,
  };
  return { id, name, status, remembered: true, ...none, ...more };
}

function path(
  kind: PathState['kind'],
  strategy: string,
  transport: string,
  since: number,
  rttMs: number,
  lossRatio = 0,
): PathState {
  const remote =
    kind === 'lan' ? { address: '192.168.1.45', port: 41641 } : { address: '198.51.100.7', port: 61024 };
  return {
    kind,
    strategy,
    transport,
    local: { address: '192.168.1.20', port: 40031 },
    remote,
    since,
    rttMs,
    lossRatio,
  };
}

/** One peer in each state. */
export function fakePeers(now: number): readonly PeerState[] {
  const relayed = {
    ...path('relay', 'turn-relay@1', 'tls', now - 9 * MINUTE - 212, 96),
    until: now - 9 * MINUTE,
    code: 'upgraded',
  };
  const direct = path('direct', 'udp-predict@1', 'udp/kcp', now - 9 * MINUTE, 41, 0.002);
  return [
    peer('k3vd9qemo4w2office', 'office', 'connected', {
      path: direct,
      pathHistory: [relayed, direct],
      sentBytes: 9_734_000_000,
      receivedBytes: 1_634_000_000,
      sendRateBps: 18_000_000,
      receiveRateBps: 3_100_000,
      throughput: fakeThroughput(23_000_000, 600),
      streams: 3,
      seenAt: now,
      attempt: 'a-office',
    }),
    peer('m7xw2t0a9rnas', 'nas', 'connected', {
      path: path('lan', 'lan-direct@1', 'tcp', now - 3 * HOUR, 0.4),
      sentBytes: 912_400_000,
      receivedBytes: 21_000_000,
      sendRateBps: 200_000,
      receiveRateBps: 0,
      throughput: fakeThroughput(150_000, 600, 40),
      streams: 1,
      seenAt: now,
    }),
    peer('p2jd8s6mlaptop', 'laptop-mia', 'punching', { attempt: 'a-mia', seenAt: now }),
    peer('q9cab1n5xd2', 'cabin', 'no-path', {
      code: 'ERR_PATH_UDP_BLOCKED',
      reason: 'both sides block UDP',
      remedy: 'Turn on port mapping at one of them.',
      attempt: 'a-cabin',
      seenAt: now - MINUTE,
    }),
    peer('t4ph0ne77zz', 'phone', 'offline', { seenAt: now - 3 * HOUR }),
    peer('b1reg1str0', 'registry', 'refused', {
      remembered: false,
      code: 'ERR_AUTH_REFUSED',
      reason: 'the other side does not allow this peer',
      remedy: 'Use a ticket or the password of the other side.',
      seenAt: now - 20 * SECOND,
    }),
  ];
}

/** `count` more peers, repeatable, for long lists. */
export function fakeCrowd(count: number, now = FAKE_NOW): Record<string, PeerState> {
  const crowd: Record<string, PeerState> = {};
  for (let index = 0; index < count; index += 1) {
    const id = `crowd${String(index).padStart(6, '0')}`;
    const name = `host-${String(index).padStart(5, '0')}`;
    const rateBps = (index * 7919) % 1_000_000;
    crowd[id] =
      index % 3 === 0
        ? peer(id, name, 'connected', {
            path: path('direct', 'udp-direct@1', 'udp/kcp', now - index * SECOND, 5 + (index % 200)),
            sendRateBps: rateBps,
            receiveRateBps: rateBps >> 2,
            throughput: fakeThroughput(rateBps, 60, index),
            streams: 1,
            seenAt: now,
          })
        : peer(id, name, index % 3 === 1 ? 'online' : 'offline', { seenAt: now - (index % 500) * MINUTE });
  }
  return crowd;
}
