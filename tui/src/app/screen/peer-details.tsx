import type { AttemptState, Candidate, PathState, PeerState, TraceLine } from '@awl/api';
import { formatEndpoint } from '@awl/api';
import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Section } from '../component/section.tsx';
import { Styled } from '../component/styled.tsx';
import { pathWords } from '../model/peers.ts';
import { clean } from '../text/clean.ts';
import { formatAge, formatDuration, formatOffset, formatTime, strategyName } from '../text/format.ts';
import { fit } from '../text/width.ts';

/** The newest lines of the decision trace, with their time after the start. */
export function Trace(props: { readonly attempt: AttemptState; readonly limit: number }): ReactNode {
  const { attempt, limit } = props;
  const lines: readonly TraceLine[] = attempt.trace.slice(-limit);
  return (
    <Section
      title="Decisions"
      note={
        attempt.trace.length > limit
          ? `newest ${lines.length} of ${attempt.trace.length}`
          : formatTime(attempt.startedAt)
      }
    >
      {lines.map((line, index) => (
        <Box key={`${line.at}-${index}`}>
          <Box flexShrink={0}>
            <Styled role="muted">{`${fit(formatOffset(line.at - attempt.startedAt).replace('.0', ''), 12, 'right')}  ${fit(line.step, 10)}`}</Styled>
          </Box>
          <Styled>{clean(line.text)}</Styled>
        </Box>
      ))}
    </Section>
  );
}

function pathLine(path: PathState, now: number): string {
  const lasted =
    path.until === undefined
      ? `for ${formatAge(path.since, now).replace(' ago', '')}`
      : `lasted ${formatDuration(path.until - path.since)}`;
  const ended =
    path.until === undefined
      ? ''
      : `, ended ${formatAge(path.until, now)}${path.code === undefined ? '' : ` (${clean(path.code)})`}`;
  return `${fit(pathWords(path), 18)} ${fit(strategyName(clean(path.strategy)), 16)} ${formatEndpoint({ address: clean(path.remote.address), port: path.remote.port })}  ${lasted}${ended}`;
}

/** The path in use and those before it, newest first. */
export function Paths(props: {
  readonly peer: PeerState;
  readonly now: number;
  readonly limit: number;
}): ReactNode {
  const { peer } = props;
  const history = [...peer.pathHistory].reverse();
  const all =
    peer.path && !peer.pathHistory.some((path) => path.since === peer.path?.since)
      ? [peer.path, ...history]
      : history;
  return (
    <Section title="Paths">
      {all.slice(0, props.limit).map((path, index) => (
        <Styled key={`${path.since}-${index}`} role={path.until === undefined ? 'normal' : 'muted'}>
          {`${path.until === undefined ? '● ' : '  '}${pathLine(path, props.now)}`}
        </Styled>
      ))}
    </Section>
  );
}

function candidateLine(candidate: Candidate): string {
  return `${fit(candidate.type, 17)} ${candidate.protocol}  ${formatEndpoint({ address: clean(candidate.endpoint.address), port: candidate.endpoint.port })}`;
}

/** Where each side may be reached. */
export function Candidates(props: {
  readonly attempt: AttemptState;
  readonly width: number;
  readonly limit: number;
}): ReactNode {
  const { attempt, limit } = props;
  const half = Math.floor(props.width / 2);
  const column = (title: string, candidates: readonly Candidate[]): ReactNode => (
    <Box width={half}>
      <Section
        title={title}
        note={candidates.length > limit ? `${limit} of ${candidates.length}` : String(candidates.length)}
      >
        {candidates.slice(0, limit).map((candidate, index) => (
          <Styled key={`${candidateLine(candidate)}-${index}`} role="muted">
            {candidateLine(candidate)}
          </Styled>
        ))}
      </Section>
    </Box>
  );
  return (
    <Box flexShrink={0}>
      {column('Own candidates', attempt.localCandidates)}
      {column('Their candidates', attempt.remoteCandidates)}
    </Box>
  );
}
