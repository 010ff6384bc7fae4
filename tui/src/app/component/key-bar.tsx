import { Box } from 'ink';
import { memo, type ReactNode } from 'react';
import { fitHints, type KeyHint } from '../model/keys.ts';
import { Styled } from './styled.tsx';

/** The keys that matter now, in one line. */
export const KeyBar = memo(function KeyBar(props: {
  readonly hints: readonly KeyHint[];
  readonly width: number;
}): ReactNode {
  return (
    <Box paddingLeft={1}>
      {fitHints(props.hints, props.width - 1).map(({ key, text }) => (
        <Box key={key + text} marginRight={2}>
          <Styled role="accent">{key}</Styled>
          <Styled role="muted">{` ${text}`}</Styled>
        </Box>
      ))}
    </Box>
  );
});
