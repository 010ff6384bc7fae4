/**
 * Writes the reference pages of docs/ that are made from code; with `--check` only says which are out of date.
 * `node --conditions=source scripts/docs.ts [--check]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { HOOKS } from '@awl/api';
import { ERRORS } from '@awl/wire';
import { ConfigSchema } from '../core/node/src/config/schema.ts';
import type { CommandSpec } from '../tui/src/cli/spec.ts';
import { COMMANDS } from '../tui/src/cli/specs.ts';
import { apiDocs } from './docs-api.ts';

const check = process.argv.includes('--check');
const NOTICE = '<!-- Made by `npm run docs`. Change the code it is made from. -->\n\n';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { meaning, remedy }]) => `| \`${code}\` | ${cell(meaning)} | ${cell(remedy)} |`,
  );
  return [
    '# Error codes',
    '',
    'Codes are stable, texts are not. Exit codes: 0 ok, 1 failed, 2 usage, 3 no path to the peer, 4 refused.',
    '',
    '| code | meaning | what to do |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function hooksPage(): string {
  const rows = Object.entries(HOOKS).map(
    ([name, rule]) =>
      `| \`${name}\` | ${rule.kind} | ${rule.timeoutMs} | ${'authorizing' in rule && rule.authorizing ? 'yes: can only deny, and denies when it fails' : ''} |`,
  );
  return [
    '# Hooks',
    '',
    'What a tap receives and may return is typed in `HookMap` (see api.md). Kinds: `event` – all are told, nobody waits; `series` – one after the other, awaited; `collect` – each returns a list; `waterfall` – each may change the value for the next; `bail` – the first answer decides.',
    '',
    'A tap that fails five times in a row is not called again until its plugin is enabled anew.',
    '',
    '| hook | kind | timeout, ms | authorizing |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function commandsPage(): string {
  return [
    '# Commands',
    '',
    'Every command has `--help`; `--json` gives NDJSON events, or one object, on standard output and people’s lines on standard error.',
    '',
    ...COMMANDS.flatMap(commandSection),
  ].join('\n');
}

function commandSection(command: CommandSpec): string[] {
  const args = (command.arguments ?? []).map(({ name }) => ` ${name}`).join('');
  const lines = [`## awl ${command.name}`, '', `\`awl ${command.name}${args}\` – ${command.summary}.`, ''];
  if (command.more) lines.push(command.more, '');
  const rows = [
    ...(command.arguments ?? []).map(({ name, text }) => `| \`${cell(name)}\` | ${cell(text)} |`),
    ...(command.options ?? []).map(
      ({ flags, text, choices, default: preset }) =>
        `| \`${cell(flags)}\` | ${cell(text)}${choices ? `: ${choices.join(', ')}` : ''}${preset ? ` (default ${cell(preset)})` : ''} |`,
    ),
  ];
  if (rows.length > 0) lines.push('| | |', '|---|---|', ...rows, '');
  lines.push('```', ...command.examples, '```', '');
  return lines;
}

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: { readonly [key: string]: SchemaNode };
}

function configurationPage(): string {
  const rows: string[] = [];
  const visit = (path: string, node: SchemaNode): void => {
    if (node.properties) {
      for (const [key, child] of Object.entries(node.properties))
        visit(path === '' ? key : `${path}.${key}`, child);
      return;
    }
    const range =
      node.minimum === undefined && node.maximum === undefined
        ? ''
        : ` ${node.minimum ?? ''}–${node.maximum ?? ''}`;
    const kind = node.enum
      ? node.enum.map((value) => `\`${String(value)}\``).join(', ')
      : `${node.type ?? 'any'}${range}`;
    rows.push(`| \`${path}\` | ${cell(kind)} | ${cell(node.description ?? '')} |`);
  };
  visit('', ConfigSchema);
  return [
    '# Configuration',
    '',
    '`awl.config.{ts,js,json,yaml}`, `.awlrc` or `awl` in package.json. Code is loaded from AWL_HOME or `--config` only. `awl config set KEY VALUE` writes AWL_HOME’s own file.',
    '',
    '| key | value | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const PAGES: readonly { readonly path: string; readonly render: () => string }[] = [
  { path: 'docs/errors.md', render: errorsPage },
  { path: 'docs/hooks.md', render: hooksPage },
  { path: 'docs/commands.md', render: commandsPage },
  { path: 'docs/configuration.md', render: configurationPage },
];

const problems: string[] = [];
for (const { path, render } of PAGES) {
  const text = NOTICE + render();
  if (!check) writeFileSync(path, text);
  else if (readText(path) !== text) problems.push(`${path} is out of date`);
}
problems.push(...(await apiDocs({ check })));
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error('run: npm run docs');
  process.exit(1);
}
console.log(check ? 'docs are up to date' : 'docs written');

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
