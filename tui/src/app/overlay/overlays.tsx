import type { EngineState } from '@awl/api';
import type { ReactNode } from 'react';
import type { Overlay } from '../store/ui-state.ts';
import { ConnectForm } from './connect.tsx';
import { FilterLine } from './filter-line.tsx';
import { ForwardForm, RemoveConfirm, ShareForm } from './forward.tsx';
import { Help } from './help.tsx';
import { Palette } from './palette.tsx';
import { SettingsForm } from './settings.tsx';
import { Welcome } from './welcome.tsx';

/** What lies over the screen; it has the keyboard until it is closed. */
export function Overlays(props: {
  readonly engine: EngineState;
  readonly overlay: Overlay;
  readonly rows: number;
}): ReactNode {
  const { engine, overlay, rows } = props;
  switch (overlay.kind) {
    case 'help':
      return <Help />;
    case 'palette':
      return <Palette engine={engine} rows={rows} />;
    case 'filter':
      return <FilterLine />;
    case 'welcome':
      return <Welcome engine={engine} />;
    case 'connect':
      return <ConnectForm engine={engine} peer={overlay.peer} ticket={overlay.ticket} />;
    case 'forward':
      return (
        <ForwardForm
          engine={engine}
          {...(overlay.id === undefined ? {} : { id: overlay.id })}
          {...(overlay.peer === undefined ? {} : { peer: overlay.peer })}
        />
      );
    case 'share':
      return <ShareForm />;
    case 'remove':
      return <RemoveConfirm what={overlay.what} id={overlay.id} label={overlay.label} />;
    case 'settings':
      return <SettingsForm engine={engine} plugin={overlay.plugin} />;
    default:
      return null;
  }
}
