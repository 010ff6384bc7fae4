import type { EngineState, RendezvousState } from '@awl/api';
import { Box } from 'ink';
import { memo, type ReactNode } from 'react';
import { totalRates } from '../model/peers.ts';
import { useRoom, useUi } from '../store/context.tsx';
import { SCREENS, SCREEN_TITLES } from '../store/ui-state.ts';
import { clean } from '../text/clean.ts';
import { formatDuration, formatRate, shortId } from '../text/format.ts';
import { cut, widthOf } from '../text/width.ts';
import type { TextRole } from '../theme.ts';
import { Styled } from './styled.tsx';

/** `awl://rv.example.org:7777` as a person says it. */
export function rendezvousHost(url: string): string {
  return clean(
    url
      .replace(/^[a-z]+:\/\//, '')
      .replace(/[/?#].*$/, '')
      .replace(/:\d+$/, ''),
  );
}

function rendezvousWords(rendezvous: RendezvousState): { readonly text: string; readonly role: TextRole } {
  const { status, rttMs, reason } = rendezvous;
  if (status === 'connected')
    return { text: `● ${rttMs === undefined ? 'connected' : formatDuration(rttMs)}`, role: 'ok' };
  if (status === 'connecting') return { text: '○ connecting', role: 'warn' };
  if (status === 'none') return { text: 'no rendezvous', role: 'warn' };
  return { text: `✗ lost${reason === undefined ? '' : `: ${clean(reason)}`}`, role: 'bad' };
}

/** First line: who this is, the rendezvous, how much flows. */
export function Header(props: { readonly engine: EngineState; readonly isStale: boolean }): ReactNode {
  const { columns } = useRoom();
  const { node, rendezvous, peers } = props.engine;
  const { sendBps, receiveBps } = totalRates(peers);
  const words = rendezvousWords(rendezvous);
  const isWide = columns >= 96;
  const name = cut(clean(node.name), isWide ? 32 : 16);
  const peerId = ` · ${shortId(clean(node.peerId))}`;
  const simulated = node.simulated ? ' simulated NATs' : '';
  const rates = `↑ ${formatRate(sendBps).padStart(9)}  ↓ ${formatRate(receiveBps).padStart(9)}`;
  const room = Math.max(12, columns - 2 - 5 - widthOf(name + peerId + simulated) - rates.length - 4);
  const status = cut(words.text, room);
  const host =
    rendezvous.status === 'none' ? '' : cut(rendezvousHost(rendezvous.url), room - widthOf(status) - 1);
  const title = host !== '' && widthOf(host + status) + 12 <= room ? 'rendezvous ' : '';
  return (
    <Box justifyContent="space-between" paddingX={1} width={columns} height={1} overflow="hidden">
      <Box flexShrink={0}>
        <Styled role="accent" isBold>
          {'awl  '}
        </Styled>
        <Styled isBold>{name}</Styled>
        <Styled role="muted">{peerId}</Styled>
        <Styled role="warn">{simulated}</Styled>
      </Box>
      <Box paddingX={2} flexShrink={0}>
        <Styled role="muted">{host === '' ? '' : `${title}${host} `}</Styled>
        <Styled role={props.isStale ? 'muted' : words.role}>{status}</Styled>
      </Box>
      <Box flexShrink={0}>
        <Styled
          role={props.isStale ? 'muted' : 'normal'}
          label={`Sending ${formatRate(sendBps)}, receiving ${formatRate(receiveBps)}`}
        >
          {rates}
        </Styled>
      </Box>
    </Box>
  );
}

/** Second line: the screens and their number keys, and how this network is seen from outside. */
export const Tabs = memo(function Tabs(props: { readonly addresses: readonly string[] }): ReactNode {
  const [{ screen }] = useUi();
  const { columns } = useRoom();
  return (
    <Box paddingX={1} height={1} width={columns} overflow="hidden">
      {SCREENS.map((name, index) => (
        <Box key={name} marginRight={2}>
          <Styled role={name === screen ? 'accent' : 'muted'}>{`${index + 1} `}</Styled>
          <Styled
            role={name === screen ? 'title' : 'muted'}
            label={`${SCREEN_TITLES[name]}${name === screen ? ' (shown)' : ''}`}
          >
            {SCREEN_TITLES[name]}
          </Styled>
        </Box>
      ))}
      {columns >= 84 && props.addresses.length > 0 && (
        <Box flexGrow={1} justifyContent="flex-end">
          <Styled role="muted">{columns >= 110 ? 'public ' : ''}</Styled>
          <Styled>{props.addresses.map(clean).join(', ')}</Styled>
        </Box>
      )}
    </Box>
  );
});
