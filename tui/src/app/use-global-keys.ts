import { useApp, usePaste } from 'ink';
import { useKeys, useTypeAhead } from './component/use-keys.ts';
import { useServices, useUi } from './store/context.tsx';
import { SCREENS, type ScreenName, type UiAction } from './store/ui-state.ts';
import { suspendProcess } from './suspend.ts';

const LETTERS: { readonly [key: string]: ScreenName } = { f: 'forwards', p: 'plugins', m: 'nat', l: 'log' };

/** Keys that work on every screen while nothing lies over it; Ctrl-C and Ctrl-Z always. */
export function useGlobalKeys(isScreenActive: boolean): void {
  const [ui, dispatch] = useUi();
  const { commander, quit } = useServices();
  const show = (action: UiAction): void => {
    // What was said belongs to the screen it was said on.
    if (commander.notice()?.kind === 'ok') commander.say(undefined);
    dispatch(action);
  };
  const { suspendTerminal } = useApp();
  useTypeAhead(isScreenActive);
  // Pasted text is no keys. A ticket is meant for connecting; anything else is a mistake.
  usePaste(
    (text) => {
      const ticket = text.trim();
      if (/^awl1\S+$/i.test(ticket)) dispatch({ type: 'overlay', overlay: { kind: 'connect', ticket } });
    },
    { isActive: isScreenActive },
  );
  useKeys((input, key) => {
    if (key.ctrl && input === 'c') quit();
    else if (key.ctrl && input === 'z') void suspendTerminal(suspendProcess);
  });
  useKeys((input, key) => {
    if (key.ctrl || key.meta) return;
    if (key.escape && commander.isBusy) return commander.cancel();
    if (key.escape && commander.notice()) commander.say(undefined);
    if (key.escape && ui.filters[ui.screen]) return dispatch({ type: 'filter', text: '' });
    if (key.tab) return show({ type: 'next-screen', step: key.shift ? -1 : 1 });
    if (input === 'q')
      return ui.screen === 'peer' ? dispatch({ type: 'screen', screen: 'overview' }) : quit();
    if (input === '?') return dispatch({ type: 'overlay', overlay: { kind: 'help' } });
    if (input === ':') return dispatch({ type: 'overlay', overlay: { kind: 'palette' } });
    if (input === '/') return dispatch({ type: 'overlay', overlay: { kind: 'filter' } });
    // The screens that show peers know whom it is about.
    if (input === 'c' && ui.screen !== 'overview' && ui.screen !== 'peer')
      return dispatch({ type: 'overlay', overlay: { kind: 'connect' } });
    const screen = SCREENS[Number(input) - 1] ?? LETTERS[input];
    if (screen) show({ type: 'screen', screen });
  }, isScreenActive);
}
