import { readFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { AwlError } from '@awl/wire';
import type { OptionValues } from './spec.ts';
import { textOf } from './values.ts';

/** The password that a file or the environment gives; undefined where neither does. */
export async function givenPassword(options: OptionValues): Promise<string | undefined> {
  const file = textOf(options, 'passwordFile');
  if (file === undefined) return process.env['AWL_PASSWORD'] || undefined;
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (cause) {
    throw new AwlError('ERR_STORAGE', `Cannot read ${file}: ${(cause as Error).message}.`, { cause });
  }
  const [line = ''] = content.split(/\r?\n/);
  if (line === '') throw new AwlError('ERR_USAGE', `${file} holds no password in its first line.`);
  return line;
}

export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal, without showing what is typed. */
export async function askPassword(peer: string, signal: AbortSignal): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(`Password of ${peer}: `);
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await ask(prompt, '', signal);
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}

/** Asks for yes or no; anything but yes is no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await ask(prompt, `${question} [y/N] `, signal)).trim());
  } finally {
    prompt.close();
  }
}

async function ask(prompt: Interface, question: string, signal: AbortSignal): Promise<string> {
  try {
    return await prompt.question(question, { signal });
  } catch (cause) {
    // Ctrl-C, which the prompt takes for itself.
    throw new AwlError('ERR_ATTEMPT_CANCELLED', undefined, { cause });
  }
}
