import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  KINDS,
  natOptions,
  SimulatedNetwork,
  type Kind,
  type KindName,
  type NatBehaviour,
  type NatOptions,
} from '@awl/testkit';
import { probe, serveProbes, type Verdict } from './classic-probe.ts';

const SERVERS = ['203.0.113.2', '198.51.100.2'] as const;

async function verdict(kind: KindName | Kind, seed = 1): Promise<Awaited<ReturnType<typeof probe>>> {
  const network = new SimulatedNetwork({ seed });
  const server = network.addPublicHost('server', SERVERS, { delayMs: 10 });
  const { host } = network.addSite('a', kind, { link: { delayMs: 10 } });
  await serveProbes(server, SERVERS);
  return await network.clock.complete(probe(host, network.clock, SERVERS));
}

const home = (changes: Parameters<typeof natOptions>[0]): Kind => ({
  layout: 'home',
  title: '',
  nat: natOptions(changes),
});

describe('what classic probes see of each kind', () => {
  const expected: { readonly [name in KindName]?: readonly [udp: string, tcp: string] } = {
    open: ['EIM EIF preserving hairpin', 'EIM EIF preserving'],
    F: ['EIM EIF preserving', 'EIM EIF preserving'],
    R: ['EIM ADF preserving', 'EIM ADF preserving'],
    P: ['EIM APDF preserving', 'EIM APDF preserving'],
    A: ['ADM APDF random', 'ADM APDF random'],
    X: ['APDM APDF random', 'APDM APDF random'],
    rst: ['EIM APDF preserving', 'EIM APDF preserving'],
    poison: ['EIM APDF preserving poisoned', 'EIM APDF preserving'],
    udpblocked: ['blocked blocked blocked', 'EIM APDF preserving'],
    cgn: ['EIM APDF random hairpin', 'EIM APDF random'],
    cgnx: ['APDM APDF random', 'APDM APDF random'],
    samelan: ['EIM APDF preserving', 'EIM APDF preserving'],
    samenat: ['EIM APDF preserving hairpin', 'EIM APDF preserving'],
    ipv6: ['EIM APDF preserving', 'EIM APDF preserving'],
  };
  for (const [name, [udp, tcp]] of Object.entries(expected)) {
    it(`${name}: ${KINDS[name as KindName].title}`, async () => {
      const seen = await verdict(name as KindName);
      assert.equal(text(seen.udp), udp);
      assert.equal(text(seen.tcp), tcp);
    });
  }
});

describe('every mapping with every filtering', () => {
  for (const mapping of ['EIM', 'ADM', 'APDM'] as const) {
    for (const filtering of ['EIF', 'ADF', 'APDF'] as const) {
      it(`${mapping} ${filtering}`, async () => {
        const seen = await verdict(home({ both: { mapping, filtering, allocation: { law: 'random' } } }));
        assert.equal(text(seen.udp), `${mapping} ${filtering} random`);
        assert.equal(text(seen.tcp), `${mapping} ${filtering} random`);
      });
    }
  }
});

describe('port allocation', () => {
  const laws: readonly [
    name: string,
    behaviour: Partial<NatBehaviour>,
    nat: Partial<NatOptions>,
    expected: string,
  ][] = [
    [
      'contiguous upward',
      { allocation: { law: 'contiguous', step: 1, foreignPerSecond: 0 } },
      {},
      'contiguous 1',
    ],
    [
      'contiguous downward in pairs',
      { allocation: { law: 'contiguous', step: -2, foreignPerSecond: 0 } },
      {},
      'contiguous -2',
    ],
    [
      'in order within a block',
      { allocation: { law: 'block', size: 64, within: 'contiguous', blocksPerHost: 4 } },
      {},
      'contiguous 1',
    ],
    [
      'at random within a block',
      { allocation: { law: 'block', size: 64, within: 'random', blocksPerHost: 4 } },
      {},
      'random',
    ],
    ['at random', { allocation: { law: 'random' } }, {}, 'random'],
  ];
  for (const [name, behaviour, nat, expected] of laws) {
    it(name, async () => {
      const seen = await verdict(home({ both: { mapping: 'EIM', ...behaviour }, nat }));
      assert.equal(seen.udp.allocation, expected);
      assert.equal(seen.tcp.allocation, expected);
    });
  }
});

function text({ mapping, filtering, allocation, hairpin, poisoned }: Verdict): string {
  return [
    mapping,
    filtering,
    allocation,
    ...(hairpin ? ['hairpin'] : []),
    ...(poisoned ? ['poisoned'] : []),
  ].join(' ');
}
