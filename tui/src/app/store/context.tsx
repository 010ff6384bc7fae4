import type { EngineState } from '@awl/api';
import { createContext, use, useSyncExternalStore, type Dispatch, type ReactNode } from 'react';
import type { Theme } from '../theme.ts';
import type { Commander, Notice } from './commander.ts';
import type { EngineStore, EngineView } from './store.ts';
import type { UiAction, UiState } from './ui-state.ts';

/** What every component can reach. */
export interface AppServices {
  readonly store: EngineStore;
  readonly commander: Commander;
  readonly theme: Theme;
  /** Leaves the app. */
  readonly quit: () => void;
}

const Services = createContext<AppServices | undefined>(undefined);
const Ui = createContext<readonly [UiState, Dispatch<UiAction>] | undefined>(undefined);
/** The room that a screen has, cells. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}
const RoomContext = createContext<Room>({ columns: 80, rows: 24 });

/** Gives services, what the user looks at and the room to the components inside. */
export function AppProvider(props: {
  readonly services: AppServices;
  readonly ui: readonly [UiState, Dispatch<UiAction>];
  readonly room: Room;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Services value={props.services}>
      <Ui value={props.ui}>
        <RoomContext value={props.room}>{props.children}</RoomContext>
      </Ui>
    </Services>
  );
}

/** The services of the app. */
export function useServices(): AppServices {
  const services = use(Services);
  if (!services) throw new Error('useServices outside of AppProvider');
  return services;
}

/** The theme. */
export function useTheme(): Theme {
  return useServices().theme;
}

/** What the user looks at, and how to change it. */
export function useUi(): readonly [UiState, Dispatch<UiAction>] {
  const ui = use(Ui);
  if (!ui) throw new Error('useUi outside of AppProvider');
  return ui;
}

/** The room of the whole app, cells. */
export function useRoom(): Room {
  return use(RoomContext);
}

/** The newest view of the engine. */
export function useView(): EngineView {
  const { store } = useServices();
  return useSyncExternalStore(store.subscribe, store.view);
}

/** One part of the engine's state; the component renders again only when that part changed. */
export function useEngine<T>(select: (engine: EngineState) => T): T | undefined {
  const { store } = useServices();
  const pick = (): T | undefined => {
    const { engine } = store.view();
    return engine && select(engine);
  };
  return useSyncExternalStore(store.subscribe, pick);
}

/** The line about the last command. */
export function useNotice(): Notice | undefined {
  const { commander } = useServices();
  return useSyncExternalStore(commander.subscribe, commander.notice);
}
