import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { JsonValue } from '@awl/api';
import { Authorization, createIdentity, ticketProof, type Grant, type OfferAuth } from '@awl/engine';
import { ticketIdOf } from '@awl/wire';

const random = { bytes: (length: number) => randomBytes(length) };
const self = createIdentity().peerId;
const [ann = '', ben = '', cat = ''] = Array.from({ length: 3 }, () => createIdentity().peerId);
const DAY = 86_400_000;
const attemptId = 'A'.repeat(22);

/** Records in memory, a time that tests move, and what happened. */
async function setUp(stored?: JsonValue) {
  const world = {
    now: 1_800_000_000_000,
    monotonic: 0,
    saved: stored,
    saves: 0,
    revoked: [] as object[],
    fails: false,
  };
  const open = async (): Promise<Authorization> => {
    const authorization = await Authorization.open({
      store: {
        load: () => Promise.resolve(structuredClone(world.saved)),
        save: (value) => {
          if (world.fails) return Promise.reject(new Error('disk full'));
          world.saves += 1;
          world.saved = JSON.parse(JSON.stringify(value)) as JsonValue;
          return Promise.resolve();
        },
      },
      clock: { now: () => world.monotonic, schedule: () => ({ [Symbol.dispose]() {} }) },
      wallClock: () => world.now,
    });
    authorization.onRevoked = (lost) => world.revoked.push(lost);
    return authorization;
  };
  return { world, open, access: await open() };
}

function byTicket(secret: Uint8Array, offererId: string, answererId = self, attempt = attemptId): OfferAuth {
  return {
    by: 'ticket',
    ticket: ticketIdOf(secret),
    proof: ticketProof(secret, { attemptId: attempt, offererId, answererId }),
  };
}

const ask = (access: Authorization, peerId: string, auth: OfferAuth): Promise<Grant> =>
  access.authorize({ peerId, selfId: self, attemptId, auth });
const remembered: OfferAuth = { by: 'remembered' };

test('a ticket opens its share until it expires', async () => {
  const { world, access } = await setUp();
  const { id, secret } = await access.addTicket(random, { share: 'web', expiresAtMs: world.now + DAY });
  const grant = await ask(access, ann, byTicket(secret, ann));
  assert.deepEqual(grant, { peerId: ann, by: 'ticket', ticket: id });
  assert.equal(access.allows(grant, 'web'), true);
  assert.equal(access.allows(grant, 'ssh'), false);
  assert.equal(access.endsAt(grant), world.now + DAY);
  world.now += DAY;
  assert.equal(access.allows(grant, 'web'), false);
  await assert.rejects(ask(access, ann, byTicket(secret, ann)), { code: 'ERR_TICKET_EXPIRED' });
  await assert.rejects(ask(access, ann, remembered), { code: 'ERR_AUTH_REFUSED' });
});

test('a proof is good for one attempt between two peers only', async () => {
  const { access } = await setUp();
  const { secret } = await access.addTicket(random);
  for (const [name, auth, code] of [
    ['of another offerer', byTicket(secret, ben), 'ERR_AUTH_REFUSED'],
    ['to another answerer', byTicket(secret, ann, ben), 'ERR_AUTH_REFUSED'],
    ['of another attempt', byTicket(secret, ann, self, 'B'.repeat(22)), 'ERR_AUTH_REFUSED'],
    ['cut off', { ...byTicket(secret, ann), proof: 'AA' }, 'ERR_AUTH_REFUSED'],
    ['of a ticket that nobody made', byTicket(randomBytes(16), ann), 'ERR_TICKET_REVOKED'],
  ] as [string, OfferAuth, string][]) {
    await assert.rejects(ask(access, ann, auth), { code }, name);
  }
  const grant = await ask(access, ann, byTicket(secret, ann));
  assert.equal(access.allows(grant, 'anything'), true);
  assert.equal(access.endsAt(grant), undefined);
});

test('a use is a peer, which may come back; the count survives a restart', async () => {
  const { access, open } = await setUp();
  const { secret } = await access.addTicket(random, { uses: 2 });
  for (const peer of [ann, ann, ben]) await ask(access, peer, byTicket(secret, peer));
  const restarted = await open();
  await assert.rejects(ask(restarted, cat, byTicket(secret, cat)), { code: 'ERR_TICKET_REVOKED' });
  assert.equal((await ask(restarted, ben, byTicket(secret, ben))).peerId, ben);
  for (const uses of [0, 1.5, 1e6])
    await assert.rejects(access.addTicket(random, { uses }), { code: 'ERR_USAGE' });
});

test('a revoked ticket ends what was granted by it, unless the peer is remembered', async () => {
  const { world, access } = await setUp();
  const { id, secret } = await access.addTicket(random, { share: 'web' });
  await access.addTicket(random, { share: 'ssh' });
  const [first, second] = [
    await ask(access, ann, byTicket(secret, ann)),
    await ask(access, ben, byTicket(secret, ben)),
  ];
  await access.remember({ peerId: ben, name: 'ben', shares: ['web'] });
  await access.revokeShare('web');
  assert.deepEqual(world.revoked, [{ ticket: id }]);
  assert.equal(access.allows(first, 'web'), false);
  assert.equal(access.endsAt(first), 0);
  assert.equal(access.allows(second, 'web'), true);
  assert.equal(access.allows(second, 'ssh'), false);
  await assert.rejects(ask(access, ann, byTicket(secret, ann)), { code: 'ERR_TICKET_REVOKED' });
  assert.equal((await ask(access, ben, byTicket(secret, ben))).by, 'remembered');
});

