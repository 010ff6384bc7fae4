import type { ViewData, ViewState } from '@awl/api';
import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Section } from '../component/section.tsx';
import { Styled } from '../component/styled.tsx';
import { Table } from '../component/table.tsx';
import { placeColumns } from '../model/columns.ts';
import { clean } from '../text/clean.ts';
import { sparkline } from '../text/sparkline.ts';
import { fit, widthOf, wrapText } from '../text/width.ts';

const MOST_COLUMNS = 12;

function TableView(props: {
  readonly data: Extract<ViewData, { kind: 'table' }>;
  readonly width: number;
  readonly limit: number;
}): ReactNode {
  const titles = props.data.columns.slice(0, MOST_COLUMNS).map(clean);
  const rows = props.data.rows.slice(0, props.limit).map((row, index) => ({
    id: String(index),
    cells: Object.fromEntries(titles.map((_, at) => [`c${at}`, clean(row[at] ?? '')])),
  }));
  const columns = titles.map((title, at) => {
    const widest = Math.min(
      40,
      Math.max(widthOf(title), ...rows.map((row) => widthOf(row.cells[`c${at}`] ?? ''))),
    );
    return { key: `c${at}`, title, min: Math.max(1, widest), priority: at };
  });
  return <Table columns={placeColumns(columns, props.width - 2)} rows={rows} />;
}

function Lines(props: { readonly lines: readonly string[] }): ReactNode {
  return props.lines.map((line, index) => (
    <Styled key={`${index}-${line}`}>{line === '' ? ' ' : line}</Styled>
  ));
}

function Content(props: {
  readonly data: ViewData;
  readonly width: number;
  readonly limit: number;
}): ReactNode {
  const { data, width, limit } = props;
  switch (data.kind) {
    case 'table':
      return <TableView data={data} width={width} limit={limit} />;
    case 'keyvalue':
      return (
        <Lines
          lines={data.entries
            .slice(0, limit)
            .map(({ key, value }) => `${fit(clean(key), 20)} ${clean(value)}`)}
        />
      );
    case 'log':
      return <Lines lines={data.lines.slice(-limit).map(clean)} />;
    case 'sparkline':
      return (
        <Lines
          lines={[
            `${sparkline(data.values, Math.max(1, width - 20))} ${data.values.at(-1) ?? ''}${clean(data.unit ?? '')}`,
          ]}
        />
      );
    default:
      return (
        <Lines
          lines={data.text
            .split('\n')
            .flatMap((line) => wrapText(clean(line), width))
            .slice(0, limit)}
        />
      );
  }
}

/** What a plugin shows of itself: data drawn by awl, every text of it cleaned. */
export function PluginView(props: {
  readonly view: ViewState;
  readonly width: number;
  readonly limit: number;
}): ReactNode {
  return (
    <Section title={clean(props.view.title)} note={`by ${clean(props.view.plugin)}`}>
      <Box flexDirection="column">
        {props.view.data ? (
          <Content data={props.view.data} width={props.width} limit={props.limit} />
        ) : (
          <Styled role="muted">nothing yet</Styled>
        )}
      </Box>
    </Section>
  );
}
