import { Box } from 'ink';
import type { ReactNode } from 'react';
import { cut, widthOf } from '../text/width.ts';
import { useTheme } from '../store/context.tsx';
import { Styled } from './styled.tsx';

/** A frame of `width` cells with its title in the upper edge; `height` counts the frame. */
export function Panel(props: {
  readonly title: string;
  readonly width: number;
  readonly height?: number;
  readonly children: ReactNode;
  readonly isAccented?: boolean;
}): ReactNode {
  const theme = useTheme();
  const frame = props.isAccented ? theme.accent : theme.muted;
  const title = cut(props.title, props.width - 6);
  const rest = '─'.repeat(Math.max(0, props.width - 4 - widthOf(title)));
  return (
    <Box
      flexDirection="column"
      width={props.width}
      {...(props.height === undefined ? {} : { height: props.height })}
    >
      <Box>
        <Styled role={props.isAccented ? 'accent' : 'muted'} isHidden>
          {'╭ '}
        </Styled>
        <Styled isBold>{title}</Styled>
        <Styled role={props.isAccented ? 'accent' : 'muted'} isHidden>{` ${rest}╮`}</Styled>
      </Box>
      <Box
        flexDirection="column"
        flexGrow={1}
        overflow="hidden"
        borderStyle="round"
        borderTop={false}
        paddingX={1}
        {...(frame.color === undefined ? {} : { borderColor: frame.color })}
        borderDimColor={frame.dimColor ?? false}
      >
        {props.children}
      </Box>
    </Box>
  );
}
