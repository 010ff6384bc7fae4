/** A user's whole way on real nodes, in a real terminal: first start, who is online, connect by password, forward, throughput, plugins, quit. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { awl } from '../e2e/support/awl.ts';
import { freePort, startWorld } from '../e2e/support/world.ts';
import { NO_TMUX, Terminal } from './tmux.ts';

/** A service that answers with bytes without end, so that there is throughput to see. */
async function endlessService(): Promise<AsyncDisposable & { readonly port: number }> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const server = createServer((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('from the first start to quitting', { skip: NO_TMUX }, async () => {
  await using world = await startWorld();
  await using service = await endlessService();
  const office = world.home('office');
  await awl(['config', 'set', 'name', 'office'], { home: office });
  const sharing = world.start('office', 'share', String(service.port), '--rendezvous', world.url, '--json');
  await sharing.event('share.ready');
  const password = (await awl(['config', 'get', 'password'], { home: office })).stdout.trim();
  const home = world.home('laptop');

  using terminal = new Terminal({
    command: `'${process.execPath}' tui/bin/awl.js`,
    columns: 120,
    rows: 36,
    env: { AWL_HOME: home },
  });
  await terminal.sees('Welcome to awl');
  terminal.press(world.url, 'Enter');
  await terminal.sees('▸ This machine');
  for (let index = 0; index < 40; index += 1) terminal.press('BSpace');
  terminal.press('laptop', 'Enter');
  await terminal.sees('laptop ·');

  // Who is online; what the NAT does.
  await terminal.sees(/office +online/);
  await terminal.until(
    (screen) => !screen.includes('not measured yet') && !screen.includes('measuring'),
    'a verdict on the NAT',
  );

  // By name, with a wrong password and with the right one.
  terminal.press('c');
  await terminal.sees('▸ Peer');
  terminal.press('Enter');
  await terminal.sees('▸ Its password');
  terminal.press('not-the-password', 'Enter');
  await terminal.sees('password is wrong');
  terminal.press('c');
  await terminal.sees('▸ Peer');
  terminal.press('Enter');
  await terminal.sees('▸ Its password');
  terminal.press(password);
  await terminal.until((screen) => screen.includes('*'.repeat(password.length)), 'a masked password');
  assert.ok(!terminal.screen().includes(password));
  terminal.press('Enter');
  await terminal.sees(/connected · lan/);

  // A forward, and its traffic.
  const port = await freePort();
  terminal.press('3');
  await terminal.sees('None. Press a');
  terminal.press('a');
  await terminal.sees('▸ Peer');
  terminal.press('office', 'Enter');
  await terminal.sees('▸ Listen here on');
  terminal.press(`:${port}`, 'Enter');
  await terminal.sees('▸ Target there');
  terminal.press('Enter');
  await terminal.sees('▸ Protocol');
  terminal.press('Enter');
  await terminal.sees(`127.0.0.1:${port}`);
  await terminal.sees('listening');
  const download = await fetch(`http://127.0.0.1:${port}/`);
  const reading = download.body?.pipeTo(new WritableStream()).catch(() => {});
  terminal.press('1');
  await terminal.sees(/↓ +[\d.]+ [kM]B\/s/);
  terminal.press('Enter');
  await terminal.sees('Throughput');

  // A strategy off, upnp on: the session stays.
  terminal.press('4');
  await terminal.sees(/\[✓\] +TCP simultaneous open/);
  terminal.press('/', 'simultaneous', 'Enter');
  await terminal.sees(/▸ \[✓\] +TCP simultaneous open[\s\S]*space on\/off/);
  terminal.press('Space');
  await terminal.sees(/\[ \] +TCP simultaneous open +off/);
  terminal.press('Escape');
  await terminal.sees('UPnP port mapping');
  terminal.press('/', 'upnp', 'Enter');
  await terminal.sees(/▸ \[ \] +UPnP port mapping[\s\S]*space on\/off/);
  terminal.press('Space');
  await terminal.sees(/\[✓\] +UPnP port mapping/);
  terminal.press('Escape');
  await terminal.sees('TCP simultaneous open');
  terminal.press('1');
  await terminal.sees(/office +connected/);

  terminal.press('q');
  await terminal.sees('ended with 0');
  assert.deepEqual(terminal.modes(), { isAlternate: false, hasCursor: true });
  await reading;
  const { code } = await awl(['status'], { home });
  assert.notEqual(code, 0, 'the node that was started for the UI is gone');
});
