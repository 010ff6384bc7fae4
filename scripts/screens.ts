/**
 * Pictures for the docs, made from the real app: it runs in a pty on a made-up engine, and what stands on the screen is written as text and as SVG.
 * `node --conditions=source scripts/screens.ts` writes docs/screens; with `--check` it compares the texts instead.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { toSvg, toText } from './screens/svg.ts';

interface Shot {
  readonly name: string;
  readonly columns: number;
  readonly rows: number;
  /** Options of the made-up engine. */
  readonly options?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  readonly keys: readonly string[];
  /** What is on the screen when it can be taken. */
  readonly sees: string;
}

const [ENTER, DOWN, RIGHT] = ['\r', '\u001B[B', '\u001B[C'];
const OUT = 'docs/screens';
const PATIENCE_MS = 30_000;

const SHOTS: readonly Shot[] = [
  { name: 'overview', columns: 100, rows: 26, keys: [], sees: 'q quit' },
  { name: 'overview-narrow', columns: 80, rows: 24, keys: [], sees: 'q quit' },
  { name: 'overview-no-colour', columns: 80, rows: 24, env: { NO_COLOR: '1' }, keys: [], sees: 'q quit' },
  { name: 'overview-first', columns: 100, rows: 26, options: ['--empty'], keys: [], sees: 'Nobody here yet' },
  { name: 'race', columns: 110, rows: 26, keys: [DOWN, DOWN, ENTER], sees: 'Decisions' },
  { name: 'peer', columns: 110, rows: 36, keys: [DOWN, ENTER], sees: 'Throughput' },
  { name: 'failed', columns: 110, rows: 22, keys: [DOWN, DOWN, DOWN, ENTER], sees: 'What helps' },
  { name: 'forwards', columns: 110, rows: 20, keys: ['3'], sees: 'Target there' },
  { name: 'plugins', columns: 110, rows: 26, keys: ['4', 'G', '\u001B[A'], sees: 'Lucky guesses' },
  { name: 'nat-lab', columns: 100, rows: 26, keys: ['5'], sees: 'This network × all' },
  { name: 'nat-verdicts', columns: 100, rows: 20, keys: ['5', RIGHT], sees: 'What this NAT does' },
  { name: 'log', columns: 100, rows: 20, keys: ['6'], sees: 'level info' },
  { name: 'connect', columns: 100, rows: 20, keys: ['c', ENTER, 'secret'], sees: '******' },
  { name: 'palette', columns: 100, rows: 24, keys: [':', 'turn'], sees: '▸ Turn' },
  { name: 'help', columns: 100, rows: 26, keys: ['?'], sees: 'Any key closes this' },
  { name: 'welcome', columns: 100, rows: 20, options: ['--first'], keys: [], sees: 'Welcome to awl' },
  { name: 'too-small', columns: 40, rows: 12, keys: [], sees: 'Too small' },
];

/** Runs the app, presses the keys, and hands over the terminal as it then is. */
async function take(shot: Shot): Promise<xterm.Terminal> {
  const terminal = new xterm.Terminal({ cols: shot.columns, rows: shot.rows, allowProposedApi: true });
  const args = [
    '--conditions=source',
    '--import',
    './scripts/tsx.ts',
    'tui/test/app/dev.ts',
    '--still',
    ...(shot.options ?? []),
  ];
  const app = spawn(process.execPath, args, {
    cols: shot.columns,
    rows: shot.rows,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      FORCE_COLOR: '3',
      TZ: 'UTC',
      ...shot.env,
    },
  });
  let changedAt = performance.now();
  app.onData((data) => {
    changedAt = performance.now();
    terminal.write(data);
  });
  const isQuiet = async (fits: () => boolean, what: string): Promise<void> => {
    for (const startedAt = performance.now(); performance.now() - startedAt < PATIENCE_MS; await sleep(50)) {
      if (performance.now() - changedAt > 400 && fits()) return;
    }
    throw new Error(`${shot.name}: never saw ${what}\n${toText(terminal)}`);
  };
  try {
    await isQuiet(() => toText(terminal).trim() !== '', 'anything');
    for (const key of shot.keys) {
      app.write(key);
      changedAt = performance.now();
      await isQuiet(() => true, 'an answer to a key');
    }
    await isQuiet(() => toText(terminal).includes(shot.sees), shot.sees);
    return terminal;
  } finally {
    app.kill();
  }
}

const isCheck = process.argv.includes('--check');
const stale: string[] = [];
mkdirSync(OUT, { recursive: true });
for (const shot of SHOTS) {
  const terminal = await take(shot);
  const text = toText(terminal);
  if (!isCheck) {
    writeFileSync(`${OUT}/${shot.name}.txt`, text);
    writeFileSync(`${OUT}/${shot.name}.svg`, toSvg(terminal, shot.name));
  } else if (readFileSync(`${OUT}/${shot.name}.txt`, 'utf8') !== text) {
    stale.push(shot.name);
    console.error(`${shot.name} has changed:\n${text}`);
  }
  terminal.dispose();
}
console.log(
  isCheck
    ? `${SHOTS.length - stale.length} of ${SHOTS.length} screens are as in ${OUT}`
    : `wrote ${SHOTS.length} screens to ${OUT}`,
);
process.exit(stale.length > 0 ? 1 : 0);
