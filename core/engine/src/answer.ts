import { AwlError, toAwlError } from '@awl/wire';
import { AttemptRun, type AttemptResult } from './attempt.ts';
import type { EngineCore } from './core.ts';
import type { Grant } from './security/authorization.ts';
import { decodeGo, decodeOffer, type OfferBody } from './signal/messages.ts';
import type { Conversation } from './signal/mailbox.ts';

const OFFER_TIMEOUT_MS = 1000;
const GO_TIMEOUT_MS = 10_000;
/** A start further ahead than any dialer names is a lie or a broken clock. */
const START_AHEAD_MAX_MS = 4000;
/** Nor is one so long ago worth to be made up for. */
const LATE_MAX_MS = 10_000;

/** What the answering side got. */
export interface AnswerResult extends AttemptResult {
  readonly attemptId: string;
  readonly grant: Grant;
  readonly offer: OfferBody;
}

export interface AnswerOptions {
  readonly signal: AbortSignal;
  /** Whether this session is there and belongs to this peer. */
  readonly hasSession: (session: string) => boolean;
  /** A reason to refuse that has nothing to do with rights, such as a glare that this side wins. */
  readonly decline: (offer: OfferBody) => AwlError | undefined;
  readonly onBegin: (run: AttemptRun, offer: OfferBody) => void;
}

/** Follows an attempt that a peer leads. Rejects with an `AwlError`; a refusal has then been sent. */
export async function answer(
  core: EngineCore,
  conversation: Conversation,
  options: AnswerOptions,
): Promise<AnswerResult> {
  const { clock } = core;
  const { peer } = conversation;
  const offered = await conversation.next('offer', { timeoutMs: OFFER_TIMEOUT_MS, signal: options.signal });
  let grant: Grant;
  let offer: OfferBody;
  try {
    offer = decodeOffer(offered.body);
    const declined = options.decline(offer);
    if (declined) throw declined;
    grant = await authorize(core, conversation, offer);
  } catch (error) {
    const failure = toAwlError(error);
    await conversation
      .send(
        'answer',
        { outcome: 'refused', code: failure.code, reason: failure.message.slice(0, 300) },
        offered.hash,
      )
      .catch(() => {});
    throw failure;
  }
  using run = new AttemptRun(
    core,
    conversation,
    'controlled',
    await core.behaviour(),
    { transport: offer.transport },
    options.signal,
  );
  options.onBegin(run, offer);
  try {
    run.log.trace(
      'signal',
      `offer received: ${offer.strategies.length} strategies, ${offer.candidates.length} candidates`,
    );
    const side = await run.prepare(offer.behaviour);
    const pair = run.pair(offer);
    const assessed = await run.assess(pair, offer);
    const resumes = offer.session !== undefined && options.hasSession(offer.session);
    const body = {
      ...side,
      outcome: 'accepted',
      strategies: side.strategies.map((strategy) => ({
        ...strategy,
        ...(assessed.has(strategy.id) ? { assessment: { ...assessed.get(strategy.id) } } : {}),
      })),
      clock: { receivedMs: offered.receivedAt, sentMs: clock.now() },
      ...(resumes ? { session: offer.session } : {}),
    };
    const answered = await conversation.send('answer', body, offered.hash);
    const gone = await conversation.next('go', {
      previousHash: answered.hash,
      timeoutMs: GO_TIMEOUT_MS,
      signal: run.signal,
    });
    const go = decodeGo(gone.body);
    // Only who opened the answer knows its nonce: an offer that was replayed ends here, before a packet was sent.
    if (go.answerNonce !== answered.nonce)
      throw new AwlError('ERR_SIGNAL_INVALID', 'The go does not return the nonce of our answer.');
    const now = clock.now();
    const result = await run.race({
      plan: go.plan,
      pair,
      remote: offer,
      startAt: Math.min(Math.max(go.startAtMs, now), now + START_AHEAD_MAX_MS),
      lateMs: Math.min(Math.max(0, now - go.startAtMs), LATE_MAX_MS),
      material: {
        role: 'answerer',
        offererId: peer.peerId,
        answererId: core.identity.peerId,
        offerRandom: offer.random,
        answerRandom: side.random,
        offerHash: offered.hash,
        answerHash: answered.hash,
        goHash: gone.hash,
      },
    });
    return { ...result, attemptId: conversation.attemptId, grant, offer };
  } catch (error) {
    const failure = toAwlError(error);
    run.fail(failure);
    throw failure;
  }
}

/** By its right, and then by the guards of plugins, which can only deny. */
async function authorize(
  core: EngineCore,
  { peer, attemptId }: Conversation,
  offer: OfferBody,
): Promise<Grant> {
  const grant = await core.authorization.authorize({
    peerId: peer.peerId,
    selfId: core.identity.peerId,
    attemptId,
    auth: offer.auth,
  });
  const denial = await core.hooks.bail('peer.authorize', {
    peer: peer.peerId,
    by: grant.by,
    ...(offer.name === undefined ? {} : { name: offer.name }),
  });
  if (denial) throw new AwlError('ERR_AUTH_REFUSED', denial.deny);
  return grant;
}
