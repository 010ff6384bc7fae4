import { TextInput } from '@inkjs/ui';
import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Styled } from '../component/styled.tsx';
import { useKeys } from '../component/use-keys.ts';
import { useStable } from '../component/use-stable.ts';
import { hasLineEnd, withoutLineEnds } from '../text/line-end.ts';
import { useUi } from '../store/context.tsx';

/** The filter of the screen, applied as it is typed. Enter keeps it, esc drops it. */
export function FilterLine(): ReactNode {
  const [ui, dispatch] = useUi();
  const close = (): void => dispatch({ type: 'overlay', overlay: { kind: 'none' } });
  useKeys((_input, key) => {
    if (!key.escape) return;
    dispatch({ type: 'filter', text: '' });
    close();
  });
  const onChange = useStable((text: string) => {
    dispatch({ type: 'filter', text: withoutLineEnds(text) });
    if (hasLineEnd(text)) close();
  });
  return (
    <Box paddingX={1} height={1}>
      <Styled role="accent" isBold>
        {'/ '}
      </Styled>
      <TextInput
        defaultValue={ui.filters[ui.screen] ?? ''}
        placeholder="type to filter"
        onChange={onChange}
        onSubmit={close}
      />
      <Styled role="muted"> enter keeps, esc drops</Styled>
    </Box>
  );
}
