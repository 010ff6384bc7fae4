import type { EngineState } from '@awl/api';
import { Box, useAnimation } from 'ink';
import type { ReactNode } from 'react';
import { useNotice, useRoom } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import { cut } from '../text/width.ts';
import { Styled } from './styled.tsx';

const FRAMES = '⠋⠙⠸⠴⠦⠇';

/** Turns four times a second, and only while something is on its way. */
export function Busy(): ReactNode {
  const { frame } = useAnimation({ interval: 250 });
  return (
    <Styled role="accent" isHidden>
      {FRAMES[frame % FRAMES.length]}
    </Styled>
  );
}

/** What the UI was last told to do, and how that stands; else what plugins have to say. One line. */
export function NoticeLine(props: { readonly statusItems: EngineState['statusItems'] }): ReactNode {
  const notice = useNotice();
  const { columns } = useRoom();
  if (!notice) {
    const texts = Object.values(props.statusItems).map((item) => clean(item.text));
    return (
      <Box paddingX={1} height={1} justifyContent="flex-end">
        <Styled role="muted">{cut(texts.join(' · '), columns - 2)}</Styled>
      </Box>
    );
  }
  const text = cut(notice.text, columns - 4 - (notice.kind === 'busy' ? 16 : 0));
  return (
    <Box paddingX={1} height={1}>
      {notice.kind === 'busy' && <Busy />}
      {notice.kind === 'ok' && <Styled role="ok">✓</Styled>}
      {notice.kind === 'bad' && <Styled role="bad">✗</Styled>}
      <Styled role={notice.kind === 'bad' ? 'bad' : 'normal'}>{` ${text}`}</Styled>
      {notice.kind === 'busy' && <Styled role="muted"> esc cancels</Styled>}
    </Box>
  );
}