test('whoever proved the password is remembered; its proof counts once, for that peer, for two minutes', async () => {
  const { world, access, open } = await setUp();
  const byPassword: OfferAuth = { by: 'password', proof: 'P'.repeat(43) };
  await assert.rejects(ask(access, ann, byPassword), { code: 'ERR_AUTH_PASSWORD' });
  await access.paired(ann, 'P'.repeat(43), 'ann');
  await assert.rejects(ask(access, ben, byPassword), { code: 'ERR_AUTH_PASSWORD' });
  assert.equal((await ask(access, ann, byPassword)).by, 'password');
  assert.equal((await ask(access, ann, byPassword)).by, 'remembered', 'the proof is spent');
  await access.paired(ann, 'P'.repeat(43));
  world.monotonic += 120_000;
  assert.equal((await ask(access, ann, byPassword)).by, 'remembered', 'the proof is too old');
  assert.equal((await ask(await open(), ann, remembered)).by, 'remembered', 'after a restart');

  assert.deepEqual(await access.forget(ann), [ann]);
  assert.deepEqual(world.revoked, [{ peerId: ann }]);
  await assert.rejects(ask(access, ann, remembered), { code: 'ERR_AUTH_REFUSED' });
  assert.deepEqual(await access.forget('nobody'), []);
});

test('a rule may end', async () => {
  const { world, access } = await setUp();
  await access.remember({ peerId: ann, until: world.now + DAY });
  const grant = await ask(access, ann, remembered);
  assert.equal(access.endsAt(grant), world.now + DAY);
  assert.equal(access.peers.length, 1);
  world.now += DAY;
  assert.equal(access.peers.length, 0);
  assert.equal(access.allows(grant, 'web'), false);
  await assert.rejects(ask(access, ann, remembered), { code: 'ERR_AUTH_REFUSED' });
});

test('a name keeps its key per rendezvous, until forgotten', async () => {
  const { access, open } = await setUp();
  access.checkName('fp1', 'den', ann);
  await access.pinName('fp1', 'den', ann);
  await access.pinName('fp1', 'den', ann);
  const restarted = await open();
  restarted.checkName('fp1', 'den', ann);
  restarted.checkName('fp2', 'den', ben);
  assert.throws(() => restarted.checkName('fp1', 'den', ben), {
    code: 'ERR_PEER_KEY_CHANGED',
    message: new RegExp(`${ben}.*${ann}`),
  });
  await assert.rejects(restarted.pinName('fp1', 'den', ben), { code: 'ERR_PEER_KEY_CHANGED' });
  await restarted.forget('den');
  restarted.checkName('fp1', 'den', ben);
});

test('the record of the password is kept, and only for that password', async () => {
  const { access, open } = await setUp();
  assert.equal(access.passwordRecord('one'), undefined);
  await access.setPassword('one', { setup: 'S', record: 'R' });
  const restarted = await open();
  assert.equal(restarted.passwordRecord('one')?.record, 'R');
  assert.equal(restarted.passwordRecord('two'), undefined);
});

test('records are bounded', async () => {
  const { world, access } = await setUp();
  for (let count = 0; count < 256; count++) await access.addTicket(random, { expiresAtMs: world.now + DAY });
  await assert.rejects(access.addTicket(random), { code: 'ERR_USAGE' });
  world.now += 9 * DAY;
  await access.addTicket(random);
  const rules = Array.from({ length: 1100 }, (_, seed) => ({
    peerId: createIdentity({ bytes: (length) => Buffer.alloc(length, String(seed)) }).peerId,
  }));
  await Promise.all(rules.map((rule) => access.remember(rule)));
  assert.ok(access.peers.length <= 1024);
});

test('damaged records are refused by place; a store that fails says so and the rest goes on', async () => {
  for (const [damaged, place] of [
    [{ version: 2, tickets: [], peers: [], pins: [] }, /version/],
    [{ version: 1, tickets: [{}], peers: [], pins: [] }, /tickets\/0/],
    [{ version: 1, tickets: [], peers: [{ peerId: 'x', since: 0 }], pins: [] }, /peerId/],
    ['', /object/],
  ] as [JsonValue, RegExp][]) {
    await assert.rejects(
      setUp(damaged),
      (error: Error & { code: string }) => error.code === 'ERR_STORAGE' && place.test(error.message),
    );
  }
  const { world, access } = await setUp();
  world.fails = true;
  await assert.rejects(access.remember({ peerId: ann }), /disk full/);
  world.fails = false;
  await access.remember({ peerId: ben });
  assert.equal(access.peers.length, 2);
  assert.equal(world.saves, 1);
});
