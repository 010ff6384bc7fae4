import type { NatState } from '@awl/api';
import { Box } from 'ink';
import { memo, type ReactNode } from 'react';
import { Panel } from '../component/panel.tsx';
import { Styled } from '../component/styled.tsx';
import { Busy } from '../component/notice-line.tsx';
import { natWords } from '../model/nat-words.ts';
import { clean } from '../text/clean.ts';
import { formatAge, formatDuration } from '../text/format.ts';
import { wrapText, fit } from '../text/width.ts';

/** One protocol's behaviour: plain words over at most `limit` lines, the confidence at the right of the last. */
export function BehaviourLines(props: {
  readonly protocol: string;
  readonly text: string;
  readonly confidence: string;
  readonly width: number;
  readonly limit: number;
  readonly isStale: boolean;
}): ReactNode {
  const room = props.width - 5 - 6;
  const lines = wrapText(props.text, room, props.limit);
  const role = props.isStale ? 'muted' : props.text === 'unknown' ? 'muted' : 'normal';
  return (
    <Box flexDirection="column">
      {lines.map((line, index) => (
        <Box key={line}>
          <Styled role="muted">{fit(index === 0 ? props.protocol : '', 5)}</Styled>
          <Styled role={role}>{fit(line, room)}</Styled>
          <Styled
            role="muted"
            label={
              index === lines.length - 1 && props.confidence !== '' ? `confidence ${props.confidence}` : ''
            }
          >
            {fit(index === lines.length - 1 ? props.confidence : '', 6, 'right')}
          </Styled>
        </Box>
      ))}
    </Box>
  );
}

/** `the same` for a second protocol that behaves like the first. */
export function sameWords(first: string, second: string, more: string): string {
  return first === second && first !== 'unknown' ? `the same${more === '' ? '' : `, ${more}`}` : second;
}

/** Where this network is seen from outside, and how old that knowledge is. */
export function networkFacts(nat: NatState, now: number, hasAddresses: boolean): string {
  const facts: string[] = [];
  if (hasAddresses && nat.publicAddresses.length > 0)
    facts.push(`public ${nat.publicAddresses.map(clean).join(', ')}`);
  if (nat.gateway !== undefined) facts.push(`gateway ${clean(nat.gateway)}`);
  if (nat.behaviour.udp.lifetimeS !== undefined)
    facts.push(`mapping lives ≈ ${formatDuration(nat.behaviour.udp.lifetimeS * 1000)}`);
  if (nat.measuredAt !== undefined) facts.push(`measured ${formatAge(nat.measuredAt, now)}`);
  return facts.join(' · ');
}

/** This node's NAT in plain words. */
export const NatPanel = memo(function NatPanel(props: {
  readonly nat: NatState;
  readonly now: number;
  readonly width: number;
  readonly height: number;
  readonly isStale: boolean;
  readonly children?: ReactNode;
}): ReactNode {
  const { nat, width } = props;
  const inner = width - 4;
  const udp = natWords(nat.behaviour.udp);
  const tcp = natWords(nat.behaviour.tcp);
  const strangers = {
    drop: 'drops strangers',
    rst: 'answers strangers with RST',
    icmp: 'answers strangers with ICMP',
    unknown: '',
  }[nat.behaviour.tcp.unsolicited];
  const tcpText = sameWords(udp.text, tcp.text, strangers);
  const lines = props.children === undefined ? props.height - 2 : 3;
  const tcpLines = tcpText.length <= inner - 11 ? 1 : 2;
  const udpLimit = Math.max(1, Math.min(3, lines - 1 - tcpLines));
  const tcpLimit = Math.min(tcpLines, Math.max(1, lines - 2));
  const hasAlias = udp.alias !== 'unknown';
  const usedLines =
    wrapText(udp.text, inner - 11, udpLimit).length +
    wrapText(tcpText, inner - 11, tcpLimit).length +
    (hasAlias ? 1 : 0);
  const hasFactsLine = inner < 70 && props.height >= 8 && (props.children !== undefined || usedLines < lines);
  const facts = networkFacts(nat, props.now, props.children !== undefined && width < 84);
  const isStale = props.isStale || nat.status === 'measuring';
  return (
    <Panel title="This network" width={width} height={props.height}>
      {nat.status === 'unknown' ? (
        <Styled role="muted">NAT: unknown, not measured yet</Styled>
      ) : (
        <>
          <BehaviourLines protocol="UDP" {...udp} width={inner} limit={udpLimit} isStale={isStale} />
          <BehaviourLines
            protocol="TCP"
            confidence={tcp.confidence}
            text={tcpText}
            width={inner}
            limit={tcpLimit}
            isStale={isStale}
          />
          {nat.status === 'measuring' ? (
            <Box>
              <Busy />
              <Styled role="accent"> measuring</Styled>
            </Box>
          ) : (
            <>
              {hasAlias && (
                <Styled role="muted">{`Also known as ${udp.alias}${inner >= 70 ? ` · ${facts}` : ''}`}</Styled>
              )}
              {hasFactsLine && <Styled role="muted">{facts}</Styled>}
            </>
          )}
        </>
      )}
      {props.children}
    </Panel>
  );
});
