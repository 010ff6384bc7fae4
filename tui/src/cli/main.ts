import { CommanderError } from 'commander';
import { homeDirectory } from '@awl/node/client';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { Output } from './output.ts';
import { createProgram, type Invocation } from './program.ts';
import { onStop } from './signals.ts';
import type { CommandContext } from './spec.ts';
import { COMMANDS } from './specs.ts';
import { VERSION } from './version.ts';

/** Runs one command line; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  if (args[0] === 'complete') {
    const { complete } = await import('./completion.ts');
    return complete(COMMANDS, args.slice(1));
  }
  let invocation: Invocation | undefined;
  try {
    const found = (one: Invocation): void => void (invocation = one);
    createProgram(COMMANDS, VERSION, found, namesNoCommand(args)).parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return invocation ? run(invocation) : EXIT.ok;
}

async function run({ spec, args, options }: Invocation): Promise<number> {
  const output = new Output({
    json: options['json'] === true,
    color: options['color'] !== false,
    stdoutTaken: options['stdio'] === true,
  });
  using stop = onStop();
  const configFile = options['config'];
  const context: CommandContext = {
    output,
    signal: stop.signal,
    home: homeDirectory(),
    specs: COMMANDS,
    ...(typeof configFile === 'string' ? { configFile } : {}),
  };
  try {
    const module = spec ? await spec.load() : await import('./command/ui.ts');
    return (await module.run(context, args, options)) ?? EXIT.ok;
  } catch (error) {
    if (stop.signal.aborted) return EXIT.ok;
    return exitCodeOf(output.error(error).code);
  }
}

function namesNoCommand(args: readonly string[]): boolean {
  return args.every((arg, index) => arg.startsWith('-') || args[index - 1] === '--config');
}
