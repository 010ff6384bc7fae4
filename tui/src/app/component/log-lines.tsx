import type { LogLine } from '@awl/api';
import { Box } from 'ink';
import { memo, type ReactNode } from 'react';
import { clean } from '../text/clean.ts';
import { formatTime } from '../text/format.ts';
import { fit } from '../text/width.ts';
import type { TextRole } from '../theme.ts';
import { Styled } from './styled.tsx';

const LEVEL_ROLES: { readonly [L in LogLine['level']]: TextRole } = {
  debug: 'muted',
  info: 'normal',
  warn: 'warn',
  error: 'bad',
};

/** Lines of the log, one line each. */
export const LogLines = memo(function LogLines(props: {
  readonly lines: readonly LogLine[];
  readonly hasLevel?: boolean;
  readonly selected?: number | undefined;
}): ReactNode {
  return (
    <Box flexDirection="column">
      {props.lines.map((line) => (
        <Box key={line.id} paddingX={1} height={1}>
          {props.selected !== undefined && (
            <Styled role="accent">{line.id === props.selected ? '▸ ' : '  '}</Styled>
          )}
          <Box flexShrink={0}>
            <Styled role="muted">{`${formatTime(line.at)} `}</Styled>
            {(props.hasLevel === true || line.level === 'warn' || line.level === 'error') && (
              <Styled role={LEVEL_ROLES[line.level]}>{fit(line.level, 6)}</Styled>
            )}
            <Styled role="accent">{`${fit(clean(line.source), 12)} `}</Styled>
          </Box>
          <Styled role={LEVEL_ROLES[line.level]}>{clean(line.text)}</Styled>
        </Box>
      ))}
    </Box>
  );
});
