import tab from '@bomb.sh/tab/commander';
import { createProgram } from './program.ts';
import type { CommandSpec } from './spec.ts';
import { VERSION } from './version.ts';

/** The only file that knows how completion is made. */
function completer(specs: readonly CommandSpec[]): ReturnType<typeof tab> {
  return tab(createProgram(specs, VERSION, () => undefined));
}

/** Answers `awl complete -- WORDS`, which the shells' scripts call. */
export async function complete(specs: readonly CommandSpec[], args: readonly string[]): Promise<number> {
  const root = completer(specs);
  const peers = await peerNames();
  for (const name of ['connect', 'ping', 'status', 'peers forget', 'forward add']) {
    const command = root.commands.get(name);
    for (const argument of command?.arguments.values() ?? []) {
      argument.handler = (add) => peers.forEach((peer) => add(peer, 'peer'));
    }
  }
  root.parse(args[0] === '--' ? args.slice(1) : [...args]);
  return 0;
}

/** The script that a shell loads. */
export function completionScript(specs: readonly CommandSpec[], shell: string): void {
  completer(specs).setup('awl', 'awl', shell);
}

async function peerNames(): Promise<readonly string[]> {
  try {
    const { connectNode } = await import('@awl/node/client');
    await using node = await connectNode();
    const { state } = await node.snapshot();
    return Object.values(state.peers).map(({ name, id }) => name || id);
  } catch {
    return [];
  }
}
