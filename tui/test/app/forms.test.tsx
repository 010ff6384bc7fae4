import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClient } from '@awl/testkit';
import { stage } from './harness.tsx';

test('connect: the name is there, the password is masked and sent', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('registry');
  await screen.press('down', 'down', 'down', 'down', 'c');
  await screen.sees('registry');
  await screen.press('enter');
  await screen.sees('▸ Its password');
  await screen.press('hunter2');
  assert.doesNotMatch(await screen.sees('*******'), /hunter2/);
  await screen.press('enter');
  await screen.sees('Connecting');
  assert.deepEqual(client.given.at(-1), {
    name: 'peer.connect',
    params: { peer: 'b1reg1str0', password: 'hunter2' },
  });
  await screen.sees('connecting');
});

test('connect: a ticket goes as a ticket', async () => {
  const client = fakeClient({ state: (state) => ({ ...state, peers: {} }) });
  using screen = stage(client);
  await screen.sees('Nobody');
  await screen.press('c', 'awl1abc\r\n', 'enter');
  await screen.until(() => client.given.length > 0);
  assert.deepEqual(client.given.at(-1), { name: 'peer.connect', params: { ticket: 'awl1abc' } });
});

test('a wrong password is told with what to do', async () => {
  const client = fakeClient();
  client.fail('peer.connect', {
    code: 'ERR_AUTH_PASSWORD',
    message: 'The password is wrong.',
    remedy: 'Ask the other side.',
  });
  using screen = stage(client);
  await screen.sees('office');
  await screen.press('c', 'enter', 'x', 'enter');
  await screen.sees('✗ The password is wrong. Ask the other side.');
});

test('a slow command shows that it is on its way, and esc cancels it at once', async () => {
  const client = fakeClient({ slow: true });
  using screen = stage(client);
  await screen.sees('office');
  await screen.press('5', 'r');
  await screen.sees('Measuring this network esc cancels');
  await screen.press('esc');
  await screen.sees('Measuring this network: cancelled');
});

test('forwards: a wrong port is refused on the spot, the right one is added, edited, removed', async () => {
  const client = fakeClient();
  using screen = stage(client, { columns: 120 });
  await screen.sees('office');
  await screen.press('3', 'a');
  await screen.sees('Add a forward');
  await screen.press('office', 'enter', '99999', 'enter');
  await screen.sees('a port from 1 to 65535');
  for (let index = 0; index < 5; index += 1) await screen.press('backspace');
  await screen.press(':2222', 'enter');
  await screen.sees('another forward listens there');
  for (let index = 0; index < 5; index += 1) await screen.press('backspace');
  await screen.press(':8585', 'enter', '10.0.0.5:80', 'enter', 'enter');
  await screen.sees('Listening on 127.0.0.1:8585');
  assert.deepEqual(client.given.at(-1), {
    name: 'forward.add',
    params: { peer: 'office', listen: '127.0.0.1:8585', protocol: 'tcp', store: true, target: '10.0.0.5:80' },
  });

  await screen.press('g', 'e');
  await screen.sees('Edit the forward');
  await screen.press('enter', 'backspace', '3', 'enter', 'enter', 'enter');
  await screen.sees('Listening on 127.0.0.1:2223');
  assert.deepEqual(
    client.given.slice(-2).map((each) => each.name),
    ['forward.remove', 'forward.add'],
  );

  await screen.press('g', 'd');
  await screen.sees('Remove this forward?');
  await screen.press('n');
  await screen.until((text) => !text.includes('Remove this'));
  await screen.press('d');
  await screen.sees('Remove this forward?');
  await screen.press('y');
  await screen.sees('was removed');
});

test('a forward that cannot be changed is put back', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('office');
  await screen.press('3');
  await screen.sees('127.0.0.1:2222');
  await screen.press('e');
  await screen.sees('Edit the forward');
  client.fail('forward.add', { code: 'ERR_PORT_BUSY', message: 'Port 2229 is in use.' });
  await screen.press('enter', 'backspace', '9', 'enter', 'enter', 'enter');
  await screen.sees('Port 2229 is in use. The forward is as it was.');
  const { name, params } = client.given.at(-1) ?? {};
  assert.equal(name, 'forward.add');
  assert.equal((params as { listen?: string }).listen, '127.0.0.1:2222');
});

