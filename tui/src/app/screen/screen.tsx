import type { ReactNode } from 'react';
import { useUi } from '../store/context.tsx';
import { ForwardsScreen } from './forwards.tsx';
import { LogScreen } from './log.tsx';
import { NatLab } from './nat-lab.tsx';
import { Overview } from './overview.tsx';
import { PeerScreen } from './peer.tsx';
import { PluginsScreen } from './plugins.tsx';
import type { ScreenProps } from './screen-props.ts';

const COMPONENTS = {
  overview: Overview,
  peer: PeerScreen,
  forwards: ForwardsScreen,
  plugins: PluginsScreen,
  nat: NatLab,
  log: LogScreen,
};

/** The screen that the user chose. */
export function Screen(props: ScreenProps): ReactNode {
  const [ui] = useUi();
  const Chosen = COMPONENTS[ui.screen];
  return <Chosen {...props} />;
}
