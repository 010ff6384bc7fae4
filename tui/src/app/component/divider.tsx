import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Styled } from './styled.tsx';

/** A thin line across the screen, with a word at its right. */
export function Divider(props: { readonly width: number; readonly text?: string }): ReactNode {
  const text = props.text === undefined || props.text === '' ? '' : ` ${props.text} `;
  return (
    <Box paddingX={1} height={1}>
      <Styled role="muted" label={props.text ?? ''}>
        {'─'.repeat(Math.max(0, props.width - 2 - text.length))}
        {text}
      </Styled>
    </Box>
  );
}
