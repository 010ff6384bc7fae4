import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { JsonValue } from '@awl/api';
import {
  checkExpected,
  createIdentity,
  deriveAttemptKeys,
  newAttemptId,
  openMessage,
  ReplayGuard,
  sealMessage,
  SEALED_MAX_CHARS,
  type Expected,
  type Identity,
} from '@awl/engine';
import { AwlError } from '@awl/wire';
import { hpkeOpen, hpkeSeal } from '../../src/security/hpke.ts';
import { rawX25519, x25519PrivateKey } from '../../src/security/identity.ts';

const random = { bytes: (length: number) => randomBytes(length) };
const alice = createIdentity();
const bob = createIdentity();
const mallory = createIdentity();
const attemptId = newAttemptId(random);

function seal(
  body: JsonValue,
  more: { from?: Identity; to?: Identity; kind?: 'offer' | 'answer' | 'go'; previousHash?: string } = {},
) {
  return sealMessage({ from: alice, to: bob, kind: 'offer', attemptId, body, random, ...more });
}

function refused(run: () => unknown, name: string): void {
  assert.throws(run, (error) => error instanceof AwlError && error.code === 'ERR_SIGNAL_INVALID', name);
}

/** A public identity with the id and signing key of one and the seal key of another, as a lying rendezvous might tell. */
const hybrid = (identity: Identity, seal: Identity): Identity => ({ ...identity, sealKey: seal.sealKey });

test('HPKE agrees with RFC 9180 appendix A.2.1', () => {
  const hex = (text: string): Buffer => Buffer.from(text, 'hex');
  const ephemeral = hex('f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600');
  const recipient = x25519PrivateKey(hex('8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb'));
  const info = hex('4f6465206f6e2061204772656369616e2055726e');
  const aad = hex('436f756e742d30');
  const plaintext = hex('4265617574792069732074727574682c20747275746820626561757479');
  const sealed = hpkeSeal(rawX25519(recipient), plaintext, { info, aad, random: { bytes: () => ephemeral } });
  assert.equal(
    sealed.toString('hex'),
    '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a' +
      '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
  );
  assert.deepEqual(hpkeOpen(recipient, sealed, { info, aad }), plaintext);
  assert.equal(hpkeOpen(recipient, sealed, { info, aad: info }), undefined);
  assert.equal(hpkeOpen(recipient, sealed, { info: aad, aad }), undefined);
  // A public key of small order gives a shared secret that everybody knows.
  assert.equal(
    hpkeOpen(recipient, Buffer.concat([Buffer.alloc(32), sealed.subarray(32)]), { info, aad }),
    undefined,
  );
});

test('a message arrives with all that it says', () => {
  const offer = seal({ hello: ['wörld', 1, null] });
  const opened = openMessage(bob, alice, offer.sealed, { kind: 'offer', attemptId, previousHash: null });
  assert.deepEqual(opened, {
    kind: 'offer',
    attemptId,
    previousHash: undefined,
    nonce: offer.nonce,
    hash: offer.hash,
    body: { hello: ['wörld', 1, null] },
  });
  const answer = seal('yes', { from: bob, to: alice, kind: 'answer', previousHash: opened.hash });
  assert.equal(
    openMessage(alice, bob, answer.sealed, { kind: 'answer', attemptId, previousHash: offer.hash }).body,
    'yes',
  );
  assert.notEqual(seal(1).sealed, seal(1).sealed);
  assert.notEqual(seal(1).hash, seal(1).hash);
});

test('what the carrier might do is refused', () => {
  const offer = seal({ hello: 'world' });
  const bytes = Buffer.from(offer.sealed, 'base64url');
  const flipped = (index: number): string => {
    const copy = Buffer.from(bytes);
    copy[index] = (copy[index] ?? 0) ^ 1;
    return copy.toString('base64url');
  };
  const answer = seal('yes', { from: bob, to: alice, kind: 'answer', previousHash: offer.hash });
  const table: [string, Identity, Identity, string, Expected?][] = [
    ['a flipped bit of the key', bob, alice, flipped(0)],
    ['a flipped bit of the text', bob, alice, flipped(40)],
    ['a flipped bit of the tag', bob, alice, flipped(bytes.length - 1)],
    ['cut off by a byte', bob, alice, bytes.subarray(0, -1).toString('base64url')],
    ['cut off to nothing', bob, alice, ''],
    ['cut off to 10 bytes', bob, alice, bytes.subarray(0, 10).toString('base64url')],
    ['a byte more', bob, alice, Buffer.concat([bytes, Buffer.of(0)]).toString('base64url')],
    ['not base64url', bob, alice, `${offer.sealed}=`],
    ['too large', bob, alice, 'A'.repeat(SEALED_MAX_CHARS + 1)],
    ['told as of another sender', bob, mallory, offer.sealed],
    ['given to another recipient', mallory, alice, offer.sealed],
    ['sent back to its sender', alice, bob, offer.sealed],
    [
      'signed by another',
      bob,
      hybrid(alice, alice),
      sealMessage({
        from: { ...alice, privateKey: mallory.privateKey },
        to: bob,
        kind: 'offer',
        attemptId,
        body: 1,
        random,
      }).sealed,
    ],
    [
      'signed for another, sealed anew',
      bob,
      alice,
      seal(1, { to: { ...mallory, sealKey: bob.sealKey } }).sealed,
    ],
    ['of another kind', bob, alice, offer.sealed, { kind: 'answer' }],
    ['of another attempt', bob, alice, offer.sealed, { attemptId: newAttemptId(random) }],
    [
      'an offer that claims to follow something',
      bob,
      alice,
      seal(1, { previousHash: offer.hash }).sealed,
      { previousHash: null },
    ],
    ['an answer to another offer', alice, bob, answer.sealed, { previousHash: seal(1).hash }],
    [
      'an answer to nothing',
      alice,
      bob,
      seal(1, { from: bob, to: alice, kind: 'answer' }).sealed,
      { previousHash: offer.hash },
    ],
  ];
  for (const [name, identity, sender, sealed, expected] of table) {
    refused(() => openMessage(identity, sender, sealed, expected), name);
  }
  assert.equal(openMessage(bob, alice, offer.sealed, {}).kind, 'offer');
});

