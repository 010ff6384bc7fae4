import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Section } from '../component/section.tsx';
import { Styled } from '../component/styled.tsx';
import { formatRate } from '../text/format.ts';
import { chart } from '../text/sparkline.ts';
import { fit } from '../text/width.ts';

/** Throughput over the last minute or ten, as bars with a scale. */
export function Throughput(props: {
  readonly values: readonly number[];
  readonly rangeS: number;
  readonly width: number;
  readonly height: number;
  readonly isStale: boolean;
}): ReactNode {
  const room = Math.max(10, props.width - 12);
  const newest = props.values.slice(-props.rangeS);
  const perBar = Math.max(1, Math.ceil(props.rangeS / room));
  const bars = Math.min(room, Math.ceil(props.rangeS / perBar));
  const top = Math.max(...newest, 0);
  const lines = chart(newest, bars, props.height, perBar);
  const label = (index: number): string =>
    index === 0 ? formatRate(top) : index === props.height - 1 ? '0' : '';
  const range = props.rangeS === 60 ? '60 s' : '10 min';
  return (
    <Section
      title="Throughput"
      note={`both directions, last ${range}${newest.length < props.rangeS ? ` (${newest.length} s known)` : ''}`}
    >
      {newest.length === 0 ? (
        <Styled role="muted">nothing measured yet</Styled>
      ) : (
        lines.map((line, index) => (
          <Box key={`${index}-${props.height}`}>
            <Box flexShrink={0}>
              <Styled role="muted" isHidden={index > 0}>{`${fit(label(index), 10, 'right')} `}</Styled>
            </Box>
            <Styled role={props.isStale ? 'muted' : 'accent'} isHidden>
              {line.padStart(bars)}
            </Styled>
          </Box>
        ))
      )}
    </Section>
  );
}
