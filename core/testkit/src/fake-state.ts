import type { EngineState, LogLine } from '@awl/api';
import { fakeAttempts } from './fake-attempts.ts';
import { evidence, home } from './fake-networks.ts';
import { fakePeers } from './fake-peers.ts';
import { fakePlugins } from './fake-plugins.ts';
import { FAKE_NOW, HOUR, MINUTE, SECOND } from './fake-time.ts';

function log(now: number): readonly LogLine[] {
  const line = (
    id: number,
    agoMs: number,
    level: LogLine['level'],
    source: string,
    text: string,
  ): LogLine => ({ id, at: now - agoMs, level, source, text });
  return [
    line(1, 4 * HOUR, 'info', 'node', 'started, peer id k3vd-9qem'),
    line(2, 4 * HOUR - 900, 'info', 'rendezvous', 'connected to rv.example.org in 31 ms'),
    line(3, 4 * HOUR - 1800, 'info', 'nat', 'UDP: port-restricted cone (98 %), TCP: the same (95 %)'),
    line(4, 3 * HOUR, 'info', 'nas', 'connected by lan-direct in 4 ms'),
    line(5, 2 * HOUR, 'debug', 'path', 'nas: consent renewed'),
    line(6, HOUR, 'warn', 'upnp', 'the router 192.168.1.1 did not answer; trying again in 60 s'),
    line(7, MINUTE, 'error', 'cabin', 'no path: both sides block UDP'),
    line(
      8,
      9 * SECOND,
      'info',
      'office',
      'path upgraded: relay to direct by udp-predict@1 (212 ms, 34 probes)',
    ),
  ];
}

function byId<T extends { readonly id: string }>(items: readonly T[]): Record<string, T> {
  return Object.fromEntries(items.map((item) => [item.id, item]));
}

/** A plausible home network in the middle of its day, with one peer in each state; the same at each call. */
export function fakeState(now = FAKE_NOW): EngineState {
  const traffic = { sentBytes: 0, receivedBytes: 0 };
  return {
    node: {
      name: 'home-pc',
      peerId: 'k3vd9qemh0mepc',
      version: '0.1.0',
      startedAt: now - 4 * HOUR,
      simulated: false,
    },
    rendezvous: { url: 'awl://rv.example.org:7777', status: 'connected', rttMs: 12 },
    nat: {
      status: 'known',
      measuredAt: now - 12 * MINUTE,
      behaviour: home,
      evidence: evidence(),
      publicAddresses: ['203.0.113.11'],
      gateway: '192.168.1.1',
      mappings: [],
    },
    peers: byId(fakePeers(now)),
    attempts: byId(fakeAttempts(now)),
    shares: byId([
      {
        id: 's-web',
        target: '192.168.1.45:80',
        protocol: 'tcp',
        tickets: [{ id: 't1', expiresAt: now + 20 * HOUR, usesLeft: 3 }],
        connections: 2,
        sentBytes: 48_200_000,
        receivedBytes: 1_100_000,
      },
    ]),
    forwards: byId([
      {
        id: 'f-ssh',
        peer: 'k3vd9qemo4w2office',
        listen: '127.0.0.1:2222',
        target: '127.0.0.1:22',
        protocol: 'tcp',
        status: 'listening',
        connections: 1,
        sentBytes: 1_200_000,
        receivedBytes: 8_300_000,
      },
      {
        id: 'f-dns',
        peer: 't4ph0ne77zz',
        listen: '127.0.0.1:5353',
        target: '127.0.0.1:53',
        protocol: 'udp',
        status: 'waiting',
        connections: 0,
        ...traffic,
      },
      {
        id: 'f-web',
        peer: 'm7xw2t0a9rnas',
        listen: '127.0.0.1:80',
        protocol: 'tcp',
        status: 'failed',
        code: 'ERR_PORT_BUSY',
        reason: 'port 80 is in use',
        connections: 0,
        ...traffic,
      },
    ]),
    ...fakePlugins(),
    log: log(now),
  };
}
