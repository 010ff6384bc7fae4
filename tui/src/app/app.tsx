import { Box, useWindowSize } from 'ink';
import { useReducer, type ReactNode } from 'react';
import { Header, Tabs } from './component/header.tsx';
import { KeyBar } from './component/key-bar.tsx';
import { NoticeLine } from './component/notice-line.tsx';
import { Styled } from './component/styled.tsx';
import { GLOBAL_KEYS, SCREEN_KEYS, type KeyHint } from './model/keys.ts';
import { Overlays } from './overlay/overlays.tsx';
import { Screen } from './screen/screen.tsx';
import { AppProvider, useUi, useView, type AppServices, type Room } from './store/context.tsx';
import type { EngineView } from './store/store.ts';
import { FIRST_UI, reduceUi, SCREENS, type Overlay, type ScreenName } from './store/ui-state.ts';
import { clean } from './text/clean.ts';
import { formatAge } from './text/format.ts';
import { useGlobalKeys } from './use-global-keys.ts';

/** Smallest terminal that has room for the screens. */
export const SMALLEST: Room = { columns: 60, rows: 16 };

const withGlobal = (screen: ScreenName): readonly KeyHint[] => [...SCREEN_KEYS[screen], ...GLOBAL_KEYS];
const HINTS: { readonly [screen: string]: readonly KeyHint[] } = Object.fromEntries(
  SCREENS.map((screen) => [screen, withGlobal(screen)]),
);

/** The whole app: one screen, what lies over it, and the lines around both. */
export function App(props: { readonly services: AppServices; readonly firstOverlay?: Overlay }): ReactNode {
  const { columns, rows } = useWindowSize();
  const ui = useReducer(reduceUi, { ...FIRST_UI, overlay: props.firstOverlay ?? FIRST_UI.overlay });
  const room = { columns, rows };
  return (
    <AppProvider services={props.services} ui={ui} room={room}>
      {columns < SMALLEST.columns || rows < SMALLEST.rows ? (
        <TooSmall room={room} quit={props.services.quit} />
      ) : (
        <Frame room={room} />
      )}
    </AppProvider>
  );
}

function TooSmall(props: { readonly room: Room; readonly quit: () => void }): ReactNode {
  const { columns, rows } = props.room;
  useGlobalKeys(true);
  return (
    <Box width={columns} height={rows} flexDirection="column" alignItems="center" justifyContent="center">
      <Styled isBold wrap="wrap">
        Too small
      </Styled>
      <Styled wrap="wrap">{`This terminal has ${columns}×${rows}; awl needs ${SMALLEST.columns}×${SMALLEST.rows}.`}</Styled>
      <Styled role="muted" wrap="wrap">
        Make it larger, or press q.
      </Styled>
    </Box>
  );
}

function Frame(props: { readonly room: Room }): ReactNode {
  const { columns, rows } = props.room;
  const [ui] = useUi();
  const view = useView();
  const isScreenActive = ui.overlay.kind === 'none';
  useGlobalKeys(isScreenActive);
  const { engine } = view;
  if (!engine) return <Loading view={view} room={props.room} />;
  const isStale = view.link !== 'live';
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Header engine={engine} isStale={isStale} />
      {isStale ? <StaleLine view={view} /> : <Tabs addresses={engine.nat.publicAddresses} />}
      <Box height={rows - 4} flexDirection="column" overflow="hidden">
        {ui.overlay.kind === 'none' || ui.overlay.kind === 'filter' ? (
          <Screen
            engine={engine}
            now={view.now}
            columns={columns}
            rows={rows - 4}
            isActive={isScreenActive}
            isStale={isStale}
          />
        ) : (
          <Overlays engine={engine} overlay={ui.overlay} rows={rows - 4} />
        )}
      </Box>
      {ui.overlay.kind === 'filter' ? (
        <Overlays engine={engine} overlay={ui.overlay} rows={1} />
      ) : (
        <NoticeLine statusItems={engine.statusItems} />
      )}
      <KeyBar hints={HINTS[ui.screen] ?? GLOBAL_KEYS} width={columns} />
    </Box>
  );
}

function StaleLine(props: { readonly view: EngineView }): ReactNode {
  const { link, updatedAt, now } = props.view;
  const text =
    link === 'closed'
      ? `The node is gone. What you see is from ${formatAge(updatedAt, now)}. q quits.`
      : 'Catching up with the node.';
  return (
    <Box paddingX={1} height={1}>
      <Styled role="warn" isBold>
        {text}
      </Styled>
    </Box>
  );
}

function Loading(props: { readonly view: EngineView; readonly room: Room }): ReactNode {
  const { view, room } = props;
  return (
    <Box
      width={room.columns}
      height={room.rows}
      flexDirection="column"
      alignItems="center"
      justifyContent="center"
    >
      {view.link === 'closed' ? (
        <>
          <Styled role="bad" isBold>
            No answer from the node
          </Styled>
          <Styled wrap="wrap">{clean(view.problem ?? 'It ended before it said anything.')}</Styled>
          <Styled role="muted">See `awl status`. q quits.</Styled>
        </>
      ) : (
        <Styled role="muted">Asking the node how things are</Styled>
      )}
    </Box>
  );
}
