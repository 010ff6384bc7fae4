import { formatEndpoint, type Endpoint, type EngineState, type Evidence } from '@awl/api';
import { Box } from 'ink';
import { useMemo, useState, type ReactNode } from 'react';
import { Section } from '../component/section.tsx';
import { Styled } from '../component/styled.tsx';
import { MARKER_WIDTH, Table } from '../component/table.tsx';
import { Busy } from '../component/notice-line.tsx';
import { useKeys } from '../component/use-keys.ts';
import { placeColumns, shrinkColumns, type Column } from '../model/columns.ts';
import { natFields } from '../model/nat-words.ts';
import { summarizeReach, type ReachSummary } from '../model/reach-summary.ts';
import type { Reach } from '../model/reach.ts';
import { useServices } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import { coarse, formatAge, formatDuration } from '../text/format.ts';
import type { TextRole } from '../theme.ts';
import type { ScreenProps } from './screen-props.ts';
import { useNatKeys } from './use-nat-keys.ts';

const MATRIX: readonly Column[] = [
  { key: 'label', title: 'The other network', min: 38, max: 40, priority: 0 },
  { key: 'reach', title: 'Direct', min: 9, priority: 0 },
  { key: 'time', title: 'Takes', min: 8, priority: 1 },
  { key: 'how', title: 'By', min: 12, max: 44, priority: 0 },
];
const VERDICTS: readonly Column[] = [
  { key: 'field', title: 'Verdict', min: 14, priority: 0 },
  { key: 'udp', title: 'UDP', min: 18, max: 42, priority: 0 },
  { key: 'udpSure', title: '', min: 5, priority: 1, align: 'right' },
  { key: 'tcp', title: 'TCP', min: 18, max: 42, priority: 0 },
  { key: 'tcpSure', title: '', min: 5, priority: 1, align: 'right' },
];
const EVIDENCE: readonly Column[] = [
  { key: 'what', title: 'Evidence', min: 16, priority: 0 },
  { key: 'value', title: 'Says', min: 10, priority: 1 },
  { key: 'weight', title: 'Weight', min: 6, priority: 2, align: 'right' },
  { key: 'source', title: 'From', min: 8, max: 16, priority: 3 },
  { key: 'observation', title: 'Seen', min: 20, max: 110, priority: 0 },
];
const REACH_ROLES: { readonly [R in Reach]: TextRole } = {
  yes: 'ok',
  'opt-in': 'warn',
  no: 'bad',
  unknown: 'muted',
};
const PANES = ['matrix', 'verdicts', 'evidence'] as const;

function Matrix(props: {
  readonly summary: ReachSummary;
  readonly width: number;
  readonly limit: number;
}): ReactNode {
  const rows = props.summary.rows.slice(0, props.limit).map((row) => ({
    id: row.label,
    cells: {
      label: row.label,
      reach: row.reach,
      how: row.how,
      time: row.expectedMs === undefined ? '' : `≈ ${formatDuration(row.expectedMs)}`,
    },
    roles: { reach: REACH_ROLES[row.reach], how: 'muted', time: 'muted' } as const,
  }));
  const note = props.summary.isKnown
    ? `≈ ${props.summary.direct} of ${props.summary.total} reached directly, judged by behaviour`
    : 'unknown until this network is measured';
  return (
    <Section title="This network × all" note={note}>
      <Table columns={placeColumns(MATRIX, props.width - MARKER_WIDTH)} rows={rows} />
    </Section>
  );
}

function Verdicts(props: { readonly engine: EngineState; readonly width: number }): ReactNode {
  const { udp, tcp } = props.engine.nat.behaviour;
  const tcpFields = natFields(tcp);
  const rows = natFields(udp).map((field, index) => {
    const other = tcpFields[index] ?? field;
    const role = (verdict: string): TextRole => (verdict === 'unknown' ? 'muted' : 'normal');
    return {
      id: field.field,
      cells: {
        field: field.field,
        udp: field.verdict,
        udpSure: field.confidence,
        tcp: other.verdict,
        tcpSure: other.confidence,
      },
      roles: {
        udp: role(field.verdict),
        tcp: role(other.verdict),
        udpSure: 'muted',
        tcpSure: 'muted',
      } as const,
    };
  });
  return (
    <Section title="What this NAT does" note="RFC 4787, RFC 5382; how sure in per cent">
      <Table columns={placeColumns(shrinkColumns(VERDICTS, rows), props.width - MARKER_WIDTH)} rows={rows} />
    </Section>
  );
}

