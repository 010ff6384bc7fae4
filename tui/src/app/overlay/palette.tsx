import type { EngineState } from '@awl/api';
import { TextInput } from '@inkjs/ui';
import { Box } from 'ink';
import { useMemo, useState, type ReactNode } from 'react';
import { Panel } from '../component/panel.tsx';
import { Styled } from '../component/styled.tsx';
import { useKeys } from '../component/use-keys.ts';
import { useStable } from '../component/use-stable.ts';
import { fuzzyFilter } from '../model/fuzzy.ts';
import { paletteItems, type PaletteItem } from '../model/palette.ts';
import { useRoom, useServices, useUi } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import { hasLineEnd, withoutLineEnds } from '../text/line-end.ts';
import { cut, fit, widthOf } from '../text/width.ts';

/** How an answer of a plugin's command reads in one line. */
function answerWords(title: string, result: unknown): string {
  return result === null || result === undefined
    ? `${title}: done`
    : `${title}: ${cut(clean(typeof result === 'string' ? result : JSON.stringify(result)), 300)}`;
}

/** Every command, found by a few of its letters. */
export function Palette(props: { readonly engine: EngineState; readonly rows: number }): ReactNode {
  const [, dispatch] = useUi();
  const { commander, quit } = useServices();
  const { columns } = useRoom();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const items = useMemo(() => paletteItems(props.engine), [props.engine]);
  const found = useMemo(() => fuzzyFilter(items, query, (item) => item.title), [items, query]);
  const limit = Math.max(3, Math.min(16, props.rows - 6));
  const top = Math.max(0, Math.min(at - limit + 1, found.length - limit));
  const close = (): void => dispatch({ type: 'overlay', overlay: { kind: 'none' } });

  const choose = (item: PaletteItem | undefined): void => {
    if (!item) return;
    close();
    const { does } = item;
    if ('ui' in does) dispatch(does.ui);
    else if ('quit' in does) quit();
    else
      void commander.run({
        ...does.command,
        doing: item.title,
        done: (result: unknown) => answerWords(item.title, result),
      });
  };
  useKeys((_input, key) => {
    if (key.escape) close();
    if (key.downArrow || key.tab) setAt(Math.min(found.length - 1, at + 1));
    if (key.upArrow) setAt(Math.max(0, at - 1));
  });
  const onChange = useStable((text: string) => {
    const entered = withoutLineEnds(text);
    setQuery(entered);
    setAt(0);
    if (hasLineEnd(text)) choose(fuzzyFilter(items, entered, (item) => item.title)[0]);
  });
  const width = Math.min(80, columns - 4);
  return (
    <Box paddingX={2} flexDirection="column">
      <Panel title="Commands" width={width} isAccented>
        <Box>
          <Styled role="accent">{': '}</Styled>
          <TextInput
            placeholder="type a few letters"
            onChange={onChange}
            onSubmit={() => choose(found[at])}
          />
        </Box>
        {found.length === 0 && <Styled role="muted">No command matches.</Styled>}
        {found.slice(top, top + limit).map((item, index) => {
          const isChosen = top + index === at;
          const room = width - 4 - 2 - widthOf(item.note) - 1;
          return (
            <Box key={item.id}>
              <Styled role="accent">{isChosen ? '▸ ' : '  '}</Styled>
              <Styled isBold={isChosen}>{fit(item.title, room)}</Styled>
              <Styled role="muted">{` ${item.note}`}</Styled>
            </Box>
          );
        })}
      </Panel>
    </Box>
  );
}
