import { memo, type ReactNode } from 'react';
import { Box } from 'ink';
import { Panel } from '../component/panel.tsx';
import { Styled } from '../component/styled.tsx';
import type { ReachSummary } from '../model/reach-summary.ts';

/** `■■■■□□  4 of 6 NAT types`. */
export function ReachBar(props: { readonly summary: ReachSummary; readonly isStale: boolean }): ReactNode {
  const { direct, total, isKnown } = props.summary;
  if (!isKnown) return <Styled role="muted">unknown until this network is measured</Styled>;
  return (
    <Box>
      <Styled
        role={props.isStale ? 'muted' : direct === total ? 'ok' : 'accent'}
        isHidden
      >{`${'■'.repeat(direct)}${'□'.repeat(total - direct)}  `}</Styled>
      <Styled role={props.isStale ? 'muted' : 'normal'}>{`≈ ${direct} of ${total} NAT types`}</Styled>
    </Box>
  );
}

/** What this network can reach directly, and what would help. */
export const ReachPanel = memo(function ReachPanel(props: {
  readonly summary: ReachSummary;
  readonly width: number;
  readonly height: number;
  readonly isStale: boolean;
}): ReactNode {
  const { summary } = props;
  return (
    <Panel title="Reaches directly" width={props.width} height={props.height}>
      <ReachBar summary={summary} isStale={props.isStale} />
      {summary.isKnown &&
        summary.hints.map((hint) => (
          <Styled key={hint} role="muted">
            {hint}
          </Styled>
        ))}
      {summary.mappings.map((mapping) => (
        <Styled key={mapping} role="ok">
          {mapping}
        </Styled>
      ))}
      {summary.isKnown && summary.hints.length === 0 && summary.mappings.length === 0 && (
        <Styled role="muted">every kind of network that is known</Styled>
      )}
    </Panel>
  );
});
