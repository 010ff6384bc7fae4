import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { PluginModule } from '@awl/api';
import { makeHost, ManualClock, pair } from './support/fakes.ts';

const plugins = new URL('../../../plugins/', import.meta.url);

for (const directory of ['lan-direct', 'nat-pmp-pcp', 'tcp-simultaneous-open', 'udp-kcp', 'upnp']) {
  test(`${directory} registers all that its manifest names, and nothing else`, async () => {
    const { host, registry, store, lines } = makeHost({ clock: new ManualClock() });
    registry.host = { ...registry.host, gateways: () => Promise.resolve([]) };
    const manifest: unknown = JSON.parse(readFileSync(new URL(`${directory}/package.json`, plugins), 'utf8'));
    host.addBuiltIn(
      manifest,
      () => import(new URL(`${directory}/src/index.ts`, plugins).href) as Promise<PluginModule>,
    );
    await host.start();
    await host.enable(directory);
    const asked = [...registry.strategies.values()].map(async (strategy) => strategy.assess(pair));
    for (const assessment of await Promise.all(asked)) assert.doesNotMatch(assessment.reason, /^plugin /);
    for (const mapper of registry.mappers.values())
      await mapper.discover(AbortSignal.timeout(1)).catch(() => undefined);
    await new Promise(setImmediate);
    assert.equal(store.state.plugins[directory]?.status, 'active', lines.join('\n'));
    for (const transport of registry.transports.keys()) assert.equal(transport, 'kcp');
    assert.deepEqual(
      lines.filter((line) => line.includes('did not register')),
      [],
    );
    await host.close();
  });
}
