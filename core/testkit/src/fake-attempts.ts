import { UNKNOWN_BEHAVIOUR, type AttemptState } from '@awl/api';
import { home, random } from './fake-networks.ts';
import { MINUTE, SECOND } from './fake-time.ts';

const host = {
  type: 'host',
  protocol: 'udp',
  endpoint: { address: '192.168.1.20', port: 40031 },
  priority: 2_130_706_431,
} as const;
const reflexive = {
  type: 'server-reflexive',
  protocol: 'udp',
  endpoint: { address: '203.0.113.11', port: 40031 },
  priority: 1_694_498_815,
} as const;
const theirs = {
  type: 'server-reflexive',
  protocol: 'udp',
  endpoint: { address: '198.51.100.12', port: 51877 },
  priority: 1_694_498_815,
} as const;
const theirHost = {
  type: 'host',
  protocol: 'udp',
  endpoint: { address: '10.0.0.7', port: 41000 },
  priority: 2_130_706_431,
} as const;

/** A race in progress, one won, one lost. */
export function fakeAttempts(now: number): readonly AttemptState[] {
  const start = now - 700;
  const both = {
    local: home,
    remote: random,
    localCandidates: [host, reflexive],
    remoteCandidates: [theirHost, theirs],
  };
  return [
    {
      id: 'a-mia',
      peer: 'p2jd8s6mlaptop',
      role: 'controlling',
      startedAt: start,
      status: 'punching',
      clockOffsetMs: 3.1,
      ...both,
      race: [
        {
          strategy: 'lan-direct@1',
          status: 'skipped',
          probesSent: 0,
          probesBudget: 0,
          reason: 'other gateway',
          assessment: { likelihood: 0, reason: 'other gateway' },
        },
        {
          strategy: 'udp-direct@1',
          status: 'failed',
          probesSent: 6,
          probesBudget: 40,
          tookMs: 340,
          code: 'no-answer',
          reason: 'no answer from 198.51.100.12:51877',
          assessment: {
            likelihood: 0.02,
            expectedMs: 80,
            probes: 40,
            reason: 'their port changes for each destination',
          },
        },
        {
          strategy: 'udp-birthday@1',
          status: 'running',
          probesSent: 612,
          probesBudget: 1500,
          progress: { done: 612, of: 1500, etaMs: 400 },
          assessment: { likelihood: 0.99, expectedMs: 450, probes: 1500, reason: '512 ports open there' },
        },
        {
          strategy: 'tcp-simultaneous-open@1',
          status: 'waiting',
          startsAtMs: 1300,
          probesSent: 0,
          probesBudget: 20,
          assessment: { likelihood: 0.05, expectedMs: 900, probes: 20, reason: 'their TCP ports are random' },
        },
      ],
      trace: [
        { at: start - 120, step: 'signal', text: 'offer sent, answer after 86 ms; clock offset +3.1 ms' },
        { at: start - 30, step: 'candidate', text: '2 own candidates, 2 of laptop-mia; other gateway' },
        {
          at: start - 20,
          step: 'assess',
          text: 'udp-birthday 99 %: their ports are random, ours is one for everyone',
        },
        {
          at: start - 10,
          step: 'plan',
          text: 'udp-direct at 0 ms, udp-birthday at 100 ms, tcp-simultaneous-open at 1300 ms',
        },
        { at: start + 340, step: 'punch', text: 'udp-direct failed: no answer from 198.51.100.12:51877' },
      ],
    },
    {
      id: 'a-office',
      peer: 'k3vd9qemo4w2office',
      role: 'controlled',
      startedAt: now - 9 * MINUTE - 400,
      endedAt: now - 9 * MINUTE,
      status: 'connected',
      clockOffsetMs: -1.2,
      ...both,
      race: [
        {
          strategy: 'udp-predict@1',
          status: 'connected',
          probesSent: 34,
          probesBudget: 100,
          tookMs: 212,
          assessment: { likelihood: 0.97, expectedMs: 150, probes: 100, reason: 'their ports go up by 2' },
        },
      ],
      trace: [
        { at: now - 9 * MINUTE - 300, step: 'plan', text: 'udp-predict at 0 ms' },
        {
          at: now - 9 * MINUTE,
          step: 'path',
          text: 'path upgraded: relay to direct by udp-predict (212 ms, 34 probes)',
        },
      ],
    },
    {
      id: 'a-cabin',
      peer: 'q9cab1n5xd2',
      role: 'controlling',
      startedAt: now - 70 * SECOND,
      endedAt: now - MINUTE,
      status: 'failed',
      ...both,
      remote: { ...random, udp: { ...UNKNOWN_BEHAVIOUR, blocked: true } },
      race: [
        {
          strategy: 'tcp-birthday@1',
          status: 'failed',
          probesSent: 900,
          probesBudget: 900,
          tookMs: 9800,
          code: 'no-answer',
          reason: 'none of 900 dials was answered',
          assessment: { likelihood: 0.1, reason: 'both sides take random TCP ports' },
        },
      ],
      trace: [
        { at: now - MINUTE, step: 'punch', text: 'tcp-birthday failed: none of 900 dials was answered' },
      ],
      code: 'ERR_PATH_UDP_BLOCKED',
      reason: 'both sides block UDP',
      remedy: 'Turn on port mapping at one of them.',
    },
  ];
}