test('a service is shared, and its ticket shown', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('office');
  await screen.press('3', 's', '192.168.1.45:8080', 'enter', 'enter');
  await screen.sees('Shared; its ticket is below');
  assert.match(await screen.sees('awl1example'), /Ticket {2}for awl connect on the other machine, 24 h left/);
});

test('space turns upnp on, and its mapping shows on the overview', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('office');
  await screen.press('4', 'down', 'down', 'down');
  await screen.sees('Maps ports at a router by UPnP');
  await screen.press(' ');
  await screen.sees('upnp is on');
  await screen.press('1');
  await screen.sees('Mapped 203.0.113.11:40112 by upnp, 58 min left');
});

test('settings by their schema: a wrong value is refused, only what changed is set', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('office');
  await screen.press('4', 'G', 'up');
  await screen.sees('Settings: attempts 5');
  await screen.press('enter');
  await screen.sees('Settings of Lucky ports');
  await screen.press('0', 'enter');
  await screen.sees('at most 20');
  await screen.press('backspace', 'backspace', '7', 'enter');
  await screen.sees('▸ spread');
  await screen.press('down', 'enter');
  await screen.sees('▸ loud');
  await screen.press('enter');
  await screen.sees('▸ label');
  await screen.press('enter');
  await screen.sees('2 settings changed');
  assert.deepEqual(
    client.given.map((each) => each.params),
    [
      { key: 'lucky.attempts', value: 7 },
      { key: 'lucky.spread', value: 'wide' },
    ],
  );
});

test('a contributed view is drawn from its data', async () => {
  using screen = stage(fakeClient());
  await screen.sees('office');
  await screen.press('4', 'G', 'up');
  assert.match(await screen.sees('Lucky guesses'), /laptop-mia +600 +1/);
});

test('the palette runs a plugin command and shows its answer', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('office');
  await screen.press(':', 'lucky stat');
  await screen.sees('▸ Show statistics of lucky guesses');
  await screen.press('enter');
  await screen.sees('{"guesses":1200,"hits":1}');
});

test('the filter narrows as it is typed; esc drops it', async () => {
  using screen = stage(fakeClient());
  await screen.sees('office');
  await screen.press('/', 'cab');
  await screen.until((text) => !text.includes('laptop-mia'));
  assert.match(screen.text(), /cabin/);
  await screen.press('zz');
  await screen.sees('No peer matches "cabzz"');
  await screen.press('esc');
  await screen.sees('laptop-mia');
});

test('the first start asks two questions, each answered already', async () => {
  const client = fakeClient();
  using screen = stage(client, { overlay: { kind: 'welcome' } });
  await screen.sees('Welcome to awl');
  await screen.press('enter');
  await screen.sees('▸ This machine');
  await screen.press('-2', 'enter');
  await screen.sees('Ready.');
  assert.deepEqual(client.given, [{ name: 'config.set', params: { key: 'name', value: 'home-pc-2' } }]);
  await screen.sees('home-pc-2 ·');
});

test('help is about the screen, and any key closes it', async () => {
  using screen = stage(fakeClient());
  await screen.sees('office');
  await screen.press('4', '?');
  await screen.sees('Help: Plugins');
  await screen.press('x');
  await screen.sees('lan-direct');
});

test('keys typed ahead reach what the first of them opens', async () => {
  using screen = stage(fakeClient());
  await screen.sees('office');
  await screen.press('/cabin');
  await screen.until((text) => text.includes('/ cabin') && !text.includes('laptop-mia'));
  await screen.press('esc', '5r');
  await screen.sees('This network was measured again');
});

test('a pasted ticket opens connect; other pasted text does nothing', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('office');
  await screen.press('\u001B[200~qqd 5\n\u001B[201~');
  assert.equal(screen.hasQuit, false);
  await screen.press('\u001B[200~awl1abcdef\n\u001B[201~');
  await screen.sees('awl1abcdef');
  await screen.press('enter', 'enter');
  assert.deepEqual(client.given, [{ name: 'peer.connect', params: { ticket: 'awl1abcdef' } }]);
});
