import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Panel } from '../component/panel.tsx';
import { Styled } from '../component/styled.tsx';
import { useKeys } from '../component/use-keys.ts';
import { HELP_TEXTS } from '../model/help.ts';
import { GLOBAL_KEYS, LIST_KEYS, SCREEN_KEYS, type KeyHint } from '../model/keys.ts';
import { useRoom, useUi } from '../store/context.tsx';
import { SCREEN_TITLES } from '../store/ui-state.ts';
import { fit, wrapText } from '../text/width.ts';

function Keys(props: { readonly title: string; readonly hints: readonly KeyHint[] }): ReactNode {
  return (
    <Box flexDirection="column" marginRight={4} flexShrink={0}>
      <Styled isBold>{props.title}</Styled>
      {props.hints.map(({ key, text }) => (
        <Box key={key + text}>
          <Styled role="accent">{fit(key, 10)}</Styled>
          <Styled>{text}</Styled>
        </Box>
      ))}
    </Box>
  );
}

/** What the screen shows and which keys it has. Any key closes it. */
export function Help(): ReactNode {
  const [ui, dispatch] = useUi();
  const { columns, rows } = useRoom();
  useKeys(() => dispatch({ type: 'overlay', overlay: { kind: 'none' } }));
  const width = Math.min(100, columns - 4);
  return (
    <Box paddingX={2} flexDirection="column">
      <Panel title={`Help: ${SCREEN_TITLES[ui.screen]}`} width={width} isAccented>
        {wrapText(HELP_TEXTS[ui.screen], width - 4, Math.max(2, rows - 18)).map((line) => (
          <Styled key={line}>{line}</Styled>
        ))}
        <Box marginTop={1}>
          <Keys title="Here" hints={SCREEN_KEYS[ui.screen]} />
          <Keys title="Lists" hints={LIST_KEYS} />
          <Keys
            title="Everywhere"
            hints={[...GLOBAL_KEYS, { key: 'ctrl-z', text: 'suspend', priority: 9 }]}
          />
        </Box>
        <Box marginTop={1}>
          <Styled role="muted">Any key closes this.</Styled>
        </Box>
      </Panel>
    </Box>
  );
}