test('every truncation and every damaged byte is refused', () => {
  const bytes = Buffer.from(seal({ a: 1 }).sealed, 'base64url');
  for (let index = 0; index < bytes.length; index++) {
    const damaged = Buffer.from(bytes);
    damaged[index] = (damaged[index] ?? 0) ^ 0x80;
    // RFC 7748 §5: the top bit of a public key is ignored; it is bound by the key schedule all the same.
    refused(() => openMessage(bob, alice, damaged.toString('base64url')), `byte ${index}`);
    refused(() => openMessage(bob, alice, bytes.subarray(0, index).toString('base64url')), `cut at ${index}`);
  }
});

test('a body that the sender signed but is no JSON, an unknown kind and a missing header are refused', () => {
  const from = { ...alice };
  refused(
    () =>
      openMessage(
        bob,
        alice,
        sealMessage({ from, to: bob, kind: 'later' as 'offer', attemptId, body: 1, random }).sealed,
      ),
    'kind',
  );
  const notJson = { toJSON: () => undefined } as unknown as JsonValue;
  assert.throws(() => seal(notJson), TypeError);
  const raw = hpkeSeal(bob.sealKey, Buffer.alloc(64 + 64), {
    info: Buffer.from('awl signal seal v1'),
    aad: Buffer.from(alice.peerId + bob.peerId),
    random,
  });
  refused(() => openMessage(bob, alice, raw.toString('base64url')), 'header');
});

test('a seal key of small order is refused, not a crash', () => {
  refused(() => seal(1, { to: { ...bob, sealKey: Buffer.alloc(32) } }), 'small order');
});

test('a nested body does not overflow the stack, and the size is bounded', () => {
  let deep: JsonValue = 1;
  for (let level = 0; level < 2000; level++) deep = [deep];
  assert.ok(openMessage(bob, alice, seal(deep).sealed));
  assert.ok(seal('x'.repeat(36_000 - 200)).sealed.length <= SEALED_MAX_CHARS);
  assert.throws(() => seal('x'.repeat(37_000)), { code: 'ERR_WIRE_TOO_LARGE' });
});

test('expectations can be checked after opening, where the attempt is looked up by the message', () => {
  const opened = openMessage(bob, alice, seal(1).sealed);
  checkExpected(opened, { kind: 'offer', attemptId, previousHash: null });
  refused(() => checkExpected(opened, { previousHash: opened.hash }), 'previous');
});

test('a replay is seen until its time is over, and memory is bounded', () => {
  let now = 1000;
  const clock = { now: () => now, schedule: () => ({ [Symbol.dispose]() {} }) };
  const guard = new ReplayGuard(clock, { lifetimeMs: 100, max: 3 });
  assert.equal(guard.accept('a'), true);
  assert.equal(guard.accept('a'), false);
  now += 99;
  assert.equal(guard.accept('a'), false);
  now += 1;
  assert.equal(guard.accept('b'), true);
  assert.equal(guard.size, 1);
  for (const hash of ['c', 'd', 'e', 'f', 'g']) {
    assert.equal(guard.accept(hash), true);
    assert.ok(guard.size <= 3);
  }
  assert.equal(guard.accept('g'), false);
});

test('both sides derive the same keys, crosswise; any difference gives others', () => {
  const value = (): string => randomBytes(32).toString('base64url');
  const material = {
    offererId: alice.peerId,
    answererId: bob.peerId,
    offerRandom: value(),
    answerRandom: value(),
    offerHash: value(),
    answerHash: value(),
    goHash: value(),
  };
  const offerer = deriveAttemptKeys({ ...material, role: 'offerer' });
  const answerer = deriveAttemptKeys({ ...material, role: 'answerer' });
  const all = [];
  for (const name of ['check', 'kcpToken', 'datagramToken'] as const) {
    assert.deepEqual(offerer[name].send, answerer[name].receive);
    assert.deepEqual(offerer[name].receive, answerer[name].send);
    all.push(offerer[name].send.toString('hex'), offerer[name].receive.toString('hex'));
  }
  assert.equal(new Set(all).size, 6);
  assert.deepEqual(offerer.transcriptHash, answerer.transcriptHash);
  for (const token of [offerer.kcpToken.send, offerer.datagramToken.receive]) {
    assert.equal(token.length, 8);
    assert.ok((token[0] ?? 0) >= 192);
  }
  for (const name of Object.keys(material) as (keyof typeof material)[]) {
    const other = deriveAttemptKeys({
      ...material,
      [name]: name.endsWith('Id') ? mallory.peerId : value(),
      role: 'offerer',
    });
    assert.notDeepEqual(other.check.send, offerer.check.send, name);
  }
});
