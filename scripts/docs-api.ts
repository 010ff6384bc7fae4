/** docs/api.md and the API report, made from `@awl/api`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { manifestJsonSchema } from '@awl/plugin-host';
import { extract, ROOT, typesOf } from './api-declarations.ts';

const PAGE = join(ROOT, 'docs', 'api.md');
const SCHEMA = join(ROOT, 'core', 'api', 'manifest.schema.json');
const NOTICE = '<!-- Made by `npm run docs`. Change the code it is made from. -->\n\n';

/** The files of the package, in the order of its index. */
function filesOfIndex(): string[] {
  const index = readFileSync(join(ROOT, 'core', 'api', 'src', 'index.ts'), 'utf8');
  return [...index.matchAll(/from '\.\/([a-z-]+)\.ts'/g)].map(([, name]) => name ?? '');
}

interface Declared {
  readonly name: string;
  readonly summary: string;
  readonly code: string;
}

function summaryOf(node: ts.Node): string {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = ts.getTextOfJSDocComment(comment?.comment) ?? '';
  const parameters = [...(comment?.tags ?? [])]
    .filter((tag): tag is ts.JSDocParameterTag => ts.isJSDocParameterTag(tag))
    .map((tag) => `\`${tag.name.getText()}\`: ${ts.getTextOfJSDocComment(tag.comment) ?? ''}`);
  return [text, ...parameters]
    .join('\n\n')
    .replaceAll(/\{@link (\w+)[^}]*\}/g, '`$1`')
    .trim();
}

function nameOf(statement: ts.Statement): string | undefined {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText();
  if (
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement)
  )
    return statement.name?.text;
  return undefined;
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

function declarationsIn(file: string): Declared[] {
  const path = typesOf('api', file);
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2024, true);
  return source.statements.flatMap((statement) => {
    const name = isExported(statement) ? nameOf(statement) : undefined;
    if (name === undefined) return [];
    const code = statement
      .getText()
      .replace(/^export (declare )?/, '')
      .replaceAll(/\bdeclare /g, '');
    return [{ name, summary: summaryOf(statement), code }];
  });
}

function page(): string {
  const lines = [
    '# The plugin API',
    '',
    'All that `@awl/api` exports. Start with [plugins.md](plugins.md); `PluginContext` is what a plugin is given, `PunchStrategy` what most plugins are written for.',
    '',
  ];
  for (const file of filesOfIndex()) {
    const declared = declarationsIn(file);
    lines.push(`## ${file}`, '');
    for (const { name, summary, code } of declared) {
      lines.push(`### ${name}`, '', ...(summary === '' ? [] : [summary, '']), '```ts', code, '```', '');
    }
  }
  return lines.join('\n');
}

/** Writes docs/api.md, the report and the manifest's schema; with `check` changes nothing and returns which of them are out of date. */
export async function apiDocs({ check }: { readonly check: boolean }): Promise<string[]> {
  const problems: string[] = [];
  const same = extract({ update: !check });
  if (check && !same) problems.push('core/api/api-report.api.md is out of date: the public API has changed');
  const texts = [
    [PAGE, NOTICE + page()],
    [SCHEMA, manifestJsonSchema()],
  ] as const;
  for (const [path, text] of texts) {
    if (!check) writeFileSync(path, text);
    else if (!existsSync(path) || readFileSync(path, 'utf8') !== text)
      problems.push(`${path.slice(ROOT.length + 1)} is out of date`);
  }
  return problems;
}

if (import.meta.main) {
  const problems = await apiDocs({ check: process.argv.includes('--check') });
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
