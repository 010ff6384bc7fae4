/** The simulated NATs against the kernel's own: the same probes, in namespaces and in the simulation, must come to the same verdicts. */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { natOptions, PORT_RESTRICTED, SimulatedNetwork, type Kind, type NatOptions } from '@awl/testkit';
import { probe, serveProbes, type Verdict } from '../../core/testkit/test/classic-probe.ts';

const run = promisify(execFile);
const SERVERS = ['203.0.113.2', '198.51.100.2'] as const;
const MAIN = new URL('../../core/testkit/test/kernel-probe-main.ts', import.meta.url).pathname;
const NODE = [process.execPath, '--conditions=source', MAIN];

interface Verdicts {
  readonly udp: Verdict;
  readonly tcp: Verdict;
}

/** The kernel's NAT rule and its answer to strangers, and what the simulation has in its place. */
const CASES: readonly {
  readonly name: string;
  readonly masquerade: string;
  readonly strangers: 'drop' | 'accept';
  readonly nat: NatOptions;
}[] = [
  { name: 'masquerade', masquerade: 'masquerade', strangers: 'drop', nat: PORT_RESTRICTED },
  {
    name: 'masquerade fully-random',
    masquerade: 'masquerade fully-random',
    strangers: 'drop',
    nat: natOptions({ both: { mapping: 'APDM', allocation: { law: 'random' }, overloading: true } }),
  },
  {
    name: 'masquerade on a router that takes in strangers',
    masquerade: 'masquerade',
    strangers: 'accept',
    nat: natOptions({ both: { remembers: true }, udp: { unsolicited: 'icmp' }, tcp: { unsolicited: 'rst' } }),
  },
];

describe('the simulated NAT behaves as the kernel', { skip: await whyNot() }, () => {
  for (const { name, masquerade, strangers, nat } of CASES) {
    it(name, async () => {
      const kernel = await inKernel(masquerade, strangers);
      assert.deepEqual(await inSimulation({ layout: 'home', title: name, nat }), kernel);
    });
  }
});

async function whyNot(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  for (const tool of ['ip', 'nft']) {
    const found = await run(tool, ['-V']).catch(() => undefined);
    if (!found) return `needs ${tool}`;
  }
  return false;
}

async function inSimulation(kind: Kind): Promise<Verdicts> {
  const network = new SimulatedNetwork({ seed: 1 });
  await serveProbes(network.addPublicHost('server', SERVERS), SERVERS);
  return await network.clock.complete(probe(network.addSite('a', kind).host, network.clock, SERVERS));
}

async function inKernel(masquerade: string, strangers: 'drop' | 'accept'): Promise<Verdicts> {
  const prefix = `awlsim${process.pid}`;
  const [host, router, server] = [`${prefix}h`, `${prefix}r`, `${prefix}s`];
  let serving: ChildProcess | undefined;
  try {
    for (const namespace of [host, router, server]) await run('ip', ['netns', 'add', namespace]);
    await script(router, layout({ host, server }));
    await script(router, `nft -f - <<'RULES'\n${rules(masquerade, strangers)}\nRULES`);
    serving = spawn('ip', ['netns', 'exec', server, ...NODE, 'serve', ...SERVERS], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(serving.stdout!, 'data');
    const { stdout } = await run('ip', ['netns', 'exec', host, ...NODE, 'probe', ...SERVERS], {
      timeout: 60_000,
    });
    return JSON.parse(stdout) as Verdicts;
  } finally {
    if (serving) {
      const ended = once(serving, 'exit');
      serving.kill();
      await ended;
    }
    for (const namespace of [host, router, server])
      await run('ip', ['netns', 'del', namespace]).catch(() => {});
  }
}

function layout({ host, server }: { readonly host: string; readonly server: string }): string {
  return `
    ip link add lan type veth peer name eth0 netns ${host}
    ip link add wan type veth peer name eth0 netns ${server}
    ip addr add 192.168.10.1/24 dev lan; ip addr add 203.0.113.11/24 dev wan
    ip link set lo up; ip link set lan up; ip link set wan up
    ip route add 198.51.100.0/24 dev wan
    sysctl -qw net.ipv4.ip_forward=1
    ip -n ${host} addr add 192.168.10.10/24 dev eth0; ip -n ${host} link set lo up; ip -n ${host} link set eth0 up
    ip -n ${host} route add default via 192.168.10.1
    ip -n ${server} addr add 203.0.113.2/24 dev eth0; ip -n ${server} addr add 198.51.100.2/24 dev eth0
    ip -n ${server} link set lo up; ip -n ${server} link set eth0 up
  `;
}

function rules(masquerade: string, strangers: 'drop' | 'accept'): string {
  return `table ip awl {
    chain source { type nat hook postrouting priority srcnat; oifname "wan" ${masquerade}; }
    chain forward {
      type filter hook forward priority filter; policy drop;
      iifname "lan" accept
      ct state established,related accept
    }
    chain input { type filter hook input priority filter; policy ${strangers}; iifname "lan" accept; }
  }`;
}

async function script(namespace: string, text: string): Promise<void> {
  await run('ip', ['netns', 'exec', namespace, 'sh', '-ec', text]);
}
