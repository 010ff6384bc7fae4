import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Styled } from './styled.tsx';

/** A heading and what belongs under it. */
export function Section(props: {
  readonly title: string;
  readonly note?: string;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Box>
        <Styled isBold>{props.title}</Styled>
        {props.note !== undefined && <Styled role="muted">{`  ${props.note}`}</Styled>}
      </Box>
      {props.children}
    </Box>
  );
}
