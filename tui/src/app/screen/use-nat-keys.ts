import { useKeys } from '../component/use-keys.ts';
import { LONG_SEARCH_SETTING } from '../model/reach-summary.ts';
import { useServices } from '../store/context.tsx';

/** The keys that the hints about reach speak of: u turns on port mapping, o allows the long search. */
export function useNatKeys(isActive: boolean): void {
  const { commander, store } = useServices();
  useKeys((input) => {
    const { engine } = store.view();
    if (input === 'u' && engine?.plugins['upnp']?.status === 'disabled') {
      void commander.run({
        name: 'plugin.enable',
        params: { plugin: 'upnp' },
        doing: 'Turning on upnp',
        done: 'upnp is on',
      });
    }
    if (input === 'o') {
      void commander.run({
        name: 'config.set',
        params: { key: LONG_SEARCH_SETTING, value: true },
        doing: 'Allowing the long search',
        done: 'The long search is allowed',
      });
    }
  }, isActive);
}
