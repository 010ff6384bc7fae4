import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAKE_NOW, fakeClient } from '@awl/testkit';
import { stage } from './harness.tsx';

test('the overview says who this is, what the NAT does, who is there', async () => {
  using screen = stage(fakeClient(), { columns: 120, rows: 40 });
  const text = await screen.sees('laptop-mia');
  for (const expected of [
    'home-pc · k3vd-9qem',
    'rv.example.org ● 12 ms',
    'one port for everyone (EIM)',
    'port-restricted cone',
    '98 %',
    '≈ 16 of 16 NAT types',
    'udp-birthday 41 %',
    'ETA ≈ 0.4 s',
    'both sides block UDP',
    'seen 3 h ago',
  ]) {
    assert.ok(text.includes(expected), `${expected} is missing:\n${text}`);
  }
});

test('q quits', async () => {
  using screen = stage(fakeClient());
  await screen.sees('office');
  await screen.press('q');
  assert.equal(screen.hasQuit, true);
});

test('enter opens the peer under the cursor, which stays on its peer when the order changes', async () => {
  const client = fakeClient();
  using screen = stage(client);
  await screen.sees('▸ nas');
  await screen.press('down', 'down');
  await screen.sees('▸ laptop-mia');
  const phone = client.state.peers['t4ph0ne77zz'];
  assert.ok(phone);
  client.push({
    collection: 'peers',
    id: phone.id,
    value: { ...phone, status: 'connected', seenAt: FAKE_NOW },
  });
  await screen.until((text) => !text.includes('seen 3 h ago'));
  assert.match(screen.text(), /▸ laptop-mia/);
  await screen.press('enter');
  await screen.sees('Decisions');
});
