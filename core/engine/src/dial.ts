import { AwlError, toAwlError } from '@awl/wire';
import { AttemptRun, type AttemptResult, type AttemptWish } from './attempt.ts';
import type { EngineCore } from './core.ts';
import { makePlan } from './punch/plan.ts';
import { verdict } from './punch/verdict.ts';
import type { PublicIdentity } from './security/identity.ts';
import { newAttemptId } from './security/seal.ts';
import { clockOffset } from './signal/clock-offset.ts';
import type { Courier } from './signal/mailbox.ts';
import { decodeAnswer, type AcceptedBody, type OfferAuth } from './signal/messages.ts';

const ANSWER_TIMEOUT_MS = 10_000;
/** Both sides begin this long after `go` should have arrived: clocks are compared through a path whose two ways may differ. */
const START_MARGIN_MS = 15;
/** No `go` names a start further ahead. */
const START_AHEAD_MAX_MS = 3000;

export interface DialRequest extends AttemptWish {
  readonly peer: PublicIdentity;
  readonly courier: Courier;
  readonly observedAddress?: string | undefined;
  /** Why the other side should take us; made once the attempt's id is known. */
  readonly auth: (attemptId: string) => OfferAuth;
  /** The session that needs a path; without it a new one is made. */
  readonly session?: string | undefined;
  readonly signal: AbortSignal;
  /** Told once the attempt exists, so that it can be cancelled and, at glare, given up. */
  readonly onBegin: (run: AttemptRun) => void;
}

export interface DialResult extends AttemptResult {
  readonly attemptId: string;
  /** The other side still has the session that was asked for. */
  readonly resumes: boolean;
  readonly peerName: string | undefined;
}

/** Leads an attempt: offer, answer, plan, go, race. Rejects with an `AwlError`: a refusal's code, or why there is no path. */
export async function dial(core: EngineCore, request: DialRequest): Promise<DialResult> {
  const attemptId = newAttemptId(core.random);
  const local = await core.behaviour();
  const conversation = core.mailbox.begin(request.peer, attemptId, request.courier, request.observedAddress);
  using run = new AttemptRun(core, conversation, 'controlling', local, request, request.signal);
  request.onBegin(run);
  try {
    return await lead(core, run, request);
  } catch (error) {
    const failure = toAwlError(error);
    run.fail(failure);
    throw failure;
  }
}

async function lead(core: EngineCore, run: AttemptRun, request: DialRequest): Promise<DialResult> {
  const { clock, identity, hooks } = core;
  const { conversation, signal } = run;
  const side = await run.prepare();
  const sentMs = clock.now();
  const offer = {
    ...side,
    auth: request.auth(conversation.attemptId),
    transport: request.transport ?? 'any',
    clock: { sentMs },
    ...(request.session ? { session: request.session } : {}),
  };
  await hooks.series('signal.willSend', {
    peer: conversation.peer.peerId,
    kind: 'offer',
    sizeBytes: JSON.stringify(offer).length,
  });
  const offered = await conversation.send('offer', offer);
  run.log.trace(
    'signal',
    `offer sent: ${side.strategies.length} strategies, ${side.candidates.length} candidates`,
  );
  const answered = await conversation.next('answer', {
    previousHash: offered.hash,
    timeoutMs: ANSWER_TIMEOUT_MS,
    signal,
  });
  const answer = decodeAnswer(answered.body);
  if (answer.outcome === 'refused') throw new AwlError(answer.code, answer.reason || undefined);

  const { offsetMs, rttMs } = clockOffset({
    sentMs,
    peerReceivedMs: answer.clock.receivedMs,
    peerSentMs: answer.clock.sentMs,
    receivedMs: answered.receivedAt,
  });
  run.log.update({ clockOffsetMs: Math.round(offsetMs * 10) / 10 });
  run.log.trace(
    'signal',
    `answer after ${Math.round(rttMs)} ms: ${answer.strategies.length} strategies, ${answer.candidates.length} candidates`,
  );
  const pair = run.pair(answer);
  const plan = await planFor(core, run, answer, pair);
  const startAt = clock.now() + Math.min(START_AHEAD_MAX_MS, rttMs / 2 + START_MARGIN_MS);
  const go = {
    answerNonce: answered.nonce,
    plan: plan.map((entry) => ({ ...entry })),
    startAtMs: Math.max(0, startAt + offsetMs),
  };
  const gone = await conversation.send('go', go, answered.hash);
  const result = await run.race({
    plan,
    pair,
    remote: answer,
    startAt,
    lateMs: 0,
    material: {
      role: 'offerer',
      offererId: identity.peerId,
      answererId: conversation.peer.peerId,
      offerRandom: side.random,
      answerRandom: answer.random,
      offerHash: offered.hash,
      answerHash: answered.hash,
      goHash: gone.hash,
    },
  });
  return {
    ...result,
    attemptId: conversation.attemptId,
    resumes: request.session !== undefined && answer.session === request.session,
    peerName: answer.name,
  };
}

async function planFor(
  core: EngineCore,
  run: AttemptRun,
  answer: AcceptedBody,
  pair: ReturnType<AttemptRun['pair']>,
) {
  const ours = await run.assess(pair, answer);
  const theirs = new Map(answer.strategies.map(({ id, assessment }) => [id, assessment]));
  const won = core.experience.winner(pair);
  const made = makePlan(
    run
      .shared(answer)
      .map((id) => ({ id, local: ours.get(id), remote: theirs.get(id), wonBefore: id === won })),
  );
  for (const { strategy, reason } of made.skipped) run.skip(strategy, reason);
  const known = new Set(made.entries.map(({ strategy }) => strategy));
  const entries = (await core.hooks.waterfall('punch.plan', made.entries)).filter(({ strategy }) =>
    known.has(strategy),
  );
  if (entries.length === 0) throw verdict(pair.local, pair.remote, 0);
  return entries;
}