function valueWords(value: Evidence['value']): string {
  if (typeof value !== 'object') return String(value);
  return 'address' in value && 'port' in value ? formatEndpoint(value as Endpoint) : JSON.stringify(value);
}

function EvidenceTable(props: {
  readonly evidence: readonly Evidence[];
  readonly width: number;
  readonly limit: number;
}): ReactNode {
  const rows = props.evidence.slice(-Math.max(1, props.limit)).map((each, index) => ({
    id: String(index),
    cells: {
      what: `${each.protocol} ${each.field}`,
      value: clean(valueWords(each.value)),
      weight: each.weight.toFixed(1),
      source: clean(each.source),
      observation: clean(each.observation),
    },
    roles: { observation: 'muted' } as const,
  }));
  return (
    <Section
      title="Evidence"
      note={
        rows.length === 0
          ? 'none yet: press r to measure'
          : `newest ${rows.length} of ${props.evidence.length}`
      }
    >
      {rows.length > 0 && (
        <Table
          columns={placeColumns(shrinkColumns(EVIDENCE, rows), props.width - MARKER_WIDTH)}
          rows={rows}
        />
      )}
    </Section>
  );
}

/** This network against every kind of network, the verdicts on its NAT, and what they rest on. */
export function NatLab(props: ScreenProps): ReactNode {
  const { engine, now, columns, rows, isActive } = props;
  const { commander } = useServices();
  const [pane, setPane] = useState(0);
  const { nat, plugins } = engine;
  const minute = coarse(now);
  const summary = useMemo(() => summarizeReach({ nat, plugins }, minute), [nat, plugins, minute]);
  useNatKeys(isActive);
  useKeys((input, key) => {
    if (key.rightArrow || key.leftArrow)
      setPane((pane + (key.rightArrow ? 1 : PANES.length - 1)) % PANES.length);
    if (input === 'r')
      void commander.run({
        name: 'nat.measure',
        params: { full: true },
        doing: 'Measuring this network',
        done: 'This network was measured again',
      });
  }, isActive);
  const width = columns - 2;
  const isWide = columns >= 150 && rows >= 26;
  const shown = PANES[pane] ?? 'matrix';
  const state =
    nat.status === 'measuring'
      ? 'measuring'
      : nat.measuredAt === undefined
        ? 'not measured yet'
        : `measured ${formatAge(nat.measuredAt, now)}`;
  return (
    <Box flexDirection="column" paddingX={1} gap={1} height={rows} overflow="hidden">
      <Box height={1}>
        {nat.status === 'measuring' && <Busy />}
        <Styled role="muted">{`${nat.status === 'measuring' ? ' ' : ''}${state}${isWide ? '' : ` · ${PANES.map((name) => (name === shown ? `[${name}]` : name)).join('  ')}  (← →)`}`}</Styled>
      </Box>
      {isWide ? (
        <>
          <Box>
            <Box width={Math.floor(width / 2)} paddingRight={2}>
              <Matrix summary={summary} width={Math.floor(width / 2) - 2} limit={16} />
            </Box>
            <Verdicts engine={engine} width={Math.ceil(width / 2)} />
          </Box>
          <EvidenceTable evidence={nat.evidence} width={width} limit={rows - 24} />
        </>
      ) : (
        <>
          {shown === 'matrix' && <Matrix summary={summary} width={width} limit={rows - 4} />}
          {shown === 'verdicts' && <Verdicts engine={engine} width={width} />}
          {shown === 'evidence' && <EvidenceTable evidence={nat.evidence} width={width} limit={rows - 4} />}
        </>
      )}
    </Box>
  );
}
