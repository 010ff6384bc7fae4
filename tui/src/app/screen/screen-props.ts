import type { EngineState } from '@awl/api';

/** What each screen is given. */
export interface ScreenProps {
  readonly engine: EngineState;
  /** The present, milliseconds since the Unix epoch. */
  readonly now: number;
  /** The room, cells. */
  readonly columns: number;
  readonly rows: number;
  /** False while something lies over the screen and has the keyboard. */
  readonly isActive: boolean;
  /** True while the figures are old: the node does not answer. */
  readonly isStale: boolean;
}
