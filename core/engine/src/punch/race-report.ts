import type { Pair, PunchOutcome } from '@awl/api';
import type { EngineEventBus } from '../events.ts';
import type { HookBus } from '../hook/hook-bus.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { Lane } from './lane.ts';
import type { RaceParts } from './race.ts';

export interface RaceReportParts {
  readonly log: AttemptLog;
  readonly events: EngineEventBus;
  readonly hooks: HookBus;
  readonly pair: Pair;
}

/** Tells hooks, events and the decision trace what the race does, and lets hooks have their say. */
export function raceReport({
  log,
  events,
  hooks,
  pair,
}: RaceReportParts): Pick<RaceParts, 'willAttempt' | 'onRow' | 'rank'> {
  const { id: attempt, peer } = log.state;
  return {
    willAttempt: async ({ id: strategy, row: { assessment } }) => {
      events.emit('attempt.started', { attempt, peer, strategy });
      await hooks.series('punch.willAttempt', {
        peer,
        strategy,
        pair,
        ...(assessment ? { assessment } : {}),
      });
    },
    onRow: (lane, outcome) => {
      log.row(lane.row);
      if (outcome) ended(lane, outcome);
    },
    /** The first found stands first; a plugin may think otherwise. */
    rank: async (found) => {
      const ranked = await hooks.waterfall(
        'path.rank',
        found.map((path, rank) => ({ ...path, rank })),
      );
      const [best] = ranked.toSorted((a, b) => a.rank - b.rank);
      return Math.max(
        0,
        found.findIndex(({ strategy }) => strategy === best?.strategy),
      );
    },
  };

  function ended({ id: strategy, row }: Lane, { outcome }: PunchOutcome): void {
    const { probesSent: probes, tookMs: ms = 0, status, code, reason } = row;
    const why = reason === undefined ? '' : ` – ${reason}`;
    log.trace('punch', `${strategy}: ${outcome} after ${Math.round(ms)} ms, ${probes} probes${why}`);
    const said = { ...(code === undefined ? {} : { code }), ...(reason === undefined ? {} : { reason }) };
    events.emit('attempt.ended', { attempt, peer, strategy, outcome: status, ms, probes, ...said });
    hooks.emit('punch.didAttempt', { peer, strategy, outcome, ms, probes });
  }
}
