import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { UNKNOWN_BEHAVIOUR, type Clock, type JsonValue } from '@awl/api';
import {
  Authorization,
  checkExpected,
  createIdentity,
  decodeAnswer,
  decodeGo,
  decodeOffer,
  deriveAttemptKeys,
  identityRecord,
  newAttemptId,
  openMessage,
  ReplayGuard,
  sealMessage,
  ticketProof,
  verifyPublicIdentity,
  type AcceptedBody,
} from '@awl/engine';
import { encodeTicket, parseTicket, ticketIdOf } from '@awl/wire';

const random = { bytes: (length: number) => randomBytes(length) };
const clock: Clock = { now: () => 0, schedule: () => ({ [Symbol.dispose]() {} }) };
const side = (): Omit<AcceptedBody, 'outcome' | 'clock'> => ({
  version: 1,
  random: randomBytes(32).toString('base64url'),
  behaviour: { udp: UNKNOWN_BEHAVIOUR, tcp: UNKNOWN_BEHAVIOUR },
  candidates: [],
  strategies: [],
  transports: ['kcp'],
  gateways: [],
});

test('from a ticket to equal keys on both sides, with nothing but sealed texts in between', async () => {
  const ann = createIdentity();
  const ben = createIdentity();
  let stored: JsonValue | undefined;
  const access = await Authorization.open({
    store: { load: () => Promise.resolve(stored), save: (value) => Promise.resolve(void (stored = value)) },
    clock,
    wallClock: () => 0,
  });

  // Ben shares; Ann gets the ticket, and Ben's keys with it.
  const { secret } = await access.addTicket(random, { share: 'web' });
  const ticket = parseTicket(
    encodeTicket({ peerId: ben.peerId, secret, rendezvous: [], share: 'web', candidates: [], keys: ben }),
  );
  assert.ok(ticket.keys);
  const toBen = { peerId: ticket.peerId, ...ticket.keys };
  const attemptId = newAttemptId(random);
  const auth = {
    by: 'ticket' as const,
    ticket: ticketIdOf(ticket.secret),
    proof: ticketProof(ticket.secret, { attemptId, offererId: ann.peerId, answererId: ben.peerId }),
  };
  const annSide = side();
  const offer = sealMessage({
    from: ann,
    to: toBen,
    kind: 'offer',
    attemptId,
    body: { ...annSide, auth, clock: { sentMs: 1 } },
    random,
  });

  // Ben knows Ann from the rendezvous' record, which proves itself.
  const toAnn = verifyPublicIdentity(identityRecord(ann));
  assert.ok(toAnn);
  const replays = new ReplayGuard(clock);
  const offered = openMessage(ben, toAnn, offer.sealed);
  assert.ok(replays.accept(offered.hash));
  checkExpected(offered, { kind: 'offer', previousHash: null });
  const offerBody = decodeOffer(offered.body);
  const grant = await access.authorize({
    peerId: ann.peerId,
    selfId: ben.peerId,
    attemptId: offered.attemptId,
    auth: offerBody.auth,
  });
  assert.ok(access.allows(grant, 'web'));
  const benSide = side();
  const answer = sealMessage({
    from: ben,
    to: toAnn,
    kind: 'answer',
    attemptId: offered.attemptId,
    previousHash: offered.hash,
    body: { ...benSide, outcome: 'accepted', clock: { receivedMs: 1, sentMs: 2 } },
    random,
  });

  // Ann answers with `go`, which returns the answer's nonce.
  const answered = openMessage(ann, toBen, answer.sealed, {
    kind: 'answer',
    attemptId,
    previousHash: offer.hash,
  });
  const answerBody = decodeAnswer(answered.body);
  assert.ok(answerBody.outcome === 'accepted');
  const goBody = { answerNonce: answered.nonce, plan: [], startAtMs: 3 };
  const go = sealMessage({
    from: ann,
    to: toBen,
    kind: 'go',
    attemptId,
    previousHash: answered.hash,
    body: goBody,
    random,
  });
  const went = openMessage(ben, toAnn, go.sealed, {
    kind: 'go',
    attemptId: offered.attemptId,
    previousHash: answer.hash,
  });
  assert.equal(decodeGo(went.body).answerNonce, answer.nonce);

  const ids = { offererId: ann.peerId, answererId: ben.peerId };
  const annKeys = deriveAttemptKeys({
    role: 'offerer',
    ...ids,
    offerRandom: annSide.random,
    answerRandom: answerBody.random,
    offerHash: offer.hash,
    answerHash: answered.hash,
    goHash: go.hash,
  });
  const benKeys = deriveAttemptKeys({
    role: 'answerer',
    ...ids,
    offerRandom: offerBody.random,
    answerRandom: benSide.random,
    offerHash: offered.hash,
    answerHash: answer.hash,
    goHash: went.hash,
  });
  assert.deepEqual(annKeys.check.send, benKeys.check.receive);
  assert.deepEqual(annKeys.kcpToken.receive, benKeys.kcpToken.send);
  assert.deepEqual(annKeys.transcriptHash, benKeys.transcriptHash);
  assert.equal(replays.accept(offered.hash), false);
});
