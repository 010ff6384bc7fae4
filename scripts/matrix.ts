/**
 * Prints which pair of networks gets through how, over simulated NATs, and writes it to docs/nat-matrix.md.
 * `node scripts/matrix.ts [--runs N] [--kinds P,X,…] [--protocol udp|tcp] [--seed N] [--no-write]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { KINDS, matrix, pairsOf, renderKinds, renderMatrix, type Cell, type KindName } from '@awl/testkit';
import { builtIns } from '../test/matrix/built-ins.ts';

const DOCUMENT = 'docs/nat-matrix.md';
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    kinds: { type: 'string', default: Object.keys(KINDS).join(',') },
    protocol: { type: 'string' },
    'no-write': { type: 'boolean', default: false },
  },
});
const kinds = values.kinds.split(',').filter((kind): kind is KindName => Object.hasOwn(KINDS, kind));
const protocols = (['udp', 'tcp'] as const).filter(
  (each) => values.protocol === undefined || values.protocol === each,
);
const total = pairsOf(kinds).length * protocols.length;
const startedAt = performance.now();
let done = 0;

const cells = await matrix({
  ...(await builtIns()),
  kinds,
  protocols,
  runs: Number(values.runs),
  firstSeed: Number(values.seed),
  onCell: (cell) => console.error(`${++done}/${total} ${line(cell)}`),
});
const rendered = renderMatrix(cells);
console.log(rendered);
console.error(`${total} cells in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
const isWhole = kinds.length === Object.keys(KINDS).length && protocols.length === 2;
if (isWhole && !values['no-write']) writeDocument(rendered);

function line({
  local,
  remote,
  transport,
  successRatio,
  medianMs,
  p95Ms,
  probes,
  strategies,
  codes,
  missed,
}: Cell): string {
  const figures = `${Math.round(successRatio * 100)} % ${medianMs?.toFixed(0) ?? '–'}/${p95Ms?.toFixed(0) ?? '–'} ms, ${probes} probes`;
  return `${transport} ${local} × ${remote}: ${figures}, ${[...strategies, ...codes].join(' ')}${missed.length > 0 ? ` MISSED ${missed.join('; ')}` : ''}`;
}

/** Replaces what stands between the markers. */
function writeDocument(text: string): void {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = ['<!-- generated: matrix -->', '<!-- end: matrix -->'];
  const [start, stop] = [document.indexOf(begin), document.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`${DOCUMENT} has no place for the matrix`);
  const content = `${begin}\n\n${values.runs} runs of each cell.\n\n${renderKinds()}\n\n${text}\n\n`;
  writeFileSync(DOCUMENT, document.slice(0, start) + content + document.slice(stop));
}
