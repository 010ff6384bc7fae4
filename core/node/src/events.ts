import type { EngineEventName, EngineEvents } from '@awl/engine';

/** What a node reports as it happens. One of these is one NDJSON line of a command's `--json`. */
export type NodeEvent = {
  [Name in EngineEventName]: { readonly event: Name; readonly time: number } & EngineEvents[Name];
}[EngineEventName];

/** Every event's name; a Record, so that a new one cannot be forgotten. */
const NAMES: Readonly<Record<EngineEventName, true>> = {
  'nat.behaviour': true,
  'attempt.started': true,
  'attempt.ended': true,
  'signal.agreed': true,
  'path.selected': true,
  'path.lost': true,
  'session.opened': true,
  'session.closed': true,
  'forward.listening': true,
  'forward.failed': true,
  'share.ready': true,
};
export const EVENT_NAMES = Object.keys(NAMES) as readonly EngineEventName[];

/** Wall-clock milliseconds since the Unix epoch, with a fraction, and steady within a process. */
export function eventTime(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000;
}
