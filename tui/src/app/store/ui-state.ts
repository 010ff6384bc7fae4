import type { LogLine } from '@awl/api';

/** The screens, in the order of their number keys. */
export const SCREENS = ['overview', 'peer', 'forwards', 'plugins', 'nat', 'log'] as const;
/** One of {@link SCREENS}. */
export type ScreenName = (typeof SCREENS)[number];

/** The titles of the screens. */
export const SCREEN_TITLES: { readonly [Name in ScreenName]: string } = {
  overview: 'Overview',
  peer: 'Peer',
  forwards: 'Forwards',
  plugins: 'Plugins',
  nat: 'NAT lab',
  log: 'Log',
};

/** What lies over the screen and has the keyboard. */
export type Overlay =
  | { readonly kind: 'none' }
  | { readonly kind: 'help' }
  | { readonly kind: 'palette' }
  | { readonly kind: 'filter' }
  | { readonly kind: 'welcome' }
  | { readonly kind: 'connect'; readonly peer?: string; readonly ticket?: string }
  | { readonly kind: 'forward'; readonly id?: string; readonly peer?: string }
  | { readonly kind: 'share' }
  | {
      readonly kind: 'remove';
      readonly id: string;
      readonly what: 'forward' | 'share';
      readonly label: string;
    }
  | { readonly kind: 'settings'; readonly plugin: string };

/** Log levels from the one that shows all to the one that shows least. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLine['level'][];

/** What the user has chosen to look at. Immutable. */
export interface UiState {
  readonly screen: ScreenName;
  readonly overlay: Overlay;
  /** The peer that the Peer screen shows. */
  readonly peer?: string;
  /** The selected row's id, by list. */
  readonly cursors: { readonly [list: string]: string };
  readonly filters: { readonly [Name in ScreenName]?: string };
  readonly logLevel: LogLine['level'];
  /** Seconds of throughput on the Peer screen. */
  readonly rangeS: 60 | 600;
}

/** What changes {@link UiState}. */
export type UiAction =
  | { readonly type: 'screen'; readonly screen: ScreenName }
  | { readonly type: 'next-screen'; readonly step: 1 | -1 }
  | { readonly type: 'open-peer'; readonly peer: string }
  | { readonly type: 'overlay'; readonly overlay: Overlay }
  | { readonly type: 'cursor'; readonly list: string; readonly id: string }
  | { readonly type: 'filter'; readonly text: string }
  | { readonly type: 'log-level' }
  | { readonly type: 'range' };

/** The first look at the app. */
export const FIRST_UI: UiState = {
  screen: 'overview',
  overlay: { kind: 'none' },
  cursors: {},
  filters: {},
  logLevel: 'info',
  rangeS: 60,
};

/** The one reducer of what the user looks at. */
export function reduceUi(state: UiState, action: UiAction): UiState {
  switch (action.type) {
    case 'screen':
      return { ...state, screen: action.screen, overlay: { kind: 'none' } };
    case 'next-screen': {
      const index = (SCREENS.indexOf(state.screen) + action.step + SCREENS.length) % SCREENS.length;
      return { ...state, screen: SCREENS[index] ?? 'overview' };
    }
    case 'open-peer':
      return {
        ...state,
        screen: 'peer',
        peer: action.peer,
        cursors: { ...state.cursors, peers: action.peer },
        overlay: { kind: 'none' },
      };
    case 'overlay':
      return { ...state, overlay: action.overlay };
    case 'cursor':
      return { ...state, cursors: { ...state.cursors, [action.list]: action.id } };
    case 'filter':
      return { ...state, filters: { ...state.filters, [state.screen]: action.text } };
    case 'log-level': {
      const index = (LOG_LEVELS.indexOf(state.logLevel) + 1) % LOG_LEVELS.length;
      return { ...state, logLevel: LOG_LEVELS[index] ?? 'info' };
    }
    case 'range':
      return { ...state, rangeS: state.rangeS === 60 ? 600 : 60 };
    default:
      return state;
  }
}
