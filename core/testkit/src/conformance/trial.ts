import { toAwlError, type AwlError } from '@awl/wire';
import type { JsonValue, PunchStrategy, RaceState, Transport } from '@awl/api';
import type { KindName } from '../network/kinds.ts';
import { setUp, type Simulation } from '../simulate.ts';
import { newObservation, observed, type Interference, type Observation } from './observe.ts';

/** Longer than any deadline of a plan. */
const GIVE_UP_MS = 60_000;

export interface TrialOptions {
  readonly strategy: PunchStrategy;
  readonly transports: readonly Transport[];
  readonly settings: { readonly [key: string]: JsonValue };
  readonly local: KindName;
  readonly remote: KindName;
  readonly seed: number;
  readonly loss?: number;
  readonly skewMs?: number;
  /** What the strategy meets on both sides. */
  readonly interference?: Interference;
  /** Nothing arrives any more once both sides have agreed. */
  readonly cut?: boolean;
  /** The user gives up this long after the start. */
  readonly cancelAfterMs?: number;
  /** Runs on this long after the end, so that what is left over shows. */
  readonly lingerMs?: number;
}

/** One run of one strategy alone, on both sides, under watch. */
export interface Trial {
  readonly connected: boolean;
  readonly failure: AwlError | undefined;
  readonly local: Observation;
  readonly remote: Observation;
  /** The strategy's row on the local side. */
  readonly row: RaceState | undefined;
}

export async function runTrial(options: TrialOptions): Promise<Trial> {
  const {
    strategy,
    transports,
    settings,
    interference,
    cut = false,
    cancelAfterMs,
    lingerMs = 0,
    local,
    remote,
    seed,
    loss = 0,
    skewMs = 0,
  } = options;
  const seen = { local: newObservation(), remote: newObservation() };
  const simulation = await setUp({
    local,
    remote,
    seed,
    loss,
    skewMs,
    settings,
    transports,
    strategies: [observed(strategy, seen.local, interference)],
    peer: { strategies: [observed(strategy, seen.remote, interference)], transports },
  });
  const { network, local: caller, remote: callee } = simulation;
  const { clock } = network;
  if (cut) cutAtAgreement(simulation);
  if (cancelAfterMs !== undefined) {
    caller.engine.on(
      'attempt.started',
      ({ attempt }) => void clock.schedule(cancelAfterMs, () => caller.engine.cancelAttempt(attempt)),
    );
  }
  let failure: AwlError | undefined;
  let selected = 0;
  for (const { engine } of [caller, callee]) {
    engine.on('path.selected', () => void selected++);
  }
  caller.engine.connect({ peer: callee.peerId }).catch((error: unknown) => {
    failure ??= toAwlError(error);
  });
  await clock.run({
    until: () => failure !== undefined || selected === 2,
    untilMs: clock.now() + GIVE_UP_MS,
  });
  await clock.run({ untilMs: clock.now() + lingerMs });
  const row = Object.values(caller.engine.state.state.attempts)
    .at(-1)
    ?.race.find((each) => each.strategy === strategy.id);
  const connected = selected === 2;
  await clock.complete(Promise.all([caller.engine.close(), callee.engine.close()]));
  return { connected, failure: connected ? undefined : failure, ...seen, row };
}

function cutAtAgreement({ local, remote }: Simulation): void {
  for (const { engine, host } of [local, remote]) {
    // `go` is still on its way when the first side has agreed: each side is cut by itself.
    engine.on('signal.agreed', () => host.setLink({ lossRatio: 1 }));
  }
}
