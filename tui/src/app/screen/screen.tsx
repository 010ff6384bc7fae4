import type { EngineState } from '@awl/api';
import type { ReactNode } from 'react';
import { useUi } from '../store/context.tsx';
import { Overview } from './overview.tsx';

/** What each screen is given. */
export interface ScreenProps {
  readonly engine: EngineState;
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  /** False while something lies over the screen and has the keyboard. */
  readonly isActive: boolean;
  readonly isStale: boolean;
}

/** The screen that the user chose. */
export function Screen(props: ScreenProps): ReactNode {
  const [ui] = useUi();
  switch (ui.screen) {
    default:
      return <Overview {...props} />;
  }
}
