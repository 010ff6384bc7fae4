import type { CommandName, Commands, EngineState } from '@awl/api';
import { SCREENS, SCREEN_TITLES, type UiAction } from '../store/ui-state.ts';
import { clean } from '../text/clean.ts';

type Request = {
  [Name in CommandName]: { readonly name: Name; readonly params: Commands[Name]['params'] };
}[CommandName];

/** One line of the command palette. */
export interface PaletteItem {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** What it does: shows something, or gives a command to the engine. */
  readonly does: { readonly ui: UiAction } | { readonly command: Request } | { readonly quit: true };
}

/** Peers that the palette offers, so that thousands do not drown the rest. */
const MOST_PEERS = 200;

function peerItems(engine: EngineState): PaletteItem[] {
  return Object.values(engine.peers)
    .slice(0, MOST_PEERS)
    .flatMap((peer): PaletteItem[] => {
      const name = clean(peer.name);
      const show: PaletteItem = {
        id: `show ${peer.id}`,
        title: `Show ${name}`,
        note: 'peer',
        does: { ui: { type: 'open-peer', peer: peer.id } },
      };
      if (peer.status === 'connected') {
        return [
          show,
          {
            id: `ping ${peer.id}`,
            title: `Ping ${name}`,
            note: 'peer',
            does: { command: { name: 'peer.ping', params: { peer: peer.id } } },
          },
          {
            id: `disconnect ${peer.id}`,
            title: `Disconnect ${name}`,
            note: 'peer',
            does: { command: { name: 'peer.disconnect', params: { peer: peer.id } } },
          },
        ];
      }
      return [
        show,
        {
          id: `connect ${peer.id}`,
          title: `Connect to ${name}`,
          note: 'peer',
          does: { ui: { type: 'overlay', overlay: { kind: 'connect', peer: peer.id } } },
        },
        {
          id: `forget ${peer.id}`,
          title: `Forget ${name}`,
          note: 'peer',
          does: { command: { name: 'peer.forget', params: { peer: peer.id } } },
        },
      ];
    });
}

function pluginItems(engine: EngineState): PaletteItem[] {
  return Object.values(engine.plugins).flatMap((plugin): PaletteItem[] => {
    const name = clean(plugin.displayName);
    const isOn = plugin.status !== 'disabled' && plugin.status !== 'quarantined';
    const turn: PaletteItem = isOn
      ? {
          id: `off ${plugin.id}`,
          title: `Turn off ${name}`,
          note: 'plugin',
          does: { command: { name: 'plugin.disable', params: { plugin: plugin.id } } },
        }
      : {
          id: `on ${plugin.id}`,
          title: `Turn on ${name}`,
          note: 'plugin',
          does: { command: { name: 'plugin.enable', params: { plugin: plugin.id } } },
        };
    const settings: PaletteItem = {
      id: `settings ${plugin.id}`,
      title: `Settings of ${name}`,
      note: 'plugin',
      does: { ui: { type: 'overlay', overlay: { kind: 'settings', plugin: plugin.id } } },
    };
    return plugin.settings.schema === undefined ? [turn] : [turn, settings];
  });
}

/** Everything that can be done now, plugins' own commands included. */
export function paletteItems(engine: EngineState): readonly PaletteItem[] {
  return [
    ...SCREENS.map((screen, index): PaletteItem => ({
      id: screen,
      title: `Go to ${SCREEN_TITLES[screen]}`,
      note: String(index + 1),
      does: { ui: { type: 'screen', screen } },
    })),
    {
      id: 'connect',
      title: 'Connect to a peer or ticket',
      note: 'c',
      does: { ui: { type: 'overlay', overlay: { kind: 'connect' } } },
    },
    {
      id: 'forward',
      title: 'Add a forward',
      note: 'forwards',
      does: { ui: { type: 'overlay', overlay: { kind: 'forward' } } },
    },
    {
      id: 'share',
      title: 'Share a service',
      note: 'forwards',
      does: { ui: { type: 'overlay', overlay: { kind: 'share' } } },
    },
    {
      id: 'measure',
      title: 'Measure this network again',
      note: 'NAT',
      does: { command: { name: 'nat.measure', params: { full: true } } },
    },
    {
      id: 'setup',
      title: 'Set the rendezvous and the name',
      note: 'setup',
      does: { ui: { type: 'overlay', overlay: { kind: 'welcome' } } },
    },
    ...Object.values(engine.commands).map((command): PaletteItem => ({
      id: `command ${command.id}`,
      title: clean(command.title),
      note: `plugin ${clean(command.plugin)}`,
      does: { command: { name: 'command.run', params: { command: command.id } } },
    })),
    ...pluginItems(engine),
    ...peerItems(engine),
    { id: 'level', title: 'Change the level of the log', note: 'log', does: { ui: { type: 'log-level' } } },
    {
      id: 'help',
      title: 'Help for this screen',
      note: '?',
      does: { ui: { type: 'overlay', overlay: { kind: 'help' } } },
    },
    { id: 'quit', title: 'Quit', note: 'q', does: { quit: true } },
  ];
}
