import type { EngineState, PluginState, PluginStatus } from '@awl/api';
import { Box } from 'ink';
import { useMemo, type ReactNode } from 'react';
import { Divider } from '../component/divider.tsx';
import { Section } from '../component/section.tsx';
import { Styled } from '../component/styled.tsx';
import { MARKER_WIDTH, Table, type TableRow } from '../component/table.tsx';
import { useKeys } from '../component/use-keys.ts';
import { useList } from '../component/use-list.ts';
import { placeColumns, shrinkColumns, type Column } from '../model/columns.ts';
import { settingFields } from '../model/settings.ts';
import { useServices, useUi } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import { formatDuration, NONE } from '../text/format.ts';
import type { TextRole } from '../theme.ts';
import { PluginView } from './plugin-view.tsx';
import type { ScreenProps } from './screen-props.ts';

const COLUMNS: readonly Column[] = [
  { key: 'on', title: '', min: 3, priority: 0 },
  { key: 'name', title: 'Plugin', min: 24, max: 30, priority: 0 },
  { key: 'state', title: 'State', min: 12, priority: 0 },
  { key: 'version', title: 'Version', min: 8, priority: 3 },
  { key: 'origin', title: 'From', min: 8, priority: 5 },
  { key: 'may', title: 'May use', min: 12, max: 30, priority: 4 },
  { key: 'took', title: 'Started in', min: 10, priority: 6, align: 'right' },
  { key: 'failures', title: 'Failures', min: 8, priority: 2, align: 'right' },
  { key: 'description', title: '', min: 20, max: 80, priority: 7 },
];
const ROLES: { readonly [S in PluginStatus]: TextRole } = {
  disabled: 'muted',
  inactive: 'normal',
  activating: 'accent',
  active: 'ok',
  unresponsive: 'warn',
  failed: 'bad',
  quarantined: 'bad',
};
const WORDS: { readonly [S in PluginStatus]: string } = {
  disabled: 'off',
  inactive: 'ready',
  activating: 'starting',
  active: 'active',
  unresponsive: 'unresponsive',
  failed: 'failed',
  quarantined: 'quarantined',
};

/** True where space turns a plugin on. */
export function isOff(plugin: PluginState): boolean {
  return plugin.status === 'disabled' || plugin.status === 'quarantined' || plugin.status === 'failed';
}

function pluginRow(plugin: PluginState): TableRow {
  return {
    id: plugin.id,
    cells: {
      on: isOff(plugin) ? '[ ]' : '[✓]',
      name: clean(plugin.displayName),
      state: WORDS[plugin.status],
      version: clean(plugin.version),
      origin: plugin.builtIn ? 'awl' : 'others',
      may: plugin.capabilities.join(' '),
      took: plugin.activationMs === undefined ? NONE : formatDuration(plugin.activationMs),
      failures: String(plugin.failures),
      description: clean(plugin.description),
    },
    roles: {
      on: isOff(plugin) ? 'muted' : 'ok',
      state: ROLES[plugin.status],
      failures: plugin.failures > 0 ? 'bad' : 'muted',
      description: 'muted',
      may: 'muted',
      origin: plugin.builtIn ? 'muted' : 'normal',
    },
  };
}

function Details(props: {
  readonly plugin: PluginState;
  readonly engine: EngineState;
  readonly width: number;
  readonly rows: number;
}): ReactNode {
  const { plugin, engine } = props;
  const settings = settingFields(plugin.settings);
  const views = Object.values(engine.views).filter((view) => view.plugin === plugin.id);
  const limit = Math.max(1, Math.floor((props.rows - 5) / Math.max(1, views.length)) - 2);
  return (
    <Box flexDirection="column" paddingX={1} overflow="hidden" height={props.rows}>
      <Section title={clean(plugin.displayName)} note={clean(plugin.description)}>
        {plugin.reason !== undefined && (
          <Styled role="bad">{`${clean(plugin.reason)}${plugin.code === undefined ? '' : ` (${clean(plugin.code)})`}`}</Styled>
        )}
        <Styled role="muted">{`Adds ${plugin.contributes.map(clean).join(', ') || 'nothing'}`}</Styled>
        {settings.length > 0 && (
          <Styled>{`Settings: ${settings.map((field) => `${clean(field.label)} ${clean(field.initial) || '(empty)'}`).join(' · ')}  `}</Styled>
        )}
      </Section>
      {views.map((view) => (
        <Box key={view.id} marginTop={1} flexShrink={0}>
          <PluginView view={view} width={props.width - 2} limit={limit} />
        </Box>
      ))}
    </Box>
  );
}

/** All plugins: on and off by space, settings by enter, and what the chosen one shows of itself. */
export function PluginsScreen(props: ScreenProps): ReactNode {
  const { engine, columns, rows, isActive, isStale } = props;
  const [ui, dispatch] = useUi();
  const { commander } = useServices();
  const filter = (ui.filters.plugins ?? '').toLowerCase();
  const plugins = useMemo(
    () =>
      Object.values(engine.plugins).filter((plugin) =>
        `${plugin.id} ${plugin.displayName} ${plugin.status}`.toLowerCase().includes(filter),
      ),
    [engine.plugins, filter],
  );
  const listRows = Math.max(3, Math.min(plugins.length, Math.floor(rows * 0.6) - 2));
  const list = useList('plugins', plugins, listRows, isActive);
  const plugin = list.selected;

  useKeys((input, key) => {
    if (!plugin) return;
    const name = clean(plugin.displayName);
    if (input === ' ') {
      if (isOff(plugin))
        void commander.run({
          name: 'plugin.enable',
          params: { plugin: plugin.id },
          doing: `Turning on ${name}`,
          done: `${name} is on`,
        });
      else
        void commander.run({
          name: 'plugin.disable',
          params: { plugin: plugin.id },
          doing: `Turning off ${name}`,
          done: `${name} is off`,
        });
    }
    if (input === 'D')
      void commander.run({
        name: 'plugin.disable',
        params: { plugin: plugin.id, force: true },
        doing: `Turning off ${name} by force`,
        done: `${name} is off`,
      });
    if (input === 'r')
      void commander.run({
        name: 'plugin.reload',
        params: { plugin: plugin.id },
        doing: `Reloading ${name}`,
        done: `${name} was reloaded`,
      });
    if (key.return) {
      if (settingFields(plugin.settings).length > 0)
        dispatch({ type: 'overlay', overlay: { kind: 'settings', plugin: plugin.id } });
      else commander.say({ kind: 'ok', text: `${name} has no settings` });
    }
  }, isActive);

  if (!plugin) {
    return (
      <Box paddingX={1}>
        <Styled role="muted">
          {filter === '' ? 'No plugins.' : `No plugin matches "${clean(filter)}". Esc clears the filter.`}
        </Styled>
      </Box>
    );
  }
  const tableRows = list.visible.map(pluginRow);
  return (
    <Box flexDirection="column" height={rows}>
      <Box flexDirection="column" paddingX={1} flexShrink={0}>
        <Table
          columns={placeColumns(shrinkColumns(COLUMNS, tableRows), columns - 2 - MARKER_WIDTH)}
          rows={tableRows}
          selected={plugin.id}
          isStale={isStale}
        />
      </Box>
      <Divider width={columns} text={list.total > listRows ? `${list.index + 1} of ${list.total}` : ''} />
      <Details plugin={plugin} engine={engine} width={columns} rows={rows - listRows - 2} />
    </Box>
  );
}
