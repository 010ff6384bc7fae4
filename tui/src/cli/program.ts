import { Command, Option } from 'commander';
import type { CommandSpec, OptionSpec, OptionValues } from './spec.ts';

/** What the command line asks for. */
export interface Invocation {
  /** Undefined: `awl` alone, the terminal UI. */
  readonly spec?: CommandSpec;
  readonly args: readonly string[];
  readonly options: OptionValues;
}

const EVERYWHERE: readonly OptionSpec[] = [
  { flags: '--json', text: 'NDJSON events or one object on standard output' },
  { flags: '--config <file>', text: 'a configuration file beside that of AWL_HOME' },
  { flags: '--no-color', text: 'no colours; also NO_COLOR' },
];

const GROUPS: Readonly<Record<string, string>> = {
  forward: 'forwards of the running node',
  config: 'read and change the configuration',
  plugin: 'plugins of this node',
  service: 'run the node with your session (systemd)',
};

const ENVIRONMENT = `
Environment:
  AWL_HOME            configuration, key, state and control socket of one node
  AWL_PASSWORD        the password of the node to connect to
  AWL_RENDEZVOUS_KEY  access key of the rendezvous
  NO_COLOR            no colours

Exit codes: 0 ok, 1 failed, 2 usage, 3 no path to the peer, 4 refused`;

/**
 * The command line as commander knows it.
 * @param found receives what was asked for
 * @param isUi whether the line names no command
 */
export function createProgram(
  specs: readonly CommandSpec[],
  version: string,
  found: (invocation: Invocation) => void,
  isUi = false,
): Command {
  const program = new Command('awl')
    .description('Direct connections between machines behind NAT routers.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'help for a command')
    .option('--detach', 'leave the node running when the UI closes')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      `${ENVIRONMENT}\n\nExamples:\n${examples(['awl', 'awl share 8080', 'awl connect awl1… --listen :8585', 'awl demo'])}`,
    );
  addOptions(program, EVERYWHERE);
  // With an action of its own, commander would take a mistyped command for an argument and suggest nothing.
  if (isUi) program.action((options: OptionValues) => found({ args: [], options }));
  const groups = new Map<string, Command>();
  for (const spec of specs) {
    const words = spec.name.split(' ');
    const [first = '', second] = words;
    const parent = second === undefined ? program : group(program, groups, first);
    const command = parent.command(second ?? first);
    if (second === undefined) groups.set(first, command);
    describe(command, spec);
    command.action((...all: unknown[]) => {
      const args = all
        .slice(0, spec.arguments?.length ?? 0)
        .filter((value) => value !== undefined) as string[];
      found({ spec, args, options: { ...program.opts(), ...command.optsWithGlobals<OptionValues>() } });
    });
  }
  return program;
}

function describe(command: Command, spec: CommandSpec): void {
  command
    .summary(spec.summary)
    .description([capital(spec.summary) + '.', spec.more].filter(Boolean).join('\n'));
  for (const argument of spec.arguments ?? []) command.argument(argument.name, argument.text);
  addOptions(command, [...(spec.options ?? []), ...EVERYWHERE]);
  command.addHelpText('after', `\nExamples:\n${examples(spec.examples)}`);
}

function group(program: Command, groups: Map<string, Command>, name: string): Command {
  let command = groups.get(name);
  if (!command) {
    const text = GROUPS[name] ?? name;
    command = program
      .command(name)
      .summary(text)
      .description(`${capital(text)}.`);
    groups.set(name, command);
  }
  return command;
}

function addOptions(command: Command, options: readonly OptionSpec[]): void {
  for (const spec of options) {
    const option = new Option(spec.flags, spec.text);
    if (spec.choices) option.choices([...spec.choices]);
    if (spec.default !== undefined) option.default(spec.default);
    command.addOption(option);
  }
}

function examples(lines: readonly string[]): string {
  return lines.map((line) => `  $ ${line}`).join('\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
