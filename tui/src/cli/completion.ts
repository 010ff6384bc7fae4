import tab from '@bomb.sh/tab/commander';
import { COMMANDS } from './specs.ts';
import { createProgram } from './program.ts';
import { VERSION } from './version.ts';

/** The only file that knows how completion is made. */
function completer(): ReturnType<typeof tab> {
  return tab(createProgram(COMMANDS, VERSION, () => undefined));
}

/** Answers `awl complete -- WORDS`, which the shells' scripts call. */
export async function complete(args: readonly string[]): Promise<number> {
  const root = completer();
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
export function completionScript(shell: string): void {
  completer().setup('awl', 'awl', shell);
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
