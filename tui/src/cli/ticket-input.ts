import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwlError, parseTicket, type Ticket } from '@awl/wire';
import type { OptionValues } from './spec.ts';
import { textOf } from './values.ts';

/** Whom to connect to. */
export type Destination = { readonly ticket: string; readonly parsed: Ticket } | { readonly peer: string };

/** How often a ticket file is looked for: a directory watch would miss network file systems. */
const LOOK_EVERY_MS = 100;

/** The ticket or name that the command line, a file or standard input gives. Rejects with `ERR_USAGE` or `ERR_TICKET_…`. */
export async function destinationOf(
  argument: string | undefined,
  options: OptionValues,
  signal: AbortSignal,
): Promise<Destination> {
  const file = textOf(options, 'ticketFile');
  if (file !== undefined && argument !== undefined) {
    throw new AwlError('ERR_USAGE', 'Both a ticket and --ticket-file were given.');
  }
  if (file !== undefined) return ticketIn(await appearing(file, signal));
  if (argument === undefined) {
    throw new AwlError('ERR_USAGE', 'A ticket or the name of a peer is missing.', {
      remedy: 'See `awl connect --help`.',
    });
  }
  if (argument === '-') return ticketIn(await text(process.stdin));
  return /awl1/i.test(argument) ? ticketIn(argument) : { peer: argument };
}

function ticketIn(content: string): Destination {
  return { ticket: content.trim(), parsed: parseTicket(content, Date.now()) };
}

/** The content of a file, when there is one with something in it. */
async function appearing(path: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const content = await readFile(path, 'utf8');
      if (content.trim() !== '') return content;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw new AwlError('ERR_STORAGE', `Cannot read ${path}: ${(cause as Error).message}.`, { cause });
      }
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}
