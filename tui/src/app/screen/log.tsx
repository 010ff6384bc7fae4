import type { LogLine } from '@awl/api';
import { Box } from 'ink';
import { useMemo, type ReactNode } from 'react';
import { LogLines } from '../component/log-lines.tsx';
import { Styled } from '../component/styled.tsx';
import { useKeys } from '../component/use-keys.ts';
import { useList } from '../component/use-list.ts';
import { useUi } from '../store/context.tsx';
import { LOG_LEVELS } from '../store/ui-state.ts';
import { clean } from '../text/clean.ts';
import type { ScreenProps } from './screen-props.ts';

/** Lines of at least this level that contain the search text. */
export function filterLog(
  lines: readonly LogLine[],
  level: LogLine['level'],
  search: string,
): readonly LogLine[] {
  const least = LOG_LEVELS.indexOf(level);
  const wanted = search.trim().toLowerCase();
  return lines.filter(
    (line) =>
      LOG_LEVELS.indexOf(line.level) >= least &&
      (wanted === '' || `${line.source} ${line.text}`.toLowerCase().includes(wanted)),
  );
}

/** The log: newest at the bottom, following until the user scrolls up. */
export function LogScreen(props: ScreenProps): ReactNode {
  const { engine, rows, isActive } = props;
  const [ui, dispatch] = useUi();
  const search = ui.filters.log ?? '';
  const items = useMemo(
    () => filterLog(engine.log, ui.logLevel, search).map((line) => ({ id: String(line.id), line })),
    [engine.log, ui.logLevel, search],
  );
  const list = useList('log', items, rows - 1, isActive, true);
  useKeys((input) => {
    if (input === 'v') dispatch({ type: 'log-level' });
  }, isActive);
  const isFollowing = ui.cursors['log'] === undefined || ui.cursors['log'] === '';
  return (
    <Box flexDirection="column" height={rows}>
      <Box paddingX={1} height={1}>
        <Styled role="muted">{`level ${ui.logLevel} and above · ${items.length} of ${engine.log.length} lines${search === '' ? '' : ` · containing "${clean(search)}"`} · ${isFollowing ? 'following' : 'G follows again'}`}</Styled>
      </Box>
      {items.length === 0 ? (
        <Box paddingX={1}>
          <Styled role="muted">
            {engine.log.length === 0
              ? 'Nothing has happened yet.'
              : 'No line matches. v lowers the level, esc clears the search.'}
          </Styled>
        </Box>
      ) : (
        <LogLines
          lines={list.visible.map(({ line }) => line)}
          hasLevel
          {...(isFollowing ? {} : { selected: list.selected?.line.id })}
        />
      )}
    </Box>
  );
}
